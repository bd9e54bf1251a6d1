import { Anchor, Badge, SimpleGrid, Stack, Table, Text } from '@mantine/core';
import type { ModelVersion, Task } from '@starling/protocol';
import type { Release } from '@starling/protocol/api';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useTranslations } from 'use-intl';
import { useList, useRead } from '../../api/calls.tsx';
import { Explained } from '../../components/figure.tsx';
import { Identity } from '../../components/identity.tsx';
import { ItemList, type Column } from '../../components/item-list.tsx';
import { Nothing } from '../../components/nothing.tsx';
import { Panel } from '../../components/page.tsx';
import { useQuantities } from '../../components/quantities.ts';
import { Ago } from '../../components/time.tsx';
import { OriginLink } from './origin-link.tsx';
import { RollBackButton } from './promote.tsx';
import { rollbackTarget } from './rollback.ts';

/** What a version is, and which versions of its task were served to devices. */
export function Overview({ version, task }: { version: ModelVersion; task: Task }) {
  return (
    <SimpleGrid cols={{ base: 1, lg: 2 }} spacing="md">
      <Facts version={version} />
      <Releases task={task} />
    </SimpleGrid>
  );
}

function Facts({ version }: { version: ModelVersion }) {
  const words = useTranslations('models.facts');
  const columns = useTranslations('task.column');
  const { bytes } = useQuantities();
  const rows: [ReactNode, ReactNode][] = [
    [words('origin'), <Origin key="origin" version={version} />],
    [
      words('parent'),
      version.parent === null ? (
        words('none')
      ) : (
        <Anchor component={Link} to={`/versions/${version.parent}`} inherit>
          {words('parentLink')}
        </Anchor>
      ),
    ],
    [
      <Explained key="size" meaning={columns('sizeMeaning')} from="getVersion">
        {words('size')}
      </Explained>,
      bytes(version.bytes),
    ],
    [words('digest'), <Identity key="digest" id={version.digest} length={20} />],
    [words('weights'), <Identity key="weights" id={version.weights} length={20} />],
    [words('id'), <Identity key="id" id={version.id} length={20} />],
  ];
  return (
    <Panel title={words('title')}>
      <Table verticalSpacing={8}>
        <Table.Tbody>
          {rows.map(([name, value], row) => (
            <Table.Tr key={row}>
              <Table.Th scope="row" fw={400} c="dimmed" w="40%">
                {name}
              </Table.Th>
              <Table.Td>{value}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Panel>
  );
}

/** What made a version, a round by its number. */
function Origin({ version }: { version: ModelVersion }) {
  const words = useTranslations('rounds');
  const { round } = version;
  const { data } = useRead(
    'getRound',
    { params: { id: round as NonNullable<typeof round> } }, // asked only when there is one
    { enabled: round !== null },
  );
  return <OriginLink version={version} name={data && words('title', { sequence: data.sequence })} />;
}

function Releases({ task }: { task: Task }) {
  const words = useTranslations('models.release');
  const list = useList('listReleases', {
    params: { id: task.id },
  });
  const target = list.items && !list.hasNextPage ? rollbackTarget(list.items) : undefined;
  const columns: Column<Release>[] = [
    {
      head: words('column.version'),
      cell: ({ version, number, kind }) => (
        <Stack gap={2} align="flex-start">
          <Anchor
            component={Link}
            to={`/versions/${version}`}
            fw={600}
            inherit
            style={{ whiteSpace: 'nowrap' }}
          >
            {words('version', { number })}
          </Anchor>
          <Badge variant="light" miw="max-content" color={kind === 'promotion' ? 'teal' : 'orange'} tt="none">
            {words(kind)}
          </Badge>
        </Stack>
      ),
    },
    {
      head: words('column.note'),
      cell: ({ note }) => (
        <Text size="sm" miw={120} style={{ overflowWrap: 'break-word' }}>
          {note === '' ? '–' : note}
        </Text>
      ),
    },
    {
      head: words('column.who'),
      cell: ({ by, createdAt }) => (
        <>
          <Text size="sm" fw={600}>
            {by}
          </Text>
          <Text size="sm" c="dimmed">
            <Ago at={createdAt} />
          </Text>
        </>
      ),
    },
  ];
  return (
    <Panel title={words('title')} aside={target && <RollBackButton task={task} number={target.number} />}>
      <Text size="sm" c="dimmed">
        {words('lead')}
      </Text>
      <ItemList
        name={words('title')}
        list={list}
        columns={columns}
        keyOf={({ id }) => id}
        empty={<Nothing title={words('none')}>{words('noneHint')}</Nothing>}
      />
    </Panel>
  );
}
