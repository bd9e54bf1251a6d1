import { expect } from 'vitest';
import type { Round, RoundDetail, Task } from '@starling/protocol';
import { eventually, type Admin } from '../project.ts';
import type { KillWorld } from './worlds.ts';

/** Generous: what is asked is that it goes on, and by itself; how soon is measured. */
export const patienceMs = 60_000;

/** How often a point may not be passed because another node was quicker. */
const attempts = 6;

/** By then a process that has ended is known to have. */
const noticeMs = 300;

export interface Death {
  /** Whether the victim has died; throws when it was asked too often and has not: it does not come to its point. */
  hasCome(): Promise<boolean>;
  /** From its death until what was under way had moved on, by whoever lives. */
  readonly resumedMs: Promise<number>;
}

/** Watches the victim, and what is under way when it dies: that has moved on once `standing` changes, or is over. */
export function deathOf(world: KillWorld, standing: () => Promise<Standing>): Death {
  let isDead = false;
  const died = world.victim.ended().then((how) => {
    isDead = true;
    return how;
  });
  let left = attempts;
  return {
    hasCome: async () => {
      await Promise.race([died, new Promise((resolve) => setTimeout(resolve, noticeMs))]);
      if (!isDead && left-- === 0) throw new Error(`The point was not passed in ${attempts} attempts.`);
      return isDead;
    },
    resumedMs: resumedAfter(world, died, changeOf(standing)),
  };
}

/**
 * Waits for the victim's death, lets the world recover, and gives the time from the one to `movedOn`, in milliseconds.
 * `movedOn` is asked until it gives something; it fails while nobody answers.
 */
export async function resumedAfter(
  world: KillWorld,
  died: Promise<unknown>,
  movedOn: () => Promise<unknown>,
): Promise<number> {
  expect(await died).toBe('SIGKILL');
  const diedAt = performance.now();
  await world.recover();
  await eventually('what was under way to move on', () => tolerant(movedOn), patienceMs);
  return Math.round(performance.now() - diedAt);
}

interface Standing {
  readonly text: string;
  readonly isOver: boolean;
}

/** Tells when `standing` has changed since it was first read: what is under way has moved on by then, or even before. */
function changeOf(standing: () => Promise<Standing>) {
  let first: string | undefined;
  return async (): Promise<true | undefined> => {
    const { text, isOver } = await standing();
    first ??= text;
    return isOver || text !== first || undefined;
  };
}

/** Where a task stands, in all that is durable of it. */
export async function standingOf(admin: Admin, task: Pick<Task, 'id'> | undefined): Promise<Standing> {
  if (!task) throw new TypeError('There is no task yet.');
  const { id } = task;
  const { state } = await admin.get<Task>(`/v1/tasks/${id}`);
  const { items } = await admin.get<{ items: Round[] }>(`/v1/tasks/${id}/rounds`);
  const rounds = await Promise.all(items.map((round) => admin.get<RoundDetail>(`/v1/rounds/${round.id}`)));
  return {
    text: JSON.stringify([state, rounds.map(({ state, funnel }) => [state, funnel])]),
    isOver: state === 'completed',
  };
}

/** `undefined` while a server is down or answers with an error: the caller asks again. */
export async function tolerant<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch {
    return undefined;
  }
}
