/** What the simulation found, each as a story of its own. All of it holds whichever call a node dies at. */
import type { AssignmentState, RoundState } from '@starling/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Program } from './testing/program.ts';
import {
  allWork,
  dieAt,
  lookAtJobs,
  operate,
  pass,
  poll,
  programOf,
  selectingIsOver,
  startNode,
  trainingIsOver,
  work,
} from './testing/simulations.ts';
import { simulate } from './testing/simulation.ts';
import { VirtualDatabase } from './testing/virtual-database.ts';

let database: VirtualDatabase;
beforeAll(async () => {
  database = await VirtualDatabase.open();
});
afterAll(() => database.close());

/** Runs a story once for each call that something may happen at; the invariants are asserted by the simulation. */
async function atEachCall(calls: number, story: (call: number) => Program): Promise<void> {
  for (let call = 0; call < calls; call++) await simulate(database, story(call));
}

function rounds(): Promise<{ state: RoundState; reason: string | null }[]> {
  return database.query('select state, reason from rounds order by sequence');
}

async function statesOf(deviceNumber: number): Promise<AssignmentState[]> {
  const rows = await database.query<{ state: AssignmentState }>(
    'select a.state from assignments a join rounds r on r.id = a.round_id where a.device_id like $1 order by r.sequence',
    [`%${deviceNumber}`],
  );
  return rows.map(({ state }) => state);
}

describe('a node that dies', { timeout: 120_000 }, () => {
  it('while it cancels a task leaves no round of it under way', () =>
    atEachCall(8, (call) => programOf([allWork(4), dieAt(call), operate('cancel'), startNode, poll])));

  it('while it starts the training window leaves no device with an offer', () =>
    atEachCall(8, (call) =>
      programOf([work(0, 1), work(1, 1), selectingIsOver, dieAt(call), poll, startNode, poll], {
        goal: 3,
        minimum: 1,
      }),
    ));

  it('while it revokes a device leaves it no assignment', () =>
    atEachCall(8, (call) => programOf([allWork(3), dieAt(call), operate('revoke'), startNode, poll])));

  it('while a step in the cloud fails does not leave its task standing still', () =>
    atEachCall(10, (call) =>
      programOf(
        [
          ...[allWork(6), allWork(6), lookAtJobs, dieAt(call)],
          ...[{ kind: 'job-ends', outcome: 'failed' } as const, lookAtJobs, startNode, lookAtJobs],
        ],
        { rounds: 2, hybrid: true },
        { ending: 'work' },
      ),
    ));

  it('before it groups a device that was ready in time, for longer than its window, does not cost it the round', async () => {
    let grouped = 0;
    for (let call = 0; call < 12; call++) {
      const ready = [allWork(1), allWork(1), dieAt(call), allWork(1), { kind: 'kill', node: 0 } as const];
      const later = [trainingIsOver, startNode, poll, allWork(3), allWork(3), poll];
      await simulate(database, programOf([...ready, ...later], { minimum: 1 }));
      const inTime = await database.query<{ state: string }>(
        `select a.state from assignments a join rounds r on r.id = a.round_id
          where r.sequence = 1 and a.ready_at < a.ended_at`,
      );
      if (inTime.length === 0) continue; // it died before any was
      grouped++;
      expect((await rounds())[0]).toEqual({ state: 'published', reason: null });
      expect(inTime.map(({ state }) => state)).not.toContain('dropped');
    }
    expect(grouped).toBeGreaterThan(2);
  });
});

describe('an operator', { timeout: 120_000 }, () => {
  it('who extends a window while it is about to close has it extended', () =>
    atEachCall(8, (call) =>
      programOf([...[selectingIsOver, { ...poll, calls: call }], ...[operate('extend'), poll]]),
    ));

  it('who revokes a member of a group whose sum holds its update already has it counted as it was summed', async () => {
    const signing = [allWork(4), allWork(1), allWork(1), allWork(1), work(0, 1)];
    const secure = { goal: 5, minimum: 3, secure: true };
    await simulate(
      database,
      programOf([...signing, operate('revoke'), allWork(6), allWork(6)], secure, { devices: 5 }),
    );
    expect(await statesOf(0)).toEqual(['counted']);
  });

  it('who aborts a round while an update comes in has its device told so', () =>
    atEachCall(14, (call) =>
      programOf([allWork(3), { ...allWork(1), calls: call }, operate('abort'), poll], {}, { nodes: 2 }),
    ));
});

describe('two tasks', { timeout: 120_000 }, () => {
  it('that want more devices than there are come to their ends, one after the other', () => {
    const { plans } = programOf([], { goal: 3, minimum: 3 });
    const second = programOf([work(0, 3), work(1, 1)], {}, { ending: 'work' });
    return simulate(database, { ...second, plans: [...plans, ...second.plans] });
  });
});

describe('a round', { timeout: 120_000 }, () => {
  it('whose goal is reached has no group left of those who were late', async () => {
    await simulate(
      database,
      programOf([allWork(3), work(0, 1), poll], { goal: 1, minimum: 1, overSelection: 2 }),
    );
    const groups = await database.query('select state from groups order by state');
    expect(groups).toEqual([{ state: 'aborted' }, { state: 'summed' }]);
    expect((await rounds())[0]).toEqual({ state: 'published', reason: null });
  });

  it('whose staged update is gone is abandoned after some tries, and the next one goes on', async () => {
    const lost = [allWork(3), work(0, 2), { kind: 'kill', node: 0 } as const, { kind: 'lose-file' } as const];
    const tries = Array.from({ length: 6 }, () => [pass(61_000), poll]).flat();
    await simulate(database, programOf([...lost, startNode, allWork(3), ...tries], {}, { ending: 'work' }));
    const [first, ...others] = await rounds();
    expect(first).toEqual({ state: 'abandoned', reason: 'publishing-failed' });
    expect(others.at(-1)?.state).toBe('published');
    expect(await statesOf(0)).toContain('dropped');
  });
});
