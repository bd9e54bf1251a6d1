import { Alert, Button, Skeleton, Stack, Text } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import type { ForecastRequest, TaskForecast, TaskValidation } from '@starling/protocol/api';
import { lazy, Suspense, useMemo, useState } from 'react';
import { useTranslations } from 'use-intl';
import { useRead } from '../../../api/calls.tsx';
import { lineColour } from '../../../components/chart/colours.ts';
import { ReasonBars } from '../../../components/reason-bars.tsx';
import { dropReason } from '../../../components/reasons.ts';
import { Figures } from '../../../components/figure.tsx';
import { Panel } from '../../../components/page.tsx';
import { Refused } from '../../../components/refused.tsx';
import { useQuantities } from '../../../components/quantities.ts';
import { AssumedFleet, Assumptions, type Assumed } from './assumptions.tsx';

const LineChart = lazy(() =>
  import('../../../components/chart/line-chart.tsx').then((m) => ({ default: m.LineChart })),
);

const hourMs = 3_600_000;
/** After a change of what is assumed, so long is waited before it is played again. */
const settleMs = 500;

/** What a task would take of virtual devices: its rounds played in virtual time, with what is assumed of the fleet. */
export function ForecastPanel({
  task,
  estimate,
  measuredMs,
}: {
  /** What fits: the model and the plan. */
  task: Pick<ForecastRequest, 'model' | 'ir' | 'plan'>;
  estimate: NonNullable<TaskValidation['estimate']>;
  /** Mean time of one device in one round of the task that is cloned. */
  measuredMs: number | undefined;
}) {
  const words = useTranslations('create');
  const shell = useTranslations('shell.problem');
  const [assumed, setAssumed] = useState<Assumed>({});
  const [settled] = useDebouncedValue(assumed, settleMs);
  const { data, error, isPlaceholderData, isFetching, refetch } = useRead(
    'forecastTask',
    { body: { ...task, ...settled } },
    { staleTime: Infinity }, // the same question has the same answer
  );
  const { goal } = task.plan.cohort;
  return (
    <Panel
      title={words('forecast')}
      about={{ meaning: words('forecastMeaning'), from: 'forecastTask' }}
      aside={
        <Text size="sm" c="dimmed" role="status">
          {isFetching ? words('playing') : ''}
        </Text>
      }
    >
      {estimate.devices < goal && (
        <Alert color="yellow">{words('tooFew', { goal, devices: estimate.devices })}</Alert>
      )}
      {error ? (
        <Alert color="yellow" title={words('noForecast')}>
          <Stack gap="xs" align="flex-start">
            <span>
              <Refused error={error} />
            </span>
            <Button variant="default" size="xs" onClick={() => void refetch()}>
              {shell('retry')}
            </Button>
          </Stack>
        </Alert>
      ) : data === undefined ? (
        <Skeleton h={420} aria-busy />
      ) : (
        <Stack gap="md" opacity={isPlaceholderData ? 0.5 : 1}>
          <Forecast forecast={data} estimate={estimate} measuredMs={measuredMs} />
        </Stack>
      )}
      <Text size="sm" c="dimmed">
        {words('learning')}
      </Text>
      <Assumptions assumed={assumed} used={data?.assumed} change={setAssumed} />
      {data && <AssumedFleet fleet={data.assumed.fleet} hybrid={task.plan.hybrid !== undefined} />}
    </Panel>
  );
}

function Forecast({
  forecast,
  estimate,
  measuredMs,
}: {
  forecast: TaskForecast;
  estimate: NonNullable<TaskValidation['estimate']>;
  measuredMs: number | undefined;
}) {
  const words = useTranslations('create');
  const states = useTranslations('states');
  const { bytes, count, duration } = useQuantities();
  const { rounds, roundMs, counted, asked, deviceMs, dropped } = forecast;
  const lost = Object.entries(dropped);
  return (
    <>
      {forecast.outcome === 'stalled' && (
        <Alert color="orange" title={words('stalled')}>
          {words('stalledHint')}
        </Alert>
      )}
      <Figures
        from="forecastTask"
        bare
        cols={2}
        figures={[
          {
            name: words('figure.time'),
            value: duration(forecast.virtualMs),
            meaning: words('figure.timeMeaning'),
          },
          {
            name: words('figure.round'),
            value: rounds.published === 0 ? null : duration(roundMs.median),
            unit:
              rounds.published === 0 ? undefined : words('figure.roundSlow', { time: duration(roundMs.p90) }),
            meaning: words('figure.roundMeaning'),
          },
          {
            name: words('figure.work'),
            value: duration(deviceMs),
            unit: words('figure.workComputing', { time: duration(forecast.computeMs) }),
            meaning: words('figure.workMeaning'),
          },
          {
            name: words('figure.each'),
            value: counted === 0 ? null : duration(deviceMs / counted),
            meaning: words('figure.eachMeaning'),
          },
          {
            name: words('figure.down'),
            value: bytes(forecast.bytesDown),
            meaning: words('figure.downMeaning'),
          },
          { name: words('figure.up'), value: bytes(forecast.bytesUp), meaning: words('figure.upMeaning') },
          {
            name: words('figure.counted'),
            value: count(counted),
            unit: words('figure.asked', { count: asked }),
            meaning: words('figure.countedMeaning'),
          },
          {
            name: words('figure.abandoned'),
            value: count(rounds.abandoned),
            unit:
              rounds.played < rounds.planned ? words('figure.played', { played: rounds.played }) : undefined,
            meaning: words('figure.abandonedMeaning'),
          },
        ]}
      />
      <Figures
        from="validateTask"
        bare
        cols={2}
        figures={[
          {
            name: words('figure.parameters'),
            value: count(estimate.parameters),
            meaning: words('figure.parametersMeaning'),
          },
          {
            name: words('figure.devices'),
            value: count(estimate.devices),
            unit: words('figure.online', { count: estimate.online }),
            meaning: words('figure.devicesMeaning'),
          },
        ]}
      />
      {measuredMs !== undefined && (
        <Figures
          from="getCost"
          bare
          cols={2}
          figures={[
            {
              name: words('figure.measured'),
              value: duration(measuredMs),
              meaning: words('figure.measuredMeaning'),
            },
          ]}
        />
      )}
      {rounds.played < rounds.planned && (
        <Text size="sm" c="dimmed">
          {words('partly', { played: rounds.played, planned: rounds.planned })}
        </Text>
      )}
      {forecast.course.length > 1 && <Course course={forecast.course} />}
      {lost.length > 0 && (
        <ReasonBars
          title={{ name: words('lost'), meaning: words('lostMeaning'), from: 'forecastTask' }}
          counts={lost}
          nameOf={(reason) => dropReason(reason, states)}
        />
      )}
    </>
  );
}

/** Rounds over virtual time: nights and days of the fleet show in its slope. */
function Course({ course }: Pick<TaskForecast, 'course'>) {
  const words = useTranslations('create');
  const { count } = useQuantities();
  const series = useMemo(
    () => [
      {
        name: words('course.published'),
        colour: lineColour(0),
        x: course.map(({ atMs }) => atMs / hourMs),
        y: course.map(({ published }) => published),
      },
    ],
    [course, words],
  );
  return (
    <Suspense fallback={<Skeleton h={220} aria-busy />}>
      <LineChart
        name={words('course.name')}
        xName={words('course.hours')}
        yName={words('course.published')}
        series={series}
        height={200}
        formatX={(hours) => count(Math.round(hours * 100) / 100)}
        formatY={count}
      />
    </Suspense>
  );
}
