import { Alert, Anchor, Group, SimpleGrid, Skeleton, Stack, Text } from '@mantine/core';
import type { Fleet as FleetFigures } from '@starling/protocol/api';
import { IconAlertTriangle, IconCircleCheck } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useTranslations } from 'use-intl';
import { useRead } from '../../api/calls.tsx';
import { Bars } from '../../components/bars.tsx';
import { lineColour } from '../../components/chart/colours.ts';
import { ReasonBars } from '../../components/reason-bars.tsx';
import { abandonReason, dropReason } from '../../components/reasons.ts';
import { Figures } from '../../components/figure.tsx';
import { Nothing } from '../../components/nothing.tsx';
import { Page, Panel } from '../../components/page.tsx';
import { Problem } from '../../components/problem.tsx';
import { useQuantities } from '../../components/quantities.ts';
import { Ago } from '../../components/time.tsx';
import { useNetworkName } from '../devices/device-facts.tsx';
import { EnrolLink } from '../devices/enrol-link.tsx';
import { DayColumns } from './day-columns.tsx';

/** How the fleet is: the page that an operator keeps open. */
export function Fleet() {
  const words = useTranslations('fleet');
  const { data, error, refetch } = useRead('getFleet', {}, { refetchInterval: 60_000 }); // days pass without an event
  const { count } = useQuantities();
  if (error) return <Problem error={error} retry={() => void refetch()} />;
  const devices = data?.devices;
  const shown = (value: number | undefined) => (value === undefined ? undefined : count(value));
  return (
    <Page title={words('title')} lead={words('lead')}>
      <Figures
        from="getFleet"
        cols={{ base: 2, md: 3, xl: 6 }}
        figures={[
          { name: words('online'), value: shown(devices?.online), meaning: words('onlineMeaning') },
          { name: words('eligible'), value: shown(devices?.eligible), meaning: words('eligibleMeaning') },
          { name: words('working'), value: shown(devices?.working), meaning: words('workingMeaning') },
          { name: words('day'), value: shown(devices?.day), meaning: words('dayMeaning') },
          { name: words('week'), value: shown(devices?.week), meaning: words('weekMeaning') },
          {
            name: words('active'),
            value: shown(devices?.active),
            unit:
              devices && devices.revoked > 0 ? words('revokedToo', { count: devices.revoked }) : undefined,
            meaning: words('activeMeaning'),
          },
        ]}
      />
      {data === undefined ? (
        <Skeleton h={320} />
      ) : data.devices.active === 0 ? (
        <Nothing title={words('empty')} action={<EnrolLink />}>
          {words('emptyHint')}
        </Nothing>
      ) : (
        <Panels fleet={data} />
      )}
    </Page>
  );
}

function Panels({ fleet }: { fleet: FleetFigures }) {
  const words = useTranslations('fleet');
  const networkName = useNetworkName();
  return (
    <Stack gap="md">
      <SimpleGrid cols={{ base: 1, lg: 2 }} spacing="md">
        <Attention alerts={fleet.alerts} />
        <AtWork work={fleet.work} />
        <LastDay day={fleet.day} />
        <Panel title={words('enrolled')} about={{ meaning: words('enrolledMeaning'), from: 'getFleet' }}>
          <DayColumns days={fleet.enrolled} />
        </Panel>
      </SimpleGrid>
      <SimpleGrid cols={{ base: 1, md: 3 }} spacing="md">
        {(['platforms', 'sdkVersions', 'networks'] as const).map((which) => (
          <Panel
            key={which}
            title={words(which)}
            about={{ meaning: words(`${which}Meaning`), from: 'getFleet' }}
          >
            <Bars
              bars={fleet[which].map(({ name, devices }, index) => ({
                key: name,
                name: which === 'networks' ? networkName(name) : name,
                value: devices,
                colour: lineColour(index),
              }))}
            />
          </Panel>
        ))}
      </SimpleGrid>
    </Stack>
  );
}

function Attention({ alerts }: Pick<FleetFigures, 'alerts'>) {
  const words = useTranslations('fleet');
  const states = useTranslations('states');
  return (
    <Panel title={words('attention')} about={{ meaning: words('attentionMeaning'), from: 'getFleet' }}>
      {alerts.length === 0 ? (
        <Group gap="xs">
          <IconCircleCheck size={20} color="var(--mantine-color-teal-6)" aria-hidden />
          <Text>{words('allWell')}</Text>
        </Group>
      ) : (
        <Stack gap="xs">
          {alerts.map(({ kind, taskId, task, message, at }) => (
            <Alert
              key={`${kind}${taskId}${at}`}
              color="orange"
              icon={<IconAlertTriangle />}
              title={
                <Anchor component={Link} to={`/tasks/${taskId}`} fw={600}>
                  {task}
                </Anchor>
              }
            >
              {words(`alert.${kind}`, { message: abandonReason(message, states) })}{' '}
              <Text span c="dimmed" size="sm">
                <Ago at={at} />
              </Text>
            </Alert>
          ))}
        </Stack>
      )}
    </Panel>
  );
}

function AtWork({ work }: Pick<FleetFigures, 'work'>) {
  const words = useTranslations('fleet');
  const states = useTranslations('states.assignment');
  const order = ['offered', 'accepted', 'training', 'ready', 'grouped'] as const;
  const bars = order.flatMap((state) => {
    const value = work.assignments[state];
    return value === undefined ? [] : [{ key: state, name: states(state), value }];
  });
  return (
    <Panel title={words('now')}>
      <Figures
        from="getFleet"
        bare
        cols={3}
        figures={[
          { name: words('nowTasks'), value: work.tasks, meaning: words('nowMeaning') },
          { name: words('nowRounds'), value: work.rounds, meaning: words('nowMeaning') },
          { name: words('nowJobs'), value: work.jobs, meaning: words('nowMeaning') },
        ]}
      />
      <Bars
        title={{ name: words('assignments'), meaning: words('workingMeaning'), from: 'getFleet' }}
        bars={bars}
        empty={words('idle')}
      />
    </Panel>
  );
}

function LastDay({ day }: Pick<FleetFigures, 'day'>) {
  const words = useTranslations('fleet');
  const states = useTranslations('states');
  const { count, bytes } = useQuantities();
  return (
    <Panel title={words('lastDay')} about={{ meaning: words('roundsMeaning'), from: 'getFleet' }}>
      <Figures
        from="getFleet"
        bare
        cols={2}
        figures={[
          { name: words('published'), value: count(day.published), meaning: words('roundsMeaning') },
          { name: words('abandoned'), value: count(day.abandoned), meaning: words('roundsMeaning') },
          { name: words('counted'), value: count(day.counted), meaning: words('countedMeaning') },
          { name: words('bytesUp'), value: bytes(day.bytesUp), meaning: words('bytesMeaning') },
        ]}
      />
      <ReasonBars
        title={{ name: words('dropped'), meaning: words('droppedMeaning'), from: 'getFleet' }}
        counts={Object.entries(day.dropped)}
        nameOf={(reason) => dropReason(reason, states)}
        empty={words('noneDropped')}
      />
    </Panel>
  );
}
