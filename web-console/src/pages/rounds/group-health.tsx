import { Skeleton, Stack, Text } from '@mantine/core';
import type { TaskId } from '@starling/protocol';
import type { GroupHealth } from '@starling/protocol/api';
import { useNavigate } from '@tanstack/react-router';
import { useMemo } from 'react';
import { useFormatter, useTranslations } from 'use-intl';
import { useRead } from '../../api/calls.tsx';
import { lineColour } from '../../components/chart/colours.ts';
import { LineChart } from '../../components/chart/line-chart.tsx';
import { Figures } from '../../components/figure.tsx';
import { Panel } from '../../components/page.tsx';
import { Problem } from '../../components/problem.tsx';
import { useQuantities } from '../../components/quantities.ts';
import { ReasonBars } from '../../components/reason-bars.tsx';
import { useAbortReason } from './aborted.ts';
import { healthOf } from './health.ts';

/** How the groups of a task did over its rounds: what they lost, and how many came to no sum. */
export function GroupHealthPanel({ taskId }: { taskId: TaskId }) {
  const words = useTranslations('rounds.health');
  const { data, error, refetch } = useRead('getGroupHealth', { params: { id: taskId } });
  if (error) return <Problem error={error} retry={() => void refetch()} />;
  return (
    <Panel
      title={words('title')}
      about={{ meaning: words('meaning'), from: 'getGroupHealth' }}
      aside={
        data &&
        data.rounds.length > 0 && (
          <Text size="sm" c="dimmed">
            {words('rounds', { count: data.rounds.length })}
          </Text>
        )
      }
    >
      {data === undefined ? (
        <Skeleton h={320} />
      ) : data.rounds.length === 0 ? (
        <Text size="sm" c="dimmed">
          {words('none')}
        </Text>
      ) : (
        <Health health={data} />
      )}
    </Panel>
  );
}

function Health({ health }: { health: GroupHealth }) {
  const words = useTranslations('rounds.health');
  const abortReason = useAbortReason();
  const format = useFormatter();
  const { count, duration, percent } = useQuantities();
  const navigate = useNavigate();
  const { groups, aborted, lostShare, abortedShare, smallest, needed, medianMs, abortedBy } = useMemo(
    () => healthOf(health),
    [health],
  );
  const series = useMemo(() => {
    const x = health.rounds.map(({ sequence }) => sequence);
    const shareOf = (part: number, whole: number) => (whole === 0 ? null : part / whole);
    return [
      {
        name: words('lost'),
        colour: lineColour(2),
        x,
        y: health.rounds.map(({ lost, devices }) => shareOf(lost, devices)),
        points: true,
      },
      {
        name: words('unused'),
        colour: lineColour(6),
        dashed: true,
        x,
        y: health.rounds.map(({ unused, devices }) => shareOf(unused, devices)),
        points: true,
      },
    ];
  }, [health, words]);
  return (
    <Stack gap="md">
      <Figures
        from="getGroupHealth"
        bare
        figures={[
          {
            name: words('aborted'),
            value: percent(abortedShare),
            unit: words('ofGroups', { aborted, groups }),
            meaning: words('abortedMeaning'),
          },
          { name: words('lost'), value: percent(lostShare), meaning: words('lostMeaning') },
          {
            name: words('smallest'),
            value: count(smallest),
            unit: words('needs', { needed, minimum: health.minimum ?? 0 }),
            meaning: words('smallestMeaning'),
          },
          {
            name: words('took'),
            value: medianMs === null ? null : duration(medianMs),
            meaning: words('tookMeaning'),
          },
        ]}
      />
      <LineChart
        name={words('title')}
        xName={words('round')}
        yName={words('share')}
        series={series}
        height={220}
        whole
        share
        formatX={(round) => format.number(round)}
        formatY={(share) => percent(share)}
        onPick={(sequence) => {
          const picked = health.rounds.find((round) => round.sequence === sequence);
          if (picked) void navigate({ to: '/rounds/$id', params: { id: picked.round } });
        }}
      />
      {abortedBy.length > 0 && (
        <ReasonBars
          title={{ name: words('why'), meaning: words('whyMeaning'), from: 'getGroupHealth' }}
          counts={abortedBy}
          nameOf={abortReason}
        />
      )}
    </Stack>
  );
}
