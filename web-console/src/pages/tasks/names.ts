import { isId, taskTransitions, type TaskId, type TaskState } from '@starling/protocol';

export type { TaskId, TaskState };

export function isTaskId(text: string): text is TaskId {
  return isId('task', text);
}

/** The states of a task, in the order in which it passes through them. */
export const taskStates = Object.keys(taskTransitions) as readonly TaskState[]; // the keys of the table are the states
