import { Alert, Stack, Table, Text } from '@mantine/core';
import type { Load, Operations } from '@starling/protocol/api';
import { IconClockExclamation } from '@tabler/icons-react';
import { useTranslations } from 'use-intl';
import { Bars, type Bar } from '../../components/bars.tsx';
import { Figures } from '../../components/figure.tsx';
import { Panel } from '../../components/page.tsx';
import { useQuantities } from '../../components/quantities.ts';
import { ScrollTable } from '../../components/scroll-table.tsx';

/** A round is late from here on: the poller looks at deadlines several times a second. */
const lateMs = 10_000;

/** What waits and what is under way. */
export function QueuesPanel({ load }: { load: Load }) {
  const words = useTranslations('operations');
  const states = useTranslations('states');
  const { count, duration, bytes } = useQuantities();
  const { jobs, rounds, assignments, groups, overdueMs, staged } = load;
  const sum = (counts: Record<string, number>) => Object.values(counts).reduce((total, n) => total + n, 0);
  const bars = (of: 'round' | 'assignment' | 'group', counts: Record<string, number>): Bar[] =>
    Object.entries(counts).map(([state, value]) => ({
      key: `${of}.${state}`,
      // the name of every state of every kind is in the words: their type is checked where they are written
      name: `${words(`kind.${of}`)}: ${states(`${of}.${state}` as 'task.draft')}`,
      value,
    }));
  const underWay = [...bars('round', rounds), ...bars('assignment', assignments), ...bars('group', groups)];
  return (
    <Panel title={words('queues')} about={{ meaning: words('queuesMeaning'), from: 'getOperations' }}>
      {overdueMs > lateMs && (
        <Alert color="orange" icon={<IconClockExclamation />}>
          {words('overdue', { time: duration(overdueMs) })}
        </Alert>
      )}
      <Figures
        from="getOperations"
        bare
        cols={{ base: 2, sm: 4 }}
        figures={[
          {
            name: words('jobsWaiting'),
            value: count(jobs.waiting),
            unit: jobs.waiting > 0 ? words('longest', { time: duration(jobs.longestWaitMs) }) : undefined,
            meaning: words('jobsMeaning'),
          },
          { name: words('jobsRunning'), value: count(jobs.running), meaning: words('jobsMeaning') },
          { name: words('rounds'), value: count(sum(rounds)), meaning: words('roundsMeaning') },
          {
            name: words('staged'),
            value: count(staged.updates),
            unit: staged.updates > 0 ? bytes(staged.bytes) : undefined,
            meaning: words('stagedMeaning'),
          },
        ]}
      />
      <Bars bars={underWay} empty={words('nothingUnderWay')} />
    </Panel>
  );
}

/** Where things are kept, and how much there is. */
export function StoragePanel({
  load: { blobs, staged },
  node,
  databaseBytes,
}: {
  load: Load;
  node: Operations['node'];
  /** Told to a `server` key alone. */
  databaseBytes: number | undefined;
}) {
  const words = useTranslations('operations');
  const { bytes, count } = useQuantities();
  const rows: [string, string, string][] = [
    [
      words('store.database'),
      words(`databaseKind.${node.database.kind}`),
      databaseBytes === undefined ? words('forServerKeys') : bytes(databaseBytes),
    ],
    [
      words('store.blobs'),
      words(`blobKind.${node.blobs}`),
      `${bytes(blobs.bytes)} · ${words('files', { count: count(blobs.count) })}`,
    ],
    [
      words('store.staging'),
      words('stagingKind'),
      `${bytes(staged.bytes)} · ${words('files', { count: count(staged.updates) })}`,
    ],
  ];
  return (
    <Panel title={words('storage')} about={{ meaning: words('storageMeaning'), from: 'getOperations' }}>
      <ScrollTable name={words('storage')} verticalSpacing={8}>
        <Table.Tbody>
          {rows.map(([name, kind, size]) => (
            <Table.Tr key={name}>
              <Table.Th scope="row" fw={400}>
                <Stack gap={0}>
                  <Text size="sm" fw={600}>
                    {name}
                  </Text>
                  <Text size="sm" c="dimmed">
                    {kind}
                  </Text>
                </Stack>
              </Table.Th>
              <Table.Td ta="right">{size}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </ScrollTable>
    </Panel>
  );
}
