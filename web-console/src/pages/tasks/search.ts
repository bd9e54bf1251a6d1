import { isTaskId, taskStates, type TaskId, type TaskState } from './names.ts';

/** What the addresses of the pages of tasks say beside their path: what is open there stays open when it is shared. */
type Given = Readonly<Record<string, unknown>>;

export interface ListSearch {
  readonly state?: TaskState | undefined;
  readonly name?: string | undefined;
}
export function listSearch({ state, name }: Given): ListSearch {
  const known = taskStates.find((each) => each === state);
  const sought = textOf(name);
  return { ...(known && { state: known }), ...(sought !== '' && { name: sought }) };
}

export const tabs = ['overview', 'learning', 'model', 'plan', 'versions'] as const;
export type Tab = (typeof tabs)[number];
export interface TaskSearch {
  readonly tab?: Tab | undefined;
  /** Other tasks whose curves are drawn over this one's. */
  readonly with?: string | undefined;
}
export function taskSearch(given: Given): TaskSearch {
  const tab = tabs.find((each) => each === given['tab']);
  const others = idsOf(given['with']).join(',');
  return { ...(tab && { tab }), ...(others !== '' && { with: others }) };
}

export interface NewTaskSearch {
  readonly from?: TaskId | undefined;
}
export function newTaskSearch({ from }: Given): NewTaskSearch {
  const [id] = idsOf(from);
  return id === undefined ? {} : { from: id };
}

export interface CompareSearch {
  readonly tasks?: string | undefined;
}
export function compareSearch({ tasks }: Given): CompareSearch {
  const ids = idsOf(tasks);
  return ids.length === 0 ? {} : { tasks: ids.join(',') };
}

/** Ids of tasks in a list with commas; what is none is left out, and none is there twice. */
export function idsOf(given: unknown): TaskId[] {
  return [...new Set(textOf(given).split(',').filter(isTaskId))];
}

function textOf(given: unknown): string {
  return typeof given === 'string' ? given : typeof given === 'number' ? String(given) : '';
}
