/** What users of other platforms reported of their coordinators (docs/reliability.md), as stories of ours. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Presence } from './presence.ts';
import { makeId, type DeviceId } from '@starling/protocol';
import { allWork, pass, poll, programOf, startNode, trainingIsOver, work } from './testing/simulations.ts';
import { simulate } from './testing/simulation.ts';
import { VirtualDatabase } from './testing/virtual-database.ts';

let database: VirtualDatabase;
beforeAll(async () => {
  database = await VirtualDatabase.open();
});
afterAll(() => database.close());

/** Of each round in turn: its number, its state, and the devices that it counted. */
async function counted(): Promise<[number, string, string[]][]> {
  const rows = await database.query<{ number: number; state: string; devices: string[] | null }>(
    `select r.number, r.state, array_agg(right(a.device_id, 1) order by a.device_id) filter (where a.state = 'counted') as devices
       from rounds r left join assignments a on a.round_id = r.id group by r.id order by r.sequence`,
  );
  return rows.map(({ number, state, devices }) => [number, state, devices ?? []]);
}

const everyone = { goal: 3, minimum: 3 };

describe('regressions of others', { timeout: 60_000 }, () => {
  it('a device that trains in silence for nearly its whole window is counted (NVIDIA/NVFlare#5115)', async () => {
    await simulate(database, programOf([allWork(2), pass(29_000), poll, allWork(6)], everyone));
    expect(await counted()).toEqual([[1, 'published', ['0', '1', '2']]]);
  });

  it('a device that missed a round takes part in the next under its own label (epfml/disco#1219)', async () => {
    const first = [allWork(1), work(0, 5), work(1, 5), trainingIsOver, poll, poll];
    await simulate(
      database,
      programOf([...first, allWork(6), allWork(6)], { goal: 3, minimum: 2, rounds: 2 }),
    );
    const [one, two] = await counted();
    expect(one).toEqual([1, 'published', ['0', '1']]);
    expect(two).toEqual([2, 'published', ['0', '1', '2']]);
  });

  it('a round counts the devices that handed in, not one that left before it (epfml/disco#1220)', async () => {
    const left = [allWork(3), { kind: 'leave', device: 0, node: 0 } as const, work(1, 3), work(2, 3)];
    await simulate(database, programOf([...left, pass(41_000), pass(40_000), poll], { goal: 3, minimum: 2 }));
    expect(await counted()).toEqual([[1, 'published', ['1', '2']]]);
  });

  it('the first round keeps its number when the server dies in it (epfml/disco#1222)', async () => {
    const died = [allWork(2), { kind: 'kill', node: 0 } as const, startNode];
    await simulate(database, programOf([...died, allWork(6), allWork(6)], everyone));
    expect(await counted()).toEqual([[1, 'published', ['0', '1', '2']]]);
  });

  it('a round whose devices never answer ends, and the next begins (FedML-AI/FedML#1441, #121)', async () => {
    await simulate(database, programOf([pass(20_001), poll, allWork(6), allWork(6)], everyone));
    expect(await counted()).toEqual([
      [1, 'abandoned', []],
      [1, 'published', ['0', '1', '2']],
    ]);
  });

  it('a device that stopped asking is not online for ever (scaleoutsystems/scaleout-client PR 606)', () => {
    let now = 0;
    const presence = new Presence(() => now);
    const project = makeId('project', 'p'.repeat(22));
    const [polling, connected] = ['1', '2'].map((digit): DeviceId => makeId('device', digit.repeat(22)));
    presence.poll(polling!, project, 6_000);
    presence.connect(connected!, project);
    expect(presence.of(project)).toEqual([polling, connected]);
    now = 6_000 + 5_001; // the time that it is given to come back
    expect(presence.of(project)).toEqual([connected]);
    presence.disconnect(connected!);
    expect(presence.of(project)).toEqual([]);
  });
});
