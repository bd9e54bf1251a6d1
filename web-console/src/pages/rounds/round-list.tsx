import { Anchor, Text } from '@mantine/core';
import type { Round, TaskId, TrainingMetrics } from '@starling/protocol';
import { Link, useParams } from '@tanstack/react-router';
import { useTranslations } from 'use-intl';
import { useList, useRead } from '../../api/calls.tsx';
import { ItemList, type Column } from '../../components/item-list.tsx';
import { Nothing } from '../../components/nothing.tsx';
import { Page, Panel } from '../../components/page.tsx';
import { useQuantities } from '../../components/quantities.ts';
import { RoundStrip } from '../../components/round-strip.tsx';
import { StateBadge } from '../../components/state-badge.tsx';
import { Ago } from '../../components/time.tsx';

/** The rounds of a task, newest first. */
export function RoundList() {
  const { id } = useParams({ from: '/tasks/$id/rounds' });
  const input = { params: { id: id as TaskId } }; // an id that is none is refused by the server
  const words = useTranslations('rounds');
  const kinds = useTranslations('states.kind');
  const { bytes, count, duration, percent } = useQuantities();
  const task = useRead('getTask', input);
  const list = useList('listRounds', input);
  const columns: Column<Round>[] = [
    {
      head: words('column.round'),
      cell: (round) => (
        <Anchor component={Link} to={`/rounds/${round.id}`} fw={600} inherit>
          {words('title', { sequence: round.sequence })}
        </Anchor>
      ),
    },
    { head: words('column.kind'), wide: true, cell: ({ kind }) => kinds(kind) },
    { head: words('column.state'), cell: ({ state }) => <StateBadge of="round" state={state} /> },
    {
      head: words('column.devices'),
      about: { meaning: words('column.devicesMeaning'), from: 'listRounds' },
      right: true,
      cell: ({ metrics, goal }) => (
        <>
          {metrics ? count(metrics.devices) : '–'}
          <Text span c="dimmed" inherit>
            {' / '}
            {count(goal)}
          </Text>
        </>
      ),
    },
    {
      head: words('column.accuracy'),
      about: { meaning: words('column.accuracyMeaning'), from: 'listRounds' },
      right: true,
      wide: true,
      cell: (round) => {
        const accuracy = accuracyOf(round);
        return accuracy === undefined ? '–' : percent(accuracy);
      },
    },
    {
      head: words('column.bytes'),
      about: { meaning: words('figures.bytesMeaning'), from: 'listRounds' },
      right: true,
      wide: true,
      cell: ({ bytesUp }) => bytes(bytesUp),
    },
    {
      head: words('column.duration'),
      about: { meaning: words('figures.durationMeaning'), from: 'listRounds' },
      right: true,
      wide: true,
      cell: ({ openedAt, endedAt }) =>
        endedAt === null ? '–' : duration(Date.parse(endedAt) - Date.parse(openedAt)),
    },
    { head: words('column.opened'), wide: true, cell: ({ openedAt }) => <Ago at={openedAt} /> },
  ];
  return (
    <Page
      title={words('rounds')}
      lead={words('lead')}
      trail={[
        <Anchor key="task" component={Link} to={`/tasks/${id}`} inherit>
          {task.data?.name ?? words('task')}
        </Anchor>,
      ]}
    >
      {list.items !== undefined && list.items.length > 0 && (
        <Panel
          title={words('strip.title')}
          aside={
            <Text size="xs" c="dimmed">
              {words('strip.legend')}
            </Text>
          }
        >
          <RoundStrip taskId={input.params.id} last={50} />
        </Panel>
      )}
      <ItemList
        name={words('rounds')}
        list={list}
        columns={columns}
        keyOf={(round) => round.id}
        empty={<Nothing title={words('empty')}>{words('emptyHint')}</Nothing>}
      />
    </Page>
  );
}

/** After local training or after the most steps of adaptation: a share of 0 to 1. */
function accuracyOf({ kind, metrics }: Round): number | undefined {
  if (metrics === null) return undefined;
  if (kind === 'training') return (metrics as TrainingMetrics).accuracyAfter; // the kind says which it is
  return 'results' in metrics ? metrics.results.at(-1)?.accuracy : undefined;
}
