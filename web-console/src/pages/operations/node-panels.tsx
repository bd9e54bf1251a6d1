import { Group, Progress, Stack, Text } from '@mantine/core';
import type { Operations } from '@starling/protocol/api';
import { IconCircleCheck, IconCircleX } from '@tabler/icons-react';
import { useTranslations } from 'use-intl';
import { Figures } from '../../components/figure.tsx';
import { Panel } from '../../components/page.tsx';
import { useQuantities } from '../../components/quantities.ts';

type Node = Operations['node'];

/** What the node needs to do its work, and whether it is there. */
export function HealthPanel({ node: { checks, reasons, database } }: { node: Node }) {
  const words = useTranslations('operations');
  const { count } = useQuantities();
  const named = ['database', 'blobs', 'uploads', 'serving'] as const;
  return (
    <Panel title={words('health')} about={{ meaning: words('healthMeaning'), from: 'getOperations' }}>
      <Stack gap="xs" component="ul" p={0} m={0} style={{ listStyle: 'none' }}>
        {checks.map(({ name, ready }) => {
          const known = named.find((each) => each === name);
          return (
            <Group key={name} component="li" gap="xs" wrap="nowrap">
              {ready ? (
                <IconCircleCheck size={20} color="var(--mantine-color-teal-6)" aria-hidden />
              ) : (
                <IconCircleX size={20} color="var(--mantine-color-error)" aria-hidden />
              )}
              <Text flex={1}>{known ? words(`check.${known}`) : name}</Text>
              <Text size="sm" c="dimmed">
                {words(ready ? 'passes' : 'fails')}
              </Text>
            </Group>
          );
        })}
      </Stack>
      {reasons.map((reason) => (
        <Text key={reason} size="sm" c="var(--mantine-color-error)">
          {reason}
        </Text>
      ))}
      <Figures
        from="getOperations"
        bare
        cols={3}
        figures={[
          { name: words('busy'), value: count(database.busy), meaning: words('busyMeaning') },
          { name: words('idle'), value: count(database.idle), meaning: words('idleMeaning') },
          { name: words('waiting'), value: count(database.waiting), meaning: words('waitingMeaning') },
        ]}
      />
    </Panel>
  );
}

/** How late the process is with what is due. */
export function EventLoopPanel({ node: { eventLoop } }: { node: Node }) {
  const words = useTranslations('operations');
  const { duration, percent } = useQuantities();
  const late = (ms: number) => duration(Math.round(ms * 10) / 10);
  return (
    <Panel
      title={words('eventLoop')}
      about={{ meaning: words('lagMeaning'), from: 'getOperations' }}
      aside={
        <Text size="sm" c="dimmed">
          {words('over', { time: duration(eventLoop.overMs) })}
        </Text>
      }
    >
      <Figures
        from="getOperations"
        bare
        cols={3}
        figures={[
          { name: 'p50', value: late(eventLoop.p50Ms), meaning: words('lateMeaning') },
          { name: 'p99', value: late(eventLoop.p99Ms), meaning: words('lateMeaning') },
          { name: words('most'), value: late(eventLoop.maxMs), meaning: words('lateMeaning') },
        ]}
      />
      <Share name={words('code')} share={eventLoop.busy} said={percent(eventLoop.busy)} />
      <Text size="sm" c="dimmed">
        {words('lagHint')}
      </Text>
    </Panel>
  );
}

/** What the process holds, and what it may hold. */
export function MemoryPanel({ node: { memory } }: { node: Node }) {
  const words = useTranslations('operations');
  const { bytes } = useQuantities();
  const { residentBytes, machineBytes, heapBytes, heapLimitBytes } = memory;
  const said = (part: number, whole: number) => `${bytes(part)} ${words('of', { whole: bytes(whole) })}`;
  return (
    <Panel title={words('memory')} about={{ meaning: words('memoryMeaning'), from: 'getOperations' }}>
      <Share
        name={words('resident')}
        share={residentBytes / machineBytes}
        said={said(residentBytes, machineBytes)}
      />
      <Share name={words('heap')} share={heapBytes / heapLimitBytes} said={said(heapBytes, heapLimitBytes)} />
      <Text size="sm" c="dimmed">
        {words('memoryHint')}
      </Text>
    </Panel>
  );
}

/** A share of a whole as a bar with its words; above nine tenths it is of another colour, and the words say how much. */
function Share({ name, share, said }: { name: string; share: number; said: string }) {
  return (
    <div>
      <Group justify="space-between" gap="sm" mb={4}>
        <Text size="sm">{name}</Text>
        <Text size="sm" fw={600}>
          {said}
        </Text>
      </Group>
      <Progress
        value={100 * share}
        aria-label={name}
        {...(share > 0.9 ? { color: 'orange' } : {})}
        bg="var(--starling-line)"
      />
    </div>
  );
}
