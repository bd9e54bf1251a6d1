import { Button, Group, Input, SegmentedControl, Select, Slider, Stack, Switch, Text } from '@mantine/core';
import type { Operation } from '@starling/protocol/api';
import { useMemo, useState, type ReactNode } from 'react';
import { useTranslations } from 'use-intl';
import { LineChart } from '../../../components/chart/line-chart.tsx';
import type { Series } from '../../../components/chart/series.ts';
import { Panel } from '../../../components/page.tsx';
import { useQuantities } from '../../../components/quantities.ts';
import { axes, judgedOf, measures, type Judged } from './curves.ts';
import { evaluationLines, trainingLines, type LineNames, type View } from './lines.ts';
import { SpreadPanel } from './spread-panel.tsx';
import type { Run } from './use-runs.ts';

interface Shown extends View {
  readonly log: boolean;
}

/** The learning curves of tasks over each other, and the spread of the first over devices. */
export function LearningCharts({
  runs,
  from = 'getCurves',
  aside,
  evaluate,
}: {
  runs: readonly Run[];
  /** The call that the curves come from. */
  from?: Operation;
  aside?: ReactNode;
  /** Asks devices to judge, where one may. */
  evaluate?: () => void;
}) {
  const words = useTranslations('task.learning');
  const [shown, setShown] = useState<Shown>({ axis: 'round', measure: 'accuracy', smoothing: 0, log: false });
  const { percent } = useQuantities();
  const names = useLineNames();
  const [chosen, choose] = useState<string | null>(null);
  const options = useMemo(
    () => judgedOf({ startedAt: null, points: runs.flatMap(({ curves }) => curves.points) }),
    [runs],
  );
  const judged = options.find((each) => keyOfJudged(each) === chosen) ?? options[0];
  const training = useMemo(() => trainingLines(runs, shown, names('Training')), [runs, shown, names]);
  const evaluation = useMemo(
    () => (judged ? evaluationLines(runs, shown, judged, names('')) : []),
    [runs, shown, judged, names],
  );
  const first = runs[0];
  return (
    <Stack gap="md">
      <Controls shown={shown} change={setShown} aside={aside} />
      <Chart
        title={words('training')}
        meaning={words('trainingMeaning')}
        from={from}
        shown={shown}
        series={training}
        empty={words('noTraining')}
      />
      <Chart
        title={words('evaluation')}
        meaning={words('evaluationMeaning')}
        from={from}
        shown={shown}
        series={evaluation}
        empty={words('noEvaluation')}
        {...(evaluate && { hint: words('noEvaluationHint'), act: evaluate })}
        aside={
          options.length > 1 &&
          judged && (
            <Select
              size="xs"
              aria-label={words('judged')}
              allowDeselect={false}
              value={keyOfJudged(judged)}
              onChange={choose}
              data={options.map((each) => ({
                value: keyOfJudged(each),
                label: words('judgedAs', { steps: each.steps, share: percent(each.supportShare) }),
              }))}
            />
          )
        }
      />
      {first && judged && <SpreadPanel curves={first.curves} judged={judged} from={from} />}
    </Stack>
  );
}

function keyOfJudged({ steps, supportShare }: Judged): string {
  return `${supportShare} ${steps}`;
}

function useLineNames(): (of: 'Training' | '') => LineNames {
  const words = useTranslations('task.learning');
  return useMemo(
    () => (of) => ({
      before: words(`before${of}`),
      after: words(`after${of}`),
      low: words('low'),
      high: words('high'),
      worst: words('worst'),
      of: (task, line) => words('of', { task, line }),
    }),
    [words],
  );
}

function Controls({
  shown,
  change,
  aside,
}: {
  shown: Shown;
  change: (shown: Shown) => void;
  aside: ReactNode;
}) {
  const words = useTranslations('task.learning');
  return (
    <Group className="surface" p="md" gap="lg" align="flex-end">
      {aside}
      <Input.Wrapper labelElement="div" label={words('x')}>
        <SegmentedControl
          display="flex"
          aria-label={words('x')}
          value={shown.axis}
          onChange={(axis) => {
            change({ ...shown, axis });
          }}
          data={axes.map((value) => ({ value, label: words(`axis.${value}`) }))}
        />
      </Input.Wrapper>
      <Input.Wrapper labelElement="div" label={words('y')}>
        <SegmentedControl
          display="flex"
          aria-label={words('y')}
          value={shown.measure}
          onChange={(measure) => {
            change({ ...shown, measure });
          }}
          data={measures.map((value) => ({ value, label: words(`measure.${value}`) }))}
        />
      </Input.Wrapper>
      <Input.Wrapper labelElement="div" label={words('smoothing')} w={160}>
        <Slider
          my={10}
          thumbLabel={words('smoothing')}
          min={0}
          max={0.95}
          step={0.05}
          value={shown.smoothing}
          label={(value) => value.toFixed(2)}
          onChange={(smoothing) => {
            change({ ...shown, smoothing });
          }}
        />
      </Input.Wrapper>
      <Switch
        label={words('log')}
        mb={8}
        checked={shown.log}
        onChange={({ currentTarget: { checked } }) => {
          change({ ...shown, log: checked });
        }}
      />
    </Group>
  );
}

function Chart({
  title,
  meaning,
  from,
  shown: { axis, measure, log },
  series,
  empty,
  hint,
  act,
  aside,
}: {
  title: string;
  meaning: string;
  from: Operation;
  shown: Shown;
  series: readonly Series[];
  empty: string;
  hint?: string;
  act?: () => void;
  aside?: ReactNode;
}) {
  const words = useTranslations('task');
  const { bytes, count, percent } = useQuantities();
  const chart = useMemo(
    () => (
      <LineChart
        name={title}
        xName={words(`learning.axisName.${axis}`)}
        yName={words(`learning.measure.${measure}`)}
        series={series}
        log={log}
        height={300}
        formatX={axis === 'bytes' ? bytes : (x) => count(Math.round(x * 100) / 100)}
        whole={axis === 'round'}
        {...(measure === 'accuracy' && { formatY: percent, share: true })}
      />
    ),
    // the formats follow the words: both change with the language alone
    [title, words, axis, measure, series, log],
  );
  return (
    <Panel title={title} about={{ meaning: meaning, from }} aside={aside}>
      {series.length > 0 ? (
        chart
      ) : (
        <Stack align="center" gap="xs" py="xl" ta="center">
          <Text c="dimmed">{empty}</Text>
          {hint !== undefined && (
            <Text size="sm" c="dimmed">
              {hint}
            </Text>
          )}
          {act && (
            <Button variant="default" size="xs" onClick={act}>
              {words('act.evaluate')}
            </Button>
          )}
        </Stack>
      )}
    </Panel>
  );
}
