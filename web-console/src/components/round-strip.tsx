import { Group, Text, Tooltip } from '@mantine/core';
import type { Round, RoundId, TaskId } from '@starling/protocol';
import { Link } from '@tanstack/react-router';
import { useTranslations } from 'use-intl';
import { useList } from '../api/calls.tsx';
import classes from './round-strip.module.css';

/** Letters of the kinds that are not training, and a sign for what came to nothing: colour is not all there is. */
function signOf({ kind, state }: Round): string {
  if (state === 'abandoned') return '×';
  return kind === 'evaluation' ? 'E' : kind === 'statistics' ? 'S' : '';
}

/** The last rounds of a task as a row of cells, oldest first; each leads to its round. */
export function RoundStrip({
  taskId,
  last = 40,
  here,
}: {
  taskId: TaskId;
  last?: number;
  /** The round whose page this is. */
  here?: RoundId;
}) {
  const words = useTranslations('rounds');
  const states = useTranslations('states');
  const { items } = useList('listRounds', { params: { id: taskId }, query: { limit: last } });
  if (items?.length === 0) return null;
  return (
    <Group gap={3} component="ol" p={0} m={0} style={{ listStyle: 'none' }} aria-label={words('strip.title')}>
      {[...(items ?? [])]
        .slice(0, last)
        .reverse()
        .map((round) => {
          const said = `${words('title', { sequence: round.sequence })}: ${states(`kind.${round.kind}`)}, ${states(`round.${round.state}`)}`;
          return (
            <li key={round.id}>
              <Tooltip label={said}>
                <Link
                  to="/rounds/$id"
                  params={{ id: round.id }}
                  className={classes.cell}
                  data-state={round.state}
                  aria-current={round.id === here ? 'page' : undefined}
                  aria-label={said}
                >
                  <Text span size="xs" fw={700} inherit aria-hidden>
                    {signOf(round)}
                  </Text>
                </Link>
              </Tooltip>
            </li>
          );
        })}
    </Group>
  );
}
