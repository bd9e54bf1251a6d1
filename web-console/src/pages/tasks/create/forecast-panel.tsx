import { Alert, NumberInput, SimpleGrid } from '@mantine/core';
import type { TaskValidation } from '@starling/protocol/api';
import { useState, type ReactNode } from 'react';
import { useTranslations } from 'use-intl';
import { Explained, Figure } from '../../../components/figure.tsx';
import { Panel } from '../../../components/page.tsx';
import { valueAt, type JsonObject } from '../../../components/plan/document.ts';
import { useQuantities } from '../../../components/quantities.ts';
import { forecastOf } from './forecast.ts';

/** What is taken for the work of a device in a round where nobody measured it. */
const assumedSeconds = 10;

/** What a task would take, with the one assumption that goes into it. */
export function ForecastPanel({
  plan,
  estimate,
  measuredMs,
}: {
  plan: JsonObject;
  estimate: NonNullable<TaskValidation['estimate']>;
  /** Mean time of one device in one round of the task that is cloned. */
  measuredMs: number | undefined;
}) {
  const words = useTranslations('create');
  const { bytes, count, duration } = useQuantities();
  const [seconds, setSeconds] = useState(measuredMs === undefined ? assumedSeconds : measuredMs / 1000);
  const forecast = forecastOf(plan, estimate, seconds * 1000);
  const goal = valueAt(plan, 'cohort.goal');
  const figures: [Parameters<typeof Figure>[0]['name'], ReactNode, string, ReactNode?][] = [
    [
      words('figure.time'),
      words('figure.timeRange', { least: duration(forecast.leastMs), most: duration(forecast.mostMs) }),
      words('figure.timeMeaning'),
    ],
    [words('figure.work'), duration(forecast.deviceMs), words('figure.workMeaning')],
    [words('figure.down'), bytes(forecast.bytesDown), words('figure.downMeaning')],
    [words('figure.up'), bytes(forecast.bytesUp), words('figure.upMeaning')],
    [words('figure.participations'), count(forecast.participations), words('figure.participationsMeaning')],
    [words('figure.parameters'), count(estimate.parameters), words('figure.parametersMeaning')],
    [
      words('figure.devices'),
      count(estimate.devices),
      words('figure.devicesMeaning'),
      words('figure.online', { count: estimate.online }),
    ],
  ];
  return (
    <Panel
      title={
        <Explained meaning={words('forecastMeaning')} from="validateTask">
          {words('forecast')}
        </Explained>
      }
    >
      {typeof goal === 'number' && estimate.devices < goal && (
        <Alert color="yellow">{words('tooFew', { goal, devices: estimate.devices })}</Alert>
      )}
      <SimpleGrid cols={2} spacing="xs">
        {figures.map(([name, value, meaning, unit]) => (
          <Figure key={name} name={name} value={value} unit={unit} meaning={meaning} from="validateTask" />
        ))}
        <NumberInput
          label={words('perDevice')}
          description={words(measuredMs === undefined ? 'perDeviceHint' : 'perDeviceMeasured')}
          min={0.1}
          decimalScale={2}
          value={seconds}
          onChange={(value) => {
            setSeconds(Number(value));
          }}
        />
      </SimpleGrid>
    </Panel>
  );
}
