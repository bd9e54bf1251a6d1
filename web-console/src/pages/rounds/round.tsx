import { ActionIcon, Alert, Anchor, Group, SimpleGrid, Skeleton, Stack, Text, Tooltip } from '@mantine/core';
import { useHotkeys } from '@mantine/hooks';
import { abandonReasons, type AbandonReason, type RoundDetail, type RoundId } from '@starling/protocol';
import { IconChevronLeft, IconChevronRight } from '@tabler/icons-react';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { useTranslations } from 'use-intl';
import { useRead } from '../../api/calls.tsx';
import { Explained, Figure } from '../../components/figure.tsx';
import { Page, Panel } from '../../components/page.tsx';
import { Problem } from '../../components/problem.tsx';
import { useQuantities } from '../../components/quantities.ts';
import { StateBadge } from '../../components/state-badge.tsx';
import { Ago } from '../../components/time.tsx';
import { FunnelPanel, SpansPanel } from './anatomy.tsx';
import { GroupsPanel } from './groups.tsx';
import { Lanes } from './lane-chart.tsx';
import { Results } from './results.tsx';
import { RoundActions } from './round-actions.tsx';

/** How often arrivals are read while a round runs: devices that arrive are no event of their own. */
const watchMs = 1000;

/** One round: as it happens, and what it was made of. */
export function RoundPage() {
  const { id } = useParams({ from: '/rounds/$id' });
  const input = { params: { id: id as RoundId } }; // an id that is none is refused by the server
  const words = useTranslations('rounds');
  const kinds = useTranslations('states.kind');
  const round = useRead('getRound', input);
  const runs = round.data?.endedAt === null;
  const watched = runs ? { refetchInterval: watchMs } : {};
  const anatomy = useRead('getAnatomy', input, watched);
  const arrivals = useRead('getArrivals', input, watched);
  const task = useRead(
    'getTask',
    { params: { id: round.data?.taskId as NonNullable<typeof round.data>['taskId'] } }, // asked only when it is known
    { enabled: round.data !== undefined },
  );
  const error = round.error ?? anatomy.error ?? arrivals.error;
  if (error) return <Problem error={error} retry={() => void round.refetch()} />;
  if (!round.data) return <Skeleton h={480} />;
  const { sequence, kind, state, taskId } = round.data;
  return (
    <Page
      title={words('title', { sequence })}
      badge={<StateBadge of="round" state={state} />}
      lead={
        <>
          {kind === 'training' && task.data
            ? words('ofPlan', { number: round.data.number, rounds: task.data.plan.rounds })
            : kinds(kind)}
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
          <Beside previous={anatomy.data?.previous ?? null} next={anatomy.data?.next ?? null} />
          {!round.isPlaceholderData && <RoundActions round={round.data} />}
        </>
      }
    >
      <WhyAbandoned round={round.data} />
      <RoundFigures round={round.data} />
      <Panel
        title={
          <Explained meaning={words('lanes.meaning.all')} from="getArrivals">
            {words('lanes.title')}
          </Explained>
        }
      >
        {anatomy.data && arrivals.data ? (
          <Lanes
            round={round.data}
            anatomy={anatomy.data}
            arrivals={arrivals.data}
            heardAt={arrivals.dataUpdatedAt}
          />
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
      {task.data?.plan.secure && <GroupsPanel groups={round.data.groups} secure={task.data.plan.secure} />}
    </Page>
  );
}

/** Steps to the rounds of the task before and after, also with the arrow keys. */
function Beside({ previous, next }: { previous: RoundId | null; next: RoundId | null }) {
  const words = useTranslations('rounds');
  const navigate = useNavigate();
  const go = (id: RoundId | null) => {
    if (id !== null) void navigate({ to: '/rounds/$id', params: { id } });
  };
  useHotkeys([
    ['ArrowLeft', () => go(previous)],
    ['ArrowRight', () => go(next)],
  ]);
  return (
    <Group gap={4} wrap="nowrap">
      {(
        [
          ['previous', previous, IconChevronLeft],
          ['next', next, IconChevronRight],
        ] as const
      ).map(([name, id, Icon]) => (
        <Tooltip key={name} label={words(`${name}Hint`)}>
          <ActionIcon
            variant="default"
            size={36}
            aria-label={words(name)}
            disabled={id === null}
            onClick={() => {
              go(id);
            }}
          >
            <Icon size={18} />
          </ActionIcon>
        </Tooltip>
      ))}
    </Group>
  );
}

function WhyAbandoned({ round: { state, reason } }: { round: RoundDetail }) {
  const words = useTranslations('rounds');
  const reasons = useTranslations('states.abandoned');
  if (state !== 'abandoned') return null;
  const known = (text: string): text is AbandonReason => abandonReasons.some((each) => each === text);
  return (
    <Alert color="orange" title={words('abandoned')}>
      {reason !== null && known(reason) ? `${reasons(reason)}. ` : (reason ?? '')}
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
    <SimpleGrid cols={{ base: 2, md: 4 }} spacing="sm">
      <Figure
        name={words('counted')}
        value={count(counted)}
        unit={words('wanted', { goal, minimum })}
        meaning={words('countedMeaning')}
        from="getRound"
      />
      <Figure name={words('lost')} value={count(lost)} meaning={words('lostMeaning')} from="getRound" />
      <Figure name={words('bytes')} value={bytes(bytesUp)} meaning={words('bytesMeaning')} from="getRound" />
      <Figure
        name={words('duration')}
        value={
          endedAt === null ? (
            <Text span inherit c="dimmed">
              {words('running')}
            </Text>
          ) : (
            duration(Date.parse(endedAt) - Date.parse(openedAt))
          )
        }
        meaning={words('durationMeaning')}
        from="getRound"
      />
    </SimpleGrid>
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
