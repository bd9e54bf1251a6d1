import { Anchor, Group, Progress, SimpleGrid, Skeleton, Stack, Text, Title } from '@mantine/core';
import type { Round, RoundId, Task } from '@starling/protocol';
import { Link } from '@tanstack/react-router';
import { useTranslations } from 'use-intl';
import { useList, useRead } from '../../api/calls.tsx';
import { useMay } from '../../app/session.tsx';
import { Bars } from '../../components/bars.tsx';
import { Figure } from '../../components/figure.tsx';
import { ItemList, type Column } from '../../components/item-list.tsx';
import { Nothing } from '../../components/nothing.tsx';
import { Panel } from '../../components/page.tsx';
import { useQuantities } from '../../components/quantities.ts';
import { abandonReason } from '../../components/reasons.ts';
import { StateBadge } from '../../components/state-badge.tsx';
import { Ago } from '../../components/time.tsx';
import { WaitingAlert } from '../rounds/waiting.tsx';
import { VersionLink } from './version-link.tsx';

/** How far a task is, what it has cost, what its round under way does, and its rounds so far. */
export function OverviewTab({ task }: { task: Task }) {
  return (
    <>
      <Figures task={task} />
      {task.state === 'draft' ? <Waiting /> : <Rounds task={task} />}
    </>
  );
}

function Waiting() {
  const words = useTranslations('task');
  const may = useMay();
  return (
    <Nothing title={words('waiting')}>
      {words('waitingHint')} {may('startTask') && words('waitingAct')}
    </Nothing>
  );
}

function Figures({ task }: { task: Task }) {
  const words = useTranslations('task.figure');
  const { bytes, count, duration } = useQuantities();
  const { data: cost } = useRead('getCost', { params: { id: task.id } });
  const dropped = cost?.updates.dropped ?? 0;
  return (
    <SimpleGrid cols={{ base: 2, md: 4 }} spacing="sm">
      <Figure
        name={words('rounds')}
        value={
          <>
            {count(task.roundsPublished)}{' '}
            <Text span size="sm" c="dimmed">
              {words('roundsOf', { all: task.plan.rounds })}
            </Text>
            <Progress
              size="sm"
              mt={6}
              value={(100 * task.roundsPublished) / task.plan.rounds}
              aria-label={words('rounds')}
            />
          </>
        }
        meaning={words('roundsMeaning')}
        from="getTask"
      />
      <Figure
        name={words('abandoned')}
        value={cost && count(cost.rounds.abandoned)}
        meaning={words('abandonedMeaning')}
        from="getCost"
      />
      <Figure
        name={words('updates')}
        value={cost && count(cost.updates.counted)}
        unit={dropped > 0 ? words('dropped', { count: dropped }) : undefined}
        meaning={words('updatesMeaning')}
        from="getCost"
      />
      <Figure
        name={words('work')}
        value={cost && duration(cost.deviceMs)}
        meaning={words('workMeaning')}
        from="getCost"
      />
      <Figure
        name={words('up')}
        value={cost && bytes(cost.bytesUp)}
        meaning={words('upMeaning')}
        from="getCost"
      />
      <Figure
        name={words('down')}
        value={cost && bytes(cost.bytesDown)}
        meaning={words('downMeaning')}
        from="getCost"
      />
      <Figure
        name={words('current')}
        value={<VersionLink id={task.currentVersion} />}
        meaning={words('currentMeaning')}
        from="getTask"
      />
      <Figure
        name={words('served')}
        value={<VersionLink id={task.servedVersion} />}
        meaning={words('servedMeaning')}
        from="getTask"
      />
    </SimpleGrid>
  );
}

const underWay = new Set(['selecting', 'training', 'aggregating']);

function Rounds({ task }: { task: Task }) {
  const words = useTranslations('task');
  const list = useList('listRounds', {
    params: { id: task.id },
    query: { limit: 20 },
  });
  const now = list.items?.filter(({ state }) => underWay.has(state)) ?? [];
  return (
    <>
      <Panel title={words('now')} about={{ meaning: words('nowMeaning'), from: 'getRound' }}>
        <div aria-live="polite">
          {list.items === undefined ? (
            <Skeleton h={60} />
          ) : now.length === 0 ? (
            <Text size="sm" c="dimmed">
              {words('noneNow')}
            </Text>
          ) : (
            <Stack gap="md">
              {now.map((round) => (
                <RoundNow
                  key={round.id}
                  round={round}
                  previous={list.items?.find(({ sequence }) => sequence === round.sequence - 1)?.id}
                />
              ))}
            </Stack>
          )}
        </div>
      </Panel>
      <Stack gap="xs" component="section">
        <Title order={2}>{words('recent')}</Title>
        <ItemList
          name={words('recent')}
          list={list}
          columns={useRoundColumns()}
          keyOf={({ id }) => id}
          empty={<Nothing title={words('noRounds')} />}
        />
      </Stack>
    </>
  );
}

function RoundLink({ id, kind, number }: Pick<Round, 'kind' | 'number'> & { id: RoundId }) {
  const words = useTranslations('task.round');
  return (
    <Anchor component={Link} to={`/rounds/${id}`} fw={600} inherit style={{ whiteSpace: 'nowrap' }}>
      {words(kind, { number })}
    </Anchor>
  );
}

function RoundNow({ round, previous }: { round: Round; previous: RoundId | undefined }) {
  const words = useTranslations('task');
  const states = useTranslations('states.assignment');
  const { data } = useRead('getRound', { params: { id: round.id } });
  const bars = Object.entries(data?.funnel.states ?? {}).map(([state, value]) => ({
    key: state,
    name: states(state as 'offered'), // the keys of the funnel are the states of an assignment
    value,
    ...(state === 'dropped' && { colour: 'var(--mantine-color-orange-6)' }),
  }));
  return (
    <Stack gap="xs">
      <Group gap="sm">
        <RoundLink {...round} />
        <StateBadge of="round" state={data?.state ?? round.state} />
        <Text size="sm" c="dimmed">
          {words('goal', { goal: round.goal, minimum: round.minimum })} · {words('open')}{' '}
          <Ago at={round.openedAt} />
        </Text>
      </Group>
      <WaitingAlert round={data ?? round} previous={previous} />
      {bars.length > 0 && (
        <SimpleGrid cols={{ base: 1, md: 2 }}>
          <Bars bars={bars} most={round.goal} />
        </SimpleGrid>
      )}
    </Stack>
  );
}

function useRoundColumns(): Column<Round>[] {
  const words = useTranslations('task.column');
  const states = useTranslations('states');
  const { bytes, count, percent } = useQuantities();
  return [
    { head: words('round'), cell: (round) => <RoundLink {...round} /> },
    {
      head: words('state'),
      cell: ({ state, reason }) => (
        <Stack gap={2} align="flex-start">
          <StateBadge of="round" state={state} />
          {reason !== null && (
            <Text size="xs" c="dimmed">
              {abandonReason(reason, states)}
            </Text>
          )}
        </Stack>
      ),
    },
    {
      head: words('devices'),
      about: { meaning: words('devicesMeaning'), from: 'listRounds' },
      right: true,
      wide: true,
      cell: ({ metrics }) => (metrics ? count(metrics.devices) : ''),
    },
    {
      head: words('accuracy'),
      about: { meaning: words('accuracyMeaning'), from: 'listRounds' },
      right: true,
      wide: true,
      cell: ({ metrics }) =>
        metrics && 'accuracyBefore' in metrics
          ? `${percent(metrics.accuracyBefore)} → ${percent(metrics.accuracyAfter)}`
          : '',
    },
    {
      head: words('received'),
      about: { meaning: words('receivedMeaning'), from: 'listRounds' },
      right: true,
      wide: true,
      cell: ({ bytesUp }) => bytes(bytesUp),
    },
    {
      head: words('ended'),
      wide: true,
      cell: ({ endedAt }) => (endedAt === null ? '' : <Ago at={endedAt} />),
    },
  ];
}
