import { Alert, Anchor, Box, Group, SimpleGrid, Skeleton, Stack, Text, VisuallyHidden } from '@mantine/core';
import type { RoundDetail, RoundId } from '@starling/protocol';
import { Link, useParams } from '@tanstack/react-router';
import { useTranslations } from 'use-intl';
import { useRead } from '../../api/calls.tsx';
import { Explained, Figures } from '../../components/figure.tsx';
import { Page, Panel } from '../../components/page.tsx';
import { PageLoading } from '../../components/page-loading.tsx';
import { Problem } from '../../components/problem.tsx';
import { useQuantities } from '../../components/quantities.ts';
import { abandonReason } from '../../components/reasons.ts';
import { RoundStrip } from '../../components/round-strip.tsx';
import { StateBadge } from '../../components/state-badge.tsx';
import { Ago } from '../../components/time.tsx';
import { FunnelPanel, SpansPanel } from './anatomy.tsx';
import { GroupHealthPanel } from './group-health.tsx';
import { GroupsPanel } from './groups.tsx';
import { Lanes } from './lane-chart.tsx';
import { Results } from './results.tsx';
import { RoundActions } from './round-actions.tsx';
import { Steps } from './steps.tsx';
import { WaitingAlert } from './waiting.tsx';

/** One round: as it happens, and what it was made of. */
export function RoundPage() {
  const { id } = useParams({ from: '/rounds/$id' });
  const input = { params: { id: id as RoundId } }; // an id that is none is refused by the server
  const words = useTranslations('rounds');
  const kinds = useTranslations('states.kind');
  const states = useTranslations('states.round');
  const round = useRead('getRound', input);
  const anatomy = useRead('getAnatomy', input);
  const arrivals = useRead('getArrivals', input);
  const task = useRead(
    'getTask',
    { params: { id: round.data?.taskId as NonNullable<typeof round.data>['taskId'] } }, // asked only when it is known
    { enabled: round.data !== undefined },
  );
  const error = round.error ?? anatomy.error ?? arrivals.error;
  if (error) return <Problem error={error} />;
  if (!round.data) return <PageLoading lead />;
  const { sequence, kind, state, taskId } = round.data;
  // what was read of the round before stands, faded, until this one's comes; it leads nowhere
  const beside = anatomy.data?.round.id === round.data.id ? anatomy.data : undefined;
  const isOld = beside === undefined || arrivals.isPlaceholderData;
  return (
    <Page
      title={words('title', { sequence })}
      badge={<StateBadge of="round" state={state} />}
      lead={
        <>
          {kind === 'training' && task.data ? (
            <Explained meaning={words('ofPlanMeaning')} from="getRound">
              {words('ofPlan', { number: round.data.number, rounds: task.data.plan.rounds })}
            </Explained>
          ) : (
            kinds(kind)
          )}
          {' · '}
          {words('openedAt')} <Ago at={round.data.openedAt} />
        </>
      }
      trail={[
        <Anchor key="task" component={Link} to={`/tasks/${taskId}`} inherit>
          {task.data?.name ?? words('task')}
        </Anchor>,
        <Anchor key="rounds" component={Link} to={`/tasks/${taskId}/rounds`} inherit>
          {words('rounds')}
        </Anchor>,
      ]}
      actions={
        <>
          <Steps round={round.data} previous={beside?.previous} next={beside?.next} />
          {!round.isPlaceholderData && <RoundActions round={round.data} />}
        </>
      }
    >
      <VisuallyHidden aria-live="polite">{states(state)}</VisuallyHidden>
      <RoundStrip taskId={taskId} here={round.data.id} />
      <WhyAbandoned round={round.data} />
      <WaitingAlert round={round.data} previous={beside?.previous ?? undefined} />
      <RoundFigures round={round.data} />
      <Panel
        title={words('lanes.title')}
        about={{ meaning: words('lanes.meaning.all'), from: 'getArrivals' }}
      >
        {anatomy.data && arrivals.data ? (
          <Box opacity={isOld ? 0.5 : 1}>
            <Lanes
              round={round.data}
              anatomy={anatomy.data}
              arrivals={arrivals.data}
              heardAt={arrivals.dataUpdatedAt}
            />
          </Box>
        ) : (
          <Skeleton h={360} />
        )}
      </Panel>
      <Results round={round.data} />
      {anatomy.data && (
        <SimpleGrid cols={{ base: 1, lg: 2 }} spacing="md">
          <FunnelPanel anatomy={anatomy.data} />
          <Stack gap="md" miw={0}>
            <SpansPanel anatomy={anatomy.data} />
            <Versions round={round.data} />
          </Stack>
        </SimpleGrid>
      )}
      {task.data?.plan.secure && (
        <>
          <GroupsPanel groups={round.data.groups} secure={task.data.plan.secure} />
          <GroupHealthPanel taskId={taskId} />
        </>
      )}
    </Page>
  );
}

function WhyAbandoned({ round: { state, reason } }: { round: RoundDetail }) {
  const words = useTranslations('rounds');
  const states = useTranslations('states');
  if (state !== 'abandoned') return null;
  return (
    <Alert color="orange" title={words('abandoned')}>
      {reason !== null && `${abandonReason(reason, states)}. `}
      {words('nothingPublished')}
    </Alert>
  );
}

function RoundFigures({ round }: { round: RoundDetail }) {
  const words = useTranslations('rounds.figures');
  const { count, bytes, duration } = useQuantities();
  const { goal, minimum, bytesUp, metrics, funnel, openedAt, endedAt } = round;
  const counted = metrics?.devices ?? funnel.states['uploaded'] ?? 0;
  const lost = Object.values(funnel.dropped).reduce((sum, devices) => sum + devices, 0);
  return (
    <Figures
      from="getRound"
      figures={[
        {
          name: words('counted'),
          value: count(counted),
          unit: words('wanted', { goal, minimum }),
          meaning: words('countedMeaning'),
        },
        { name: words('lost'), value: count(lost), meaning: words('lostMeaning') },
        { name: words('bytes'), value: bytes(bytesUp), meaning: words('bytesMeaning') },
        {
          name: words('duration'),
          value:
            endedAt === null ? (
              <Text span inherit c="dimmed">
                {words('running')}
              </Text>
            ) : (
              duration(Date.parse(endedAt) - Date.parse(openedAt))
            ),
          meaning: words('durationMeaning'),
        },
      ]}
    />
  );
}

function Versions({ round: { baseVersion, publishedVersion } }: { round: RoundDetail }) {
  const words = useTranslations('rounds.versions');
  return (
    <Panel title={words('title')}>
      <Group gap="xl">
        <div>
          <Text size="sm" c="dimmed">
            {words('base')}
          </Text>
          <Anchor component={Link} to={`/versions/${baseVersion}`}>
            {words('open')}
          </Anchor>
        </div>
        <div>
          <Text size="sm" c="dimmed">
            {words('published')}
          </Text>
          {publishedVersion === null ? (
            <Text>{words('none')}</Text>
          ) : (
            <Anchor component={Link} to={`/versions/${publishedVersion}`}>
              {words('openNew')}
            </Anchor>
          )}
        </div>
      </Group>
    </Panel>
  );
}
