import { expect } from 'vitest';
import type { Round, RoundDetail, Task } from '@starling/protocol';
import { eventually, type Admin } from '../project.ts';
import type { KillWorld } from './worlds.ts';

/** Generous: what is asked is that it goes on, and by itself; how soon is measured. */
export const patienceMs = 60_000;

/**
 * Waits for the victim's death, lets the world recover, and gives the time from the one to `movedOn`, in milliseconds.
 * `movedOn` is asked until it gives something; it fails while nobody answers.
 */
export async function resumedAfter(world: KillWorld, movedOn: () => Promise<unknown>): Promise<number> {
  expect(await world.victim.ended()).toBe('SIGKILL');
  const diedAt = performance.now();
  await world.recover();
  await eventually('what was under way to move on', () => tolerant(movedOn), patienceMs);
  return Math.round(performance.now() - diedAt);
}

/** Tells when `standing` has changed since it was first read: what is under way has moved on by then, or even before. */
export function changeOf(standing: () => Promise<{ text: string; isOver: boolean }>) {
  let first: string | undefined;
  return async (): Promise<true | undefined> => {
    const { text, isOver } = await standing();
    first ??= text;
    return isOver || text !== first || undefined;
  };
}

/** Where a task stands, in all that is durable of it. */
export async function standingOf(admin: Admin, { id }: Pick<Task, 'id'>) {
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
