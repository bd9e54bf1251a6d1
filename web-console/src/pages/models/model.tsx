import { Anchor, Badge, Button, Code, Group, ScrollArea, SimpleGrid, Table, Text } from '@mantine/core';
import type { ModelDetail, Task } from '@starling/protocol';
import { IconDownload } from '@tabler/icons-react';
import { Link, useParams } from '@tanstack/react-router';
import { useTranslations } from 'use-intl';
import { useList, useRead } from '../../api/calls.tsx';
import { Figures } from '../../components/figure.tsx';
import { Identity } from '../../components/identity.tsx';
import { ItemList, type Column } from '../../components/item-list.tsx';
import { Nothing } from '../../components/nothing.tsx';
import { Page, Panel } from '../../components/page.tsx';
import { PageLoading } from '../../components/page-loading.tsx';
import { Problem } from '../../components/problem.tsx';
import { useQuantities } from '../../components/quantities.ts';
import { save } from '../../components/save.ts';
import { StateBadge } from '../../components/state-badge.tsx';
import { TallTable } from '../../components/tall-table.tsx';
import { documentOf, type ModelDocument } from './document.ts';

/** One model: its facts, what trains it, and its document. */
export function ModelPage() {
  const { digest } = useParams({ from: '/models/$digest' });
  const words = useTranslations('models');
  const { count } = useQuantities();
  const { data: model, error, refetch } = useRead('getModel', { params: { digest } });
  if (error) return <Problem error={error} retry={() => void refetch()} />;
  if (!model) return <PageLoading lead />;
  const document = documentOf(model);
  return (
    <Page
      title={model.name}
      lead={
        <>
          {words('digest')} <Identity id={digest} length={16} />
        </>
      }
      trail={[
        <Anchor key="models" component={Link} to="/models" inherit>
          {words('title')}
        </Anchor>,
      ]}
    >
      <Figures
        from="getModel"
        figures={[
          {
            name: words('column.parameters'),
            value: count(model.parameters),
            meaning: words('parametersMeaning'),
          },
          {
            name: words('column.input'),
            value: model.inputShape.join(' × '),
            meaning: words('inputMeaning'),
          },
          { name: words('column.classes'), value: count(model.classes), meaning: words('classesMeaning') },
          {
            name: words('operations'),
            value: count(document.nodes.length),
            meaning: words('operationsMeaning'),
          },
        ]}
      />
      <TasksOfModel digest={digest} />
      <SimpleGrid cols={{ base: 1, lg: 2 }} spacing="md" style={{ alignItems: 'start' }}>
        <ParametersPanel document={document} />
        <DocumentPanel model={model} />
      </SimpleGrid>
    </Page>
  );
}

function TasksOfModel({ digest }: { digest: string }) {
  const words = useTranslations('models.tasks');
  const algorithms = useTranslations('plan.choice');
  const list = useList('listModelTasks', { params: { digest } });
  const columns: Column<Task>[] = [
    {
      head: words('name'),
      cell: ({ id, name }) => (
        <Anchor component={Link} to={`/tasks/${id}`} fw={600} inherit>
          {name}
        </Anchor>
      ),
    },
    { head: words('state'), cell: ({ state }) => <StateBadge of="task" state={state} /> },
    { head: words('algorithm'), wide: true, cell: ({ plan }) => algorithms(plan.learning.algorithm) },
    {
      head: words('versions'),
      cell: ({ currentVersion, servedVersion }) => (
        <Group gap="md" wrap="nowrap">
          <Anchor
            component={Link}
            to={`/versions/${currentVersion}`}
            inherit
            style={{ whiteSpace: 'nowrap' }}
          >
            {words('newest')}
          </Anchor>
          {servedVersion !== currentVersion && (
            <Anchor
              component={Link}
              to={`/versions/${servedVersion}`}
              inherit
              style={{ whiteSpace: 'nowrap' }}
            >
              {words('served')}
            </Anchor>
          )}
        </Group>
      ),
    },
  ];
  return (
    <Panel title={words('title')}>
      <ItemList
        name={words('title')}
        list={list}
        columns={columns}
        keyOf={({ id }) => id}
        empty={<Nothing title={words('none')} />}
      />
    </Panel>
  );
}

function ParametersPanel({ document: { params } }: { document: ModelDocument }) {
  const words = useTranslations('models.parameter');
  const columns = useTranslations('task.model.column');
  const { count } = useQuantities();
  const sizeOf = (shape: readonly number[]) => shape.reduce((product, axis) => product * axis, 1);
  return (
    <Panel title={words('title')}>
      <TallTable
        name={words('title')}
        height={480}
        heads={[
          { head: words('name') },
          { head: words('shape'), about: { meaning: columns('shapeMeaning'), from: 'getModel' } },
          {
            head: words('values'),
            about: { meaning: columns('sizeMeaning'), from: 'getModel' },
            right: true,
          },
          { head: words('part') },
        ]}
      >
        {params.map(({ id, shape, group = 'body', share = 'global' }) => (
          <Table.Tr key={id}>
            <Table.Th scope="row" fw={400} ff="monospace" fz="sm">
              {id}
            </Table.Th>
            <Table.Td style={{ whiteSpace: 'nowrap' }}>{shape.join(' × ')}</Table.Td>
            <Table.Td ta="right">{count(sizeOf(shape))}</Table.Td>
            <Table.Td>
              <Group gap={4} wrap="nowrap">
                <Badge variant="default" tt="none">
                  {words(group)}
                </Badge>
                {share === 'local' && (
                  <Badge variant="light" color="violet" tt="none">
                    {words('local')}
                  </Badge>
                )}
              </Group>
            </Table.Td>
          </Table.Tr>
        ))}
      </TallTable>
    </Panel>
  );
}

function DocumentPanel({ model }: { model: ModelDetail }) {
  const words = useTranslations('models.document');
  const shell = useTranslations('shell.act');
  const text = JSON.stringify(inOrder(model), null, 2);
  return (
    <Panel
      title={words('title')}
      aside={
        <Button
          variant="default"
          size="xs"
          leftSection={<IconDownload size={14} />}
          onClick={() => {
            save(`${model.name}.json`, new Blob([text], { type: 'application/json' }));
          }}
        >
          {shell('download')}
        </Button>
      }
    >
      <Text size="sm" c="dimmed">
        {words('lead')}
      </Text>
      <ScrollArea.Autosize
        mah={440}
        viewportProps={{ tabIndex: 0, role: 'region', 'aria-label': words('title') }}
      >
        <Code block fz="xs">
          {text}
        </Code>
      </ScrollArea.Autosize>
    </Panel>
  );
}

/** The members of a document as one writes them: the database keeps no order. */
function inOrder(model: ModelDetail): object {
  const { umir, opset, name, inputs, params, nodes, ...rest } = model.ir as Record<string, unknown>; // checked by the server
  return { umir, opset, name, inputs, params, nodes, ...rest };
}
