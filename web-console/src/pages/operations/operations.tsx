import { Badge, Group, SegmentedControl, SimpleGrid, Skeleton, Text } from '@mantine/core';
import type { Operations as OperationsFacts } from '@starling/protocol/api';
import { IconAlertTriangle, IconCircleCheck } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslations } from 'use-intl';
import { useRead } from '../../api/calls.tsx';
import { useMay } from '../../app/session.tsx';
import { Explained, Figures } from '../../components/figure.tsx';
import { Identity } from '../../components/identity.tsx';
import { Page } from '../../components/page.tsx';
import { NotAllowed, Problem } from '../../components/problem.tsx';
import { useQuantities } from '../../components/quantities.ts';
import { QueuesPanel, StoragePanel } from './load-panels.tsx';
import { EventLoopPanel, HealthPanel, MemoryPanel } from './node-panels.tsx';
import { SkewPanel } from './skew-panel.tsx';

/** How often the server is asked: what a process holds and how busy it is makes no event. */
const askMs = 5_000;

/** How the server is: health, what waits, memory, storage, and the versions that devices have. */
export function Operations() {
  const may = useMay();
  return may('getOperations') ? <Known /> : <NotAllowed needs="getOperations" />;
}

function Known() {
  const words = useTranslations('operations');
  const [all, setAll] = useState(false);
  const { data, error, refetch } = useRead('getOperations', {}, { refetchInterval: askMs });
  if (error) return <Problem error={error} retry={() => void refetch()} />;
  return (
    <Page
      title={words('title')}
      lead={data ? <Lead node={data.node} /> : words('lead')}
      badge={data && <Health ready={data.node.ready} />}
      actions={
        data?.everything && (
          <SegmentedControl
            size="xs"
            aria-label={words('whose')}
            data={[
              { value: 'project', label: words('ofProject') },
              { value: 'all', label: words('ofAll') },
            ]}
            value={all ? 'all' : 'project'}
            onChange={(chosen) => {
              setAll(chosen === 'all');
            }}
          />
        )
      }
    >
      <NodeFigures facts={data} />
      {data === undefined ? (
        <Skeleton h={480} />
      ) : (
        <SimpleGrid cols={{ base: 1, lg: 2 }} spacing="md">
          <HealthPanel node={data.node} />
          <EventLoopPanel node={data.node} />
          <QueuesPanel load={all && data.everything ? data.everything : data.project} />
          <StoragePanel
            load={all && data.everything ? data.everything : data.project}
            node={data.node}
            databaseBytes={data.everything?.databaseBytes}
          />
          <MemoryPanel node={data.node} />
          <SkewPanel serverVersion={data.node.version} />
        </SimpleGrid>
      )}
    </Page>
  );
}

function Lead({ node: { id, version, upMs } }: { node: OperationsFacts['node'] }) {
  const words = useTranslations('operations');
  const { duration } = useQuantities();
  return (
    <>
      <Explained meaning={words('nodeMeaning')} from="getOperations">
        {words('node', { version, up: duration(upMs) })}
      </Explained>{' '}
      <Identity id={id} length={8} />
    </>
  );
}

function Health({ ready }: { ready: boolean }) {
  const words = useTranslations('operations');
  const Icon = ready ? IconCircleCheck : IconAlertTriangle;
  return (
    <Group role="status">
      <Badge
        color={ready ? 'teal' : 'red'}
        variant="light"
        tt="none"
        leftSection={<Icon size={14} aria-hidden />}
      >
        {words(ready ? 'ready' : 'notReady')}
      </Badge>
    </Group>
  );
}

function NodeFigures({ facts }: { facts: OperationsFacts | undefined }) {
  const words = useTranslations('operations');
  const { bytes, count, duration } = useQuantities();
  const node = facts?.node;
  return (
    <Figures
      from="getOperations"
      figures={[
        {
          name: words('nodes'),
          value: facts && count(facts.nodesAlive),
          meaning: words('nodesMeaning'),
        },
        {
          name: words('lag'),
          value: node && duration(round(node.eventLoop.p99Ms)),
          unit: node && words('lagMost', { most: duration(round(node.eventLoop.maxMs)) }),
          meaning: words('lagMeaning'),
        },
        {
          name: words('memory'),
          value: node && bytes(node.memory.residentBytes),
          unit: node && words('of', { whole: bytes(node.memory.machineBytes) }),
          meaning: words('memoryMeaning'),
        },
        {
          name: words('connected'),
          value: node && count(node.devices.socket),
          unit:
            node && node.devices.polling > 0 ? (
              <Text span inherit>
                {words('polling', { count: node.devices.polling })}
              </Text>
            ) : undefined,
          meaning: words('connectedMeaning'),
        },
      ]}
    />
  );
}

/** To a tenth of a millisecond. */
function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
