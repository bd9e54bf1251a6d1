import { Table } from '@mantine/core';
import type { Operation, TaskCost } from '@starling/protocol/api';
import type { ReactNode } from 'react';
import { useTranslations } from 'use-intl';
import { useRead } from '../../../api/calls.tsx';
import { Explained } from '../../../components/figure.tsx';
import { Panel } from '../../../components/page.tsx';
import { useQuantities } from '../../../components/quantities.ts';
import { ScrollTable } from '../../../components/scroll-table.tsx';
import { StateBadge } from '../../../components/state-badge.tsx';
import { judgedOf } from '../learning/curves.ts';
import type { Run } from '../learning/use-runs.ts';
import { TaskHeads } from './task-heads.tsx';

/** What tasks came to and what they cost, beside each other. */
export function CostFigures({ runs }: { runs: readonly Run[] }) {
  const words = useTranslations('task');
  const { bytes, count, duration, percent } = useQuantities();
  const share = (value: number | undefined) => (value === undefined ? '–' : percent(value));
  const cost = (read: (cost: TaskCost) => string) => (run: Run) => <Cost run={run} read={read} />;
  const rows: [string, string, Operation, (run: Run) => ReactNode][] = [
    [
      words('figure.rounds'),
      words('figure.roundsMeaning'),
      'getTask',
      ({ task }) => `${count(task.roundsPublished)} ${words('figure.roundsOf', { all: task.plan.rounds })}`,
    ],
    [words('compare.last'), words('compare.lastMeaning'), 'getCurves', (run) => share(lastTraining(run))],
    [words('compare.judged'), words('compare.judgedMeaning'), 'getCurves', (run) => share(lastJudged(run))],
    [
      words('figure.updates'),
      words('figure.updatesMeaning'),
      'getCost',
      cost(({ updates }) => count(updates.counted)),
    ],
    [
      words('figure.work'),
      words('figure.workMeaning'),
      'getCost',
      cost(({ deviceMs }) => duration(deviceMs)),
    ],
    [words('figure.up'), words('figure.upMeaning'), 'getCost', cost(({ bytesUp }) => bytes(bytesUp))],
    [words('figure.down'), words('figure.downMeaning'), 'getCost', cost(({ bytesDown }) => bytes(bytesDown))],
  ];
  return (
    <Panel title={words('compare.figures')}>
      <ScrollTable name={words('compare.figures')} verticalSpacing={6} miw={420}>
        <TaskHeads runs={runs} right />
        <Table.Tbody>
          <Table.Tr>
            <Table.Th scope="row" fw={400}>
              {words('compare.state')}
            </Table.Th>
            {runs.map(({ task }) => (
              <Table.Td key={task.id} ta="right">
                <StateBadge of="task" state={task.state} />
              </Table.Td>
            ))}
          </Table.Tr>
          {rows.map(([name, meaning, from, read]) => (
            <Table.Tr key={name}>
              <Table.Th scope="row" fw={400}>
                <Explained meaning={meaning} from={from}>
                  {name}
                </Explained>
              </Table.Th>
              {runs.map((run) => (
                <Table.Td key={run.id} ta="right">
                  {read(run)}
                </Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </ScrollTable>
    </Panel>
  );
}

function Cost({ run, read }: { run: Run; read: (cost: TaskCost) => string }) {
  const { data } = useRead('getCost', { params: { id: run.id } });
  return data ? read(data) : '…';
}

function lastTraining({ curves }: Run): number | undefined {
  return curves.points.findLast(({ training }) => training !== null)?.training?.accuracyAfter;
}

function lastJudged({ curves }: Run): number | undefined {
  const last = curves.points.findLast(({ evaluation }) => evaluation !== null);
  const [most] = last ? judgedOf({ startedAt: null, points: [last] }) : [];
  return last?.evaluation?.find(
    ({ steps, supportShare }) => steps === most?.steps && supportShare === most.supportShare,
  )?.accuracy;
}
