import { Badge } from '@mantine/core';
import type { AssignmentState, GroupState, JobState, RoundState, TaskState } from '@starling/protocol';
import { useTranslations } from 'use-intl';

interface States {
  task: TaskState;
  round: RoundState;
  group: GroupState;
  assignment: AssignmentState;
  job: JobState;
  device: 'active' | 'revoked';
}

const colours: Readonly<Record<string, string>> = {
  running: 'blue',
  selecting: 'blue',
  training: 'blue',
  aggregating: 'violet',
  published: 'teal',
  completed: 'teal',
  succeeded: 'teal',
  summed: 'teal',
  counted: 'teal',
  active: 'teal',
  uploaded: 'violet',
  paused: 'yellow',
  abandoned: 'orange',
  aborted: 'orange',
  dropped: 'orange',
  failed: 'red',
  revoked: 'red',
};

const moving = new Set(['running', 'selecting', 'training', 'aggregating']);

/** The state of a row, in words and colour. */
export function StateBadge<K extends keyof States>({ of, state }: { of: K; state: States[K] }) {
  const words = useTranslations('states');
  // the name of every state of every kind is in the words: their type is checked where they are written
  const name = words(`${of}.${state}` as 'task.draft');
  return (
    <Badge
      variant="light"
      color={colours[state] ?? 'gray'}
      tt="none"
      miw="max-content"
      style={{ flexShrink: 0 }}
      {...(moving.has(state) && { leftSection: <span className="pulse">●</span> })}
    >
      {name}
    </Badge>
  );
}
