import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ProblemError } from '@starling/protocol';
import type { Client } from '@starling/protocol/api';
import { forecastThreads } from '@starling/simulator/simulation';
import { clientOf } from './testing/client.ts';
import { eventually, tinyModel, tinyPlan } from './testing/project.ts';
import { RawDevice } from './testing/raw-device.ts';
import { testServer, type TestServer } from './testing/servers.ts';

let world: TestServer;
let client: Client;
beforeAll(async () => {
  world = await testServer({ forecaster: forecastThreads() });
  client = clientOf(world.admin);
});
afterAll(() => world.close());

describe('the forecast of a task', () => {
  it('is made for as many devices as may be asked, or a thousand while they are too few', async () => {
    const body = { ir: tinyModel, plan: tinyPlan({ rounds: 4 }), fleet: 'ideal' as const };
    const none = await client.call('forecastTask', { body });
    expect(none).toMatchObject({ outcome: 'completed', counted: 12, assumed: { devices: 1_000, rows: 100 } });
    const token = await world.admin.enrolmentToken({ part: 'fleet' });
    await Promise.all(Array.from({ length: 5 }, () => RawDevice.enrolled(world.server.url, token)));
    const some = await client.call('forecastTask', { body });
    expect(some.assumed.devices).toBe(5);
    const given = await client.call('forecastTask', { body: { ...body, devices: 40, rows: 7, seed: 2 } });
    expect(given.assumed).toMatchObject({ devices: 40, rows: 7, seed: 2, fleet: { name: 'ideal' } });
  });

  it('knows no labels and no cloud, and leaves them out', async () => {
    const plan = tinyPlan({
      cohort: { goal: 3, minimum: 3, overSelection: 1, select: { part: 'nowhere' } },
      hybrid: { everyRounds: 1, work: { kind: 'warm-start', data: 'proxy', training: {} } as never }, // read as JSON
    });
    const { counted } = await client.call('forecastTask', { body: { ir: tinyModel, plan, fleet: 'ideal' } });
    expect(counted).toBe(3);
  });

  it('takes an uploaded model, and stores nothing', async () => {
    const { digest } = await client.call('uploadModel', { body: tinyModel });
    const before = await client.call('listTasks', {});
    const byDigest = await client.call('forecastTask', {
      body: { model: digest, plan: tinyPlan(), devices: 9 },
    });
    const byIr = await client.call('forecastTask', { body: { ir: tinyModel, plan: tinyPlan(), devices: 9 } });
    expect(byDigest).toEqual(byIr);
    expect(await client.call('listTasks', {})).toEqual(before);
  });

  it('says what keeps a plan from being played', async () => {
    const refused = (body: object) => client.call('forecastTask', { body: body as never });
    const plan = tinyPlan();
    await expect(refused({ plan })).rejects.toMatchObject({ code: 'invalid-request' });
    await expect(refused({ plan, ir: tinyModel, model: 'a'.repeat(64) })).rejects.toMatchObject({
      code: 'invalid-request',
    });
    await expect(refused({ plan, model: 'a'.repeat(64) })).rejects.toMatchObject({ code: 'not-found' });
    await expect(refused({ plan: { ...plan, rounds: 0 }, ir: tinyModel })).rejects.toMatchObject({
      code: 'invalid-request',
    });
    const few = { ...plan, cohort: { goal: 2, minimum: 3, overSelection: 1 } };
    await expect(refused({ plan: few, ir: tinyModel })).rejects.toMatchObject({ code: 'invalid-plan' });
    const fleet = { name: 'x', classes: [], roundTripMs: 0, availability: [], startHour: 0 };
    await expect(refused({ plan, ir: tinyModel, fleet })).rejects.toMatchObject({ code: 'invalid-request' });
  });

  it('is refused in words by a server that has no simulator', async () => {
    const plain = await testServer();
    try {
      await expect(
        clientOf(plain.admin).call('forecastTask', { body: { ir: tinyModel, plan: tinyPlan() } }),
      ).rejects.toMatchObject({ code: 'forecast-refused' });
    } finally {
      await plain.close();
    }
  });

  it('is given up when who asked for it is gone', async () => {
    const heard: AbortSignal[] = [];
    const waiting = await testServer({
      forecaster: {
        forecast: (_order, gone) => {
          if (gone) heard.push(gone);
          return new Promise((_resolve, reject) => {
            gone?.addEventListener('abort', () => {
              reject(new ProblemError('forecast-refused', 'Nobody waits.'));
            });
          });
        },
      },
    });
    try {
      const leave = new AbortController();
      const answer = fetch(`${waiting.server.url}/v1/tasks/forecast`, {
        method: 'POST',
        headers: { authorization: `Bearer ${waiting.admin.key}`, 'content-type': 'application/json' },
        body: JSON.stringify({ ir: tinyModel, plan: tinyPlan() }),
        signal: leave.signal,
      });
      const gone = await eventually('the forecaster to be asked', () => Promise.resolve(heard[0]));
      expect(gone.aborted).toBe(false);
      leave.abort();
      await expect(answer).rejects.toThrow();
      await eventually('the server to hear of it', () => Promise.resolve(gone.aborted || undefined));
    } finally {
      await waiting.close();
    }
  });
});
