import { Alert } from '@mantine/core';
import type { Task } from '@starling/protocol';
import { useMemo } from 'react';
import { useTranslations } from 'use-intl';
import { Figures } from '../../components/figure.tsx';
import { useQuantities } from '../../components/quantities.ts';
import { LearningCharts } from '../tasks/learning/learning-charts.tsx';
import type { Simulated } from './simulated.ts';

/** What a simulated task would take, and what it would learn. */
export function SimulatedPanels({ task, simulated }: { task: Task; simulated: Simulated }) {
  const words = useTranslations('jobs.simulated');
  const { bytes, count, duration } = useQuantities();
  const { curves, virtualMs, deviceMs, bytesDown, bytesUp, counted, abandoned, devices } = simulated;
  const runs = useMemo(() => [{ id: task.id, task, curves }], [task, curves]);
  return (
    <>
      {!simulated.completed && <Alert color="orange">{words('stalled')}</Alert>}
      <Figures
        from="getJob"
        cols={{ base: 2, md: 3, xl: 6 }}
        figures={[
          { name: words('time'), value: duration(virtualMs), meaning: words('timeMeaning') },
          { name: words('work'), value: duration(deviceMs), meaning: words('workMeaning') },
          { name: words('down'), value: bytes(bytesDown), meaning: words('bytesMeaning') },
          { name: words('up'), value: bytes(bytesUp), meaning: words('bytesMeaning') },
          {
            name: words('counted'),
            value: count(counted),
            unit: words('of', { devices }),
            meaning: words('countedMeaning'),
          },
          { name: words('abandoned'), value: count(abandoned), meaning: words('abandonedMeaning') },
        ]}
      />
      <LearningCharts runs={runs} from="getJob" />
    </>
  );
}
