import { Table } from '@mantine/core';
import type { EvaluationMetrics, Round, StatisticsMetrics, TrainingMetrics } from '@starling/protocol';
import { useFormatter, useTranslations } from 'use-intl';
import { Figures } from '../../components/figure.tsx';
import { Heads } from '../../components/heads.tsx';
import { Panel } from '../../components/page.tsx';
import { useQuantities } from '../../components/quantities.ts';
import { ScrollTable } from '../../components/scroll-table.tsx';

/** What a round found out: as its kind has it. */
export function Results({ round: { kind, metrics } }: { round: Round }) {
  if (metrics === null) return null;
  // which of them it is, the kind says: the server writes them so
  switch (kind) {
    case 'training':
      return <Training metrics={metrics as TrainingMetrics} />;
    case 'evaluation':
      return <Evaluation metrics={metrics as EvaluationMetrics} />;
    case 'statistics':
      return <Statistics metrics={metrics as StatisticsMetrics} />;
  }
}

function Training({ metrics }: { metrics: TrainingMetrics }) {
  const words = useTranslations('rounds.results');
  const { count, percent } = useQuantities();
  const format = useFormatter();
  const number = (value: number) => format.number(value, { maximumSignificantDigits: 4 });
  const { accuracyBefore, accuracyAfter, lossBefore, lossAfter, updateNorm, weight } = metrics;
  return (
    <Figures
      from="getRound"
      figures={[
        {
          name: words('accuracy'),
          value: percent(accuracyAfter),
          unit: words('from', { value: percent(accuracyBefore) }),
          meaning: words('accuracyMeaning'),
        },
        {
          name: words('loss'),
          value: number(lossAfter),
          unit: words('from', { value: number(lossBefore) }),
          meaning: words('lossMeaning'),
        },
        { name: words('norm'), value: number(updateNorm), meaning: words('normMeaning') },
        { name: words('weight'), value: count(weight), meaning: words('weightMeaning') },
      ]}
    />
  );
}

function Statistics({ metrics }: { metrics: StatisticsMetrics }) {
  const words = useTranslations('rounds.results');
  const { count } = useQuantities();
  return (
    <Figures
      from="getRound"
      figures={[{ name: words('rows'), value: count(metrics.rows), meaning: words('rowsMeaning') }]}
    />
  );
}

function Evaluation({ metrics }: { metrics: EvaluationMetrics }) {
  const words = useTranslations('rounds.results');
  const { percent } = useQuantities();
  const format = useFormatter();
  return (
    <Panel
      title={words('evaluation', { devices: metrics.devices })}
      about={{ meaning: words('evaluationMeaning'), from: 'getRound' }}
    >
      <ScrollTable name={words('evaluation', { devices: metrics.devices })} verticalSpacing={6}>
        <Heads
          heads={(['steps', 'support', 'accuracy', 'worst', 'median', 'loss'] as const).map((name) => ({
            head: words(name),
            about: { meaning: words(`judged.${name}`), from: 'getRound' },
            right: name !== 'steps',
          }))}
        />
        <Table.Tbody>
          {metrics.results.map(({ supportShare, steps, accuracy, loss, worstDecile, deciles }) => (
            <Table.Tr key={`${supportShare}/${steps}`}>
              <Table.Th scope="row" fw={400}>
                {steps === 0 ? words('before') : words('after', { steps })}
              </Table.Th>
              <Table.Td ta="right">{percent(supportShare)}</Table.Td>
              <Table.Td ta="right" fw={600}>
                {percent(accuracy)}
              </Table.Td>
              <Table.Td ta="right">{percent(worstDecile)}</Table.Td>
              <Table.Td ta="right">{percent(deciles[4] ?? accuracy)}</Table.Td>
              <Table.Td ta="right">{format.number(loss, { maximumSignificantDigits: 4 })}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </ScrollTable>
    </Panel>
  );
}
