import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RoundId } from '@starling/protocol';
import { migrate, openPglite, type Database } from '../storage/index.ts';
import { arrivalsOf } from './arrivals.ts';

/** A round of five thousand devices: asked together, of whom all but the last thousand accepted, one a millisecond. */
const devices = 5000;
const id = 'rnd_many' as RoundId; // no id of the protocol's form is needed here
let place: string;
let database: Database;

beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), 'starling-arrivals-'));
  database = await openPglite(place);
  await migrate(database);
  for (const statement of [
    `insert into projects (id, name) values ('p', 'p')`,
    `insert into models (project_id, digest, name, ir, parameters, input_shape, classes)
     values ('p', 'm', 'm', '{}', 1, '[1]', 1)`,
    `insert into tasks (id, project_id, name, model_digest, plan, state, current_version)
     values ('t', 'p', 't', 'm', '{}', 'running', 'v')`,
    `insert into model_versions (id, project_id, task_id, number, digest, weights, bytes)
     values ('v', 'p', 't', 0, 'd', 'w', 1)`,
    `insert into rounds (id, project_id, task_id, sequence, kind, number, state, selection, goal, minimum, target,
                         base_version, opened_at, training_at, deadline, ended_at)
     values ('${id}', 'p', 't', 1, 'training', 1, 'abandoned', '{}', 1, 1, 1, 'v', '2026-01-01Z',
             '2026-01-01 00:00:04.5Z', '2026-01-02Z', '2026-01-31Z')`,
    `insert into devices (id, project_id, public_key, platform, sdk_version)
     select 'd' || n, 'p', n::text, 'test', '1' from generate_series(1, ${devices}) as n`,
    `insert into assignments (id, project_id, task_id, round_id, device_id, state, seed, offered_at, accepted_at)
     select 'a' || n, 'p', 't', '${id}', 'd' || n, 'dropped', 1, '2026-01-01Z',
            case when n <= 4000 then timestamptz '2026-01-01Z' + n * interval '1 millisecond' end
       from generate_series(1, ${devices}) as n`,
  ])
    await database.query(statement);
});
afterAll(async () => {
  await database.close();
  await rm(place, { recursive: true, force: true });
});

describe('the arrivals of a round', () => {
  it('are at most as many as wanted: each n-th, and the last', async () => {
    const { stations } = await arrivalsOf(database, { id });
    expect(stations.map(({ station, count, every }) => [station, count, every])).toEqual([
      ['selected', 5000, 3],
      ['accepted', 4000, 3],
      ['training', 0, 1],
      ['ready', 0, 1],
      ['uploaded', 0, 1],
    ]);
    for (const { offsetsMs } of stations) expect(offsetsMs.length).toBeLessThanOrEqual(2000);
    const accepted = stations[1]?.offsetsMs;
    expect(accepted?.slice(0, 3)).toEqual([1, 4, 7]);
    expect(accepted?.at(-1)).toBe(4000);
  });

  it('are all there while they are few', async () => {
    const { stations } = await arrivalsOf(database, { id }, devices + 1);
    expect(stations[1]?.offsetsMs).toEqual(Array.from({ length: 4000 }, (_, index) => index + 1));
  });

  it('stand on an axis that ends with the round, be it weeks later', async () => {
    expect(await arrivalsOf(database, { id })).toMatchObject({
      nowMs: 30 * 86_400_000,
      trainingMs: 4500,
      aggregatingMs: null,
    });
  });
});
