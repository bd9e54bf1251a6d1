import { Anchor, Badge, Group, Stack, Text } from '@mantine/core';
import type { ModelVersion, Task } from '@starling/protocol';
import type { Release } from '@starling/protocol/api';
import { Link } from '@tanstack/react-router';
import { useTranslations } from 'use-intl';
import { useList } from '../../api/calls.tsx';
import { Identity } from '../../components/identity.tsx';
import { ItemList, type Column } from '../../components/item-list.tsx';
import { Panel } from '../../components/page.tsx';
import { Problem } from '../../components/problem.tsx';
import { useQuantities } from '../../components/quantities.ts';
import { Ago } from '../../components/time.tsx';
import { OriginLink } from '../versions/origin-link.tsx';
import { VersionLink } from './version-link.tsx';

/** The versions of a task with where each comes from, and which of them devices were served. */
export function VersionsTab({ task }: { task: Task }) {
  const words = useTranslations('task');
  const { bytes } = useQuantities();
  const list = useList('listVersions', {
    params: { id: task.id },
  });
  const columns: Column<ModelVersion>[] = [
    {
      head: words('column.version'),
      cell: ({ id, number }) => (
        <Group gap="xs">
          <Anchor component={Link} to={`/versions/${id}`} fw={600} inherit style={{ whiteSpace: 'nowrap' }}>
            {words('version', { number })}
          </Anchor>
          {id === task.currentVersion && (
            <Badge variant="default" tt="none">
              {words('isCurrent')}
            </Badge>
          )}
          {id === task.servedVersion && (
            <Badge variant="light" tt="none">
              {words('isServed')}
            </Badge>
          )}
        </Group>
      ),
    },
    { head: words('column.from'), cell: (version) => <Origin version={version} /> },
    { head: words('column.digest'), wide: true, cell: ({ digest }) => <Identity id={digest} /> },
    {
      head: words('column.size'),
      about: { meaning: words('column.sizeMeaning'), from: 'listVersions' },
      right: true,
      cell: ({ bytes: size }) => bytes(size),
    },
    { head: words('column.made'), wide: true, cell: ({ createdAt }) => <Ago at={createdAt} /> },
  ];
  return (
    <>
      <Releases task={task} />
      <ItemList name={words('versions')} list={list} columns={columns} keyOf={({ id }) => id} empty={null} />
    </>
  );
}

/** What made a version; of a task that began with another's version, that one. */
function Origin({ version }: { version: ModelVersion }) {
  const { round, job, parent } = version;
  if (round === null && job === null && parent !== null) return <VersionLink id={parent} />;
  return <OriginLink version={version} />;
}

function Releases({ task }: { task: Task }) {
  const words = useTranslations('task');
  const { items = [], error } = useList('listReleases', { params: { id: task.id } });
  if (error) return <Problem error={error} />;
  return (
    <Panel title={words('released')}>
      {items.length === 0 ? (
        <Text size="sm" c="dimmed">
          {words('noReleases')}
        </Text>
      ) : (
        <Stack gap={4}>
          {items.map((release) => (
            <Step key={release.id} {...release} />
          ))}
        </Stack>
      )}
    </Panel>
  );
}

function Step({ kind, version, note, createdAt }: Release) {
  const words = useTranslations('task');
  return (
    <Group gap="xs">
      <Text size="sm">{words.rich(kind, { version: () => <VersionLink id={version} /> })}</Text>
      {note !== '' && <Text size="sm">“{note}”</Text>}
      <Text size="sm" c="dimmed">
        <Ago at={createdAt} />
      </Text>
    </Group>
  );
}
