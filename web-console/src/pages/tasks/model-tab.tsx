import { Alert, Badge, Code, Grid, Group, Skeleton, Stack, Table, Text } from '@mantine/core';
import { useMemo, useState } from 'react';
import { useTranslations } from 'use-intl';
import { useRead } from '../../api/calls.tsx';
import { Heads } from '../../components/heads.tsx';
import { Identity } from '../../components/identity.tsx';
import {
  drawnModel,
  type DrawnModel,
  type DrawnNode,
  type NodeWeights,
} from '../../components/model-graph/graph-of.ts';
import { ModelGraph } from '../../components/model-graph/model-graph.tsx';
import { Panel } from '../../components/page.tsx';
import { Problem } from '../../components/problem.tsx';
import { useQuantities } from '../../components/quantities.ts';
import { ScrollTable } from '../../components/scroll-table.tsx';

/** The model of a task: its IR as a graph with the shape of every value, and its parameters. */
export function ModelTab({ digest }: { digest: string }) {
  const words = useTranslations('task.model');
  const { data, error, refetch } = useRead('getModel', { params: { digest } });
  const drawn = useMemo(() => (data ? readModel(data.ir) : undefined), [data]);
  if (error) return <Problem error={error} retry={() => void refetch()} />;
  if (!data || !drawn) return <Skeleton h={480} aria-busy />;
  return (
    <>
      <Group gap="lg">
        <Text fw={650}>{data.name}</Text>
        <Group gap={6}>
          <Text size="sm" c="dimmed">
            {words('uploaded')}
          </Text>
          <Identity id={digest} />
        </Group>
      </Group>
      {drawn instanceof Error ? (
        <Alert color="red">{words('unreadable', { message: drawn.message })}</Alert>
      ) : (
        <Drawing model={drawn} />
      )}
    </>
  );
}

function readModel(ir: unknown): DrawnModel | Error {
  try {
    return drawnModel(ir);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function Drawing({ model }: { model: DrawnModel }) {
  const words = useTranslations('task.model');
  const [chosen, choose] = useState<string>();
  const node = model.nodes.find(({ id }) => id === chosen);
  return (
    <>
      <Grid gap="md">
        <Grid.Col span={{ base: 12, lg: 8 }}>
          <Panel
            title={words('graph')}
            about={{ meaning: words('graphMeaning'), from: 'getModel' }}
            aside={
              <Text size="sm" c="dimmed">
                {words('nodes', { count: model.nodes.filter(({ kind }) => kind === 'operation').length })} ·{' '}
                {words('learnable', { count: model.learnable })}
              </Text>
            }
          >
            <ModelGraph model={model} chosen={chosen} choose={choose} />
          </Panel>
        </Grid.Col>
        <Grid.Col span={{ base: 12, lg: 4 }}>
          <Panel title={words('chosen')} about={{ meaning: words('chosenMeaning'), from: 'getModel' }}>
            <div aria-live="polite">
              {node ? (
                <Details node={node} />
              ) : (
                <Text c="dimmed" size="sm">
                  {words('noneChosen')}
                </Text>
              )}
            </div>
          </Panel>
        </Grid.Col>
      </Grid>
      <Panel title={words('parameters')}>
        <Parameters parameters={model.parameters} />
      </Panel>
    </>
  );
}

function Details({ node: { id, kind, name, shape, inputs, attributes, weights } }: { node: DrawnNode }) {
  const words = useTranslations('task.model');
  const rows = [
    ...inputs.map((input) => [words('inputs'), input.id, input.shape] as const),
    [words('output'), kind === 'loss' ? '' : id, kind === 'loss' ? words('number') : shape] as const,
    ...attributes.map(([attribute, value]) => [words('attributes'), attribute, value] as const),
    ...weights.map((each) => [words('weights'), each.id, each.shape.join(' × ')] as const),
  ];
  return (
    <Stack gap="xs">
      <Group gap="xs">
        <Text fw={650}>{name}</Text>
        <Badge variant="default" tt="none">
          {words(`kind.${kind}`)}
        </Badge>
      </Group>
      <Table verticalSpacing={4} horizontalSpacing={0}>
        <Table.Tbody>
          {rows.map(([what, which, value], index) => (
            <Table.Tr key={`${what}${which}`}>
              <Table.Th scope="row" fw={400} c="dimmed">
                {rows[index - 1]?.[0] === what ? '' : what}
              </Table.Th>
              <Table.Td>
                <Code bg="transparent" p={0} style={{ overflowWrap: 'anywhere' }}>
                  {which}
                </Code>
              </Table.Td>
              <Table.Td ta="right">{value}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Stack>
  );
}

function Parameters({ parameters }: { parameters: readonly NodeWeights[] }) {
  const model = useTranslations('task.model');
  const words = useTranslations('task.model.column');
  const { count } = useQuantities();
  return (
    <ScrollTable name={model('parameters')} verticalSpacing={6}>
      <Heads
        heads={[
          { head: words('name') },
          { head: words('shape'), about: { meaning: words('shapeMeaning'), from: 'getModel' } },
          { head: words('size'), about: { meaning: words('sizeMeaning'), from: 'getModel' }, right: true },
          { head: words('init'), about: { meaning: words('initMeaning'), from: 'getModel' }, wide: true },
          { head: words('group'), wide: true },
          { head: words('share'), wide: true },
        ]}
      />
      <Table.Tbody>
        {parameters.map(({ id, shape, size, init, group, share }) => (
          <Table.Tr key={id}>
            <Table.Th scope="row" fw={400}>
              <Code bg="transparent" p={0}>
                {id}
              </Code>
            </Table.Th>
            <Table.Td style={{ whiteSpace: 'nowrap' }}>{shape.join(' × ')}</Table.Td>
            <Table.Td ta="right">{count(size)}</Table.Td>
            <Table.Td visibleFrom="md">
              <Code bg="transparent" p={0}>
                {init}
              </Code>
            </Table.Td>
            <Table.Td visibleFrom="md">{model(`group.${group}`)}</Table.Td>
            <Table.Td visibleFrom="md">{model(`share.${share}`)}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </ScrollTable>
  );
}
