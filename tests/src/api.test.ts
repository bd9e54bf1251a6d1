import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EnrolmentToken, ModelDetail, RoundDetail, Task } from '@starling/protocol';
import { Admin, eventually, tinyModel, tinyPlan } from './testing/project.ts';
import { RawDevice, updateFile } from './testing/raw-device.ts';
import { testServer, type TestServer } from './testing/servers.ts';

let world: TestServer;
let admin: Admin;
beforeAll(async () => {
  world = await testServer();
  admin = world.admin;
});
afterAll(() => world.close());

describe('the admin API', () => {
  it('answers a repeated request with the same answer, and another one under the same key with a conflict', async () => {
    const headers = { 'idempotency-key': 'token-1' };
    const first = await admin.call('POST', '/v1/enrolment-tokens', { labels: { a: '1' } }, headers);
    const again = await admin.call('POST', '/v1/enrolment-tokens', { labels: { a: '1' } }, headers);
    expect(first.status).toBe(201);
    expect(again.status).toBe(201);
    expect(again.body).toEqual(first.body);
    const other = await admin.call('POST', '/v1/enrolment-tokens', { labels: { a: '2' } }, headers);
    expect(other).toMatchObject({ status: 409, body: { code: 'idempotency-conflict' } });
    const { items } = await admin.get<{ items: EnrolmentToken[] }>('/v1/enrolment-tokens');
    expect(items.filter((token) => 'a' in token.labels)).toHaveLength(1);
  });

  it.each([
    ['an unknown op', { nodes: [{ op: 'fft', in: ['x'], out: 'logits' }] }, 'nodes[0].op'],
    ['a cycle', { nodes: [{ op: 'dense', in: ['logits', 'w', 'b'], out: 'logits' }] }, 'nodes[0].in[0]'],
    [
      'a shape that does not fit',
      {
        params: [
          { id: 'w', shape: [5, 3], init: { kind: 'zeros' } },
          { id: 'b', shape: [3], init: { kind: 'zeros' } },
        ],
      },
      'nodes[0]',
    ],
    [
      'a huge tensor',
      { params: [{ id: 'w', shape: [2 ** 30, 2 ** 30], init: { kind: 'zeros' } }] },
      'params[0]',
    ],
  ])('refuses a model with %s and names the path', async (_what, change, path) => {
    const { status, body } = await admin.call('POST', '/v1/models', { ...tinyModel, ...change });
    expect(status).toBe(422);
    expect(body).toMatchObject({ code: 'invalid-model' });
    expect((body as { errors: { path: string }[] }).errors[0]?.path).toContain(path);
  });

  it('refuses a plan that does not fit and names every field', async () => {
    const model = await admin.post<ModelDetail>('/v1/models', tinyModel);
    const plan = tinyPlan({
      adaptation: { steps: 1, rate: 'learned' },
      statistics: { goal: 2, minimum: 3 },
      encoding: { scaleBits: 40, clip: 1024 },
    });
    const { status, body } = await admin.call('POST', '/v1/tasks', {
      name: 'bad',
      model: model.digest,
      plan,
    });
    expect(status).toBe(422);
    const paths = (body as { errors: { path: string }[] }).errors.map((part) => part.path);
    expect(paths).toEqual(
      expect.arrayContaining([
        'plan.statistics.minimum',
        'plan.statistics',
        'plan.adaptation.rate',
        'plan.encoding (parameters)',
      ]),
    );
  });

  it('refuses unknown properties, wrong types and polluted prototypes', async () => {
    for (const body of [
      '{"labels": {}, "extra": 1}',
      '{"maxUses": "3"}',
      '{"__proto__": {"admin": true}}',
      '{',
    ]) {
      expect(await admin.call('POST', '/v1/enrolment-tokens', body)).toMatchObject({
        status: 400,
        body: { code: 'invalid-request' },
      });
    }
  });

  it('needs an API key, and a key that exists', async () => {
    const stranger = new Admin(world.server.url, `sk_${'A'.repeat(43)}`);
    for (const path of ['/v1/tasks', '/v1/devices', '/v1/models', '/v1/enrolment-tokens']) {
      expect(await stranger.call('GET', path)).toMatchObject({
        status: 401,
        body: { code: 'unauthenticated' },
      });
    }
  });

  it('pages through a list without repeating or losing a row', async () => {
    const made = [];
    for (let index = 0; index < 5; index++) made.push((await admin.tinyTask()).id);
    const seen: string[] = [];
    let path = '/v1/tasks?limit=2';
    for (;;) {
      const page = await admin.get<{ items: Task[]; next: string | null }>(path);
      seen.push(...page.items.map((task) => task.id));
      if (page.next === null) break;
      path = `/v1/tasks?limit=2&cursor=${page.next}`;
    }
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen).toEqual(expect.arrayContaining(made));
    expect(await admin.call('GET', '/v1/tasks?cursor=bm9uc2Vuc2U')).toMatchObject({
      body: { code: 'invalid-request' },
    });
  });

  it('describes itself in OpenAPI 3.1, every route with its problems', async () => {
    const document = await admin.get<{
      openapi: string;
      paths: Record<string, Record<string, { responses: object }>>;
    }>('/openapi.json');
    expect(document.openapi).toBe('3.1.0');
    const paths = Object.keys(document.paths);
    expect(paths).toEqual(
      expect.arrayContaining(['/v1/tasks', '/v1/device/assignments/{id}/ready', '/v1/blobs/{sha256}']),
    );
    for (const [path, methods] of Object.entries(document.paths)) {
      if (path.startsWith('/v1/tasks')) {
        for (const operation of Object.values(methods)) expect(operation.responses).toHaveProperty('4XX');
      }
    }
  });
});

describe('a task', () => {
  it('moves only along its state machine', async () => {
    const task = await admin.tinyTask();
    const move = async (action: string) => admin.call('POST', `/v1/tasks/${task.id}/${action}`);
    expect(await move('pause')).toMatchObject({ status: 409, body: { code: 'illegal-transition' } });
    expect(await move('start')).toMatchObject({ status: 200, body: { state: 'running' } });
    expect(await move('start')).toMatchObject({ status: 200, body: { state: 'running' } });
    expect(await move('pause')).toMatchObject({ status: 200, body: { state: 'paused' } });
    expect(await move('resume')).toMatchObject({ status: 200, body: { state: 'running' } });
    expect(await move('cancel')).toMatchObject({ status: 200, body: { state: 'cancelled' } });
    expect(await move('resume')).toMatchObject({ status: 409, body: { code: 'illegal-transition' } });
    const { items } = await admin.get<{ items: RoundDetail[] }>(`/v1/tasks/${task.id}/rounds`);
    expect(items.map((round) => [round.state, round.reason])).toEqual([['abandoned', 'task-cancelled']]);
  });

  it('abandons a round below its minimum, publishes nothing, and tries again', async () => {
    const label = { only: 'lonely' };
    const device = await RawDevice.enrolled(world.server.url, await admin.enrolmentToken(label));
    await device.assignment();
    const task = await admin.tinyTask({
      cohort: { goal: 2, minimum: 2, overSelection: 1, select: label },
      windows: { selectingMs: 150, trainingMs: 5000, aggregatingMs: 5000 },
    });
    await admin.post(`/v1/tasks/${task.id}/start`);
    const rounds = await eventually('two rounds', async () => {
      const { items } = await admin.get<{ items: RoundDetail[] }>(`/v1/tasks/${task.id}/rounds`);
      return items.length >= 2 ? items : undefined;
    });
    expect(rounds.at(-1)).toMatchObject({
      state: 'abandoned',
      reason: 'too-few-devices',
      publishedVersion: null,
    });
    expect((await admin.get<Task>(`/v1/tasks/${task.id}`)).currentVersion).toBe(task.currentVersion);
    await admin.post(`/v1/tasks/${task.id}/cancel`);
  });

  it('goes on at the end of a window with those that arrived, and drops the late', async () => {
    const label = { only: 'slow' };
    const token = await admin.enrolmentToken(label);
    const devices = await Promise.all([1, 2, 3].map(() => RawDevice.enrolled(world.server.url, token)));
    for (const device of devices) await device.assignment();
    const task = await admin.tinyTask({
      cohort: { goal: 3, minimum: 2, overSelection: 1, select: label },
      windows: { selectingMs: 10_000, trainingMs: 3000, aggregatingMs: 300 },
    });
    await admin.post(`/v1/tasks/${task.id}/start`);
    const offers = await Promise.all(devices.map((device) => device.assignment()));
    for (const [index, device] of devices.entries()) await device.say(offers[index]!.id, 'accept');
    for (const [index, device] of devices.entries()) {
      const offer = offers[index]!;
      if (index === 2) continue; // accepts and is never heard of again
      const update = updateFile(offer, { parameters: { 0: 1 } });
      await device.reachUpload(offer, update);
      await device.upload(offer.id, update);
    }
    const round = await eventually('the round to end', async () => {
      const seen = await admin.get<RoundDetail>(`/v1/rounds/${offers[0]!.roundId}`);
      return seen.endedAt === null ? undefined : seen;
    });
    expect(round).toMatchObject({
      state: 'published',
      funnel: { states: { counted: 2, dropped: 1 }, dropped: { late: 1 } },
    });
    await expect(devices[2]!.say(offers[2]!.id, 'begin')).rejects.toMatchObject({
      code: 'assignment-closed',
    });
  });

  it('offers a declined place to another device', async () => {
    const label = { only: 'picky' };
    const token = await admin.enrolmentToken(label);
    const devices = await Promise.all([1, 2, 3].map(() => RawDevice.enrolled(world.server.url, token)));
    for (const device of devices) await device.assignment();
    const task = await admin.tinyTask({ cohort: { goal: 2, minimum: 2, overSelection: 1, select: label } });
    await admin.post(`/v1/tasks/${task.id}/start`);
    const offered = [];
    for (const device of devices) offered.push({ device, offer: await device.assignment() });
    const first = offered.find(({ offer }) => offer !== null)!;
    await first.device.say(first.offer!.id, 'decline', { reason: 'busy' });
    const spare = offered.find(({ offer }) => offer === null)!;
    expect(await spare.device.assignment()).toMatchObject({ state: 'offered', taskId: task.id });
    expect(await first.device.assignment()).toBeNull();
  });
});
