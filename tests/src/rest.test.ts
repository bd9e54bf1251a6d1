import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { layoutOf, parseModel } from '@starling/model';
import { readWeights, type Assignment, type Plan, type RoundDetail, type Task } from '@starling/protocol';
import type { Client, StreamedEvent } from '@starling/protocol/api';
import { clientOf } from './testing/client.ts';
import { eventually, tinyModel, tinyPlan, type Admin } from './testing/project.ts';
import { RawDevice, updateFile } from './testing/raw-device.ts';
import { testServer, type TestServer } from './testing/servers.ts';

let world: TestServer;
let admin: Admin;
let client: Client;
beforeAll(async () => {
  world = await testServer();
  admin = world.admin;
  client = clientOf(admin);
});
afterAll(() => world.close());

describe('trying a task', () => {
  let model: string;
  beforeAll(async () => {
    model = (await client.call('uploadModel', { body: tinyModel })).digest;
  });
  const pointers = async (body: object) => {
    const { valid, problems, estimate } = await client.call('validateTask', { body });
    expect(valid).toBe(problems.length === 0);
    expect(estimate === null).toBe(!valid);
    return problems.map(({ pointer }) => pointer);
  };

  it('says what it takes, with an uploaded model or with the IR itself, and stores nothing', async () => {
    const before = await client.call('listTasks', {});
    const name = 'tried';
    const byDigest = await client.call('validateTask', { body: { name, model, plan: tinyPlan() } });
    const byIr = await client.call('validateTask', {
      body: { name, ir: { ...tinyModel, name: 'unheard-of' }, plan: tinyPlan() },
    });
    expect(byDigest).toMatchObject({
      valid: true,
      problems: [],
      estimate: { parameters: 15, bytesDown: 60, rounds: 1, updates: 3 },
    });
    expect(byIr.estimate).toEqual(byDigest.estimate);
    expect(await client.call('listTasks', {})).toEqual(before);
    const models = await client.call('listModels', {});
    expect(models.items.map((item) => item.name)).not.toContain('unheard-of');
  });

  it('names everything that does not fit the schema at once, by JSON Pointer', async () => {
    const plan = {
      ...tinyPlan(),
      learning: { algorithm: 'fedavg', epochs: 0, batchSize: 'many', rate: 0.1 },
      cohort: { goal: 3, overSelection: 1 },
      'a/b': 1,
      windows: undefined,
    };
    const found = await pointers({ name: '', model, plan, surplus: true });
    expect(found.sort()).toEqual(
      [
        '/name',
        '/plan/a~1b',
        '/plan/cohort/minimum',
        '/plan/learning/batchSize',
        '/plan/learning/epochs',
        '/plan/windows',
        '/surplus',
      ].sort(),
    );
  });

  it('says of a union which kinds there are when none is meant', async () => {
    const plan = { ...tinyPlan(), learning: { algorithm: 'magic' } };
    const { problems } = await client.call('validateTask', { body: { name: 'x', model, plan } });
    expect(problems).toEqual([
      {
        pointer: '/plan/learning',
        message: expect.stringContaining('FedAvg, Reptile, MAML, Meta-SGD') as string,
      },
    ]);
  });

  it('names everything in which plan and model do not fit', async () => {
    const plan: Plan = tinyPlan({
      adaptation: { steps: 1, rate: 'learned' },
      statistics: { goal: 2, minimum: 3 },
      encoding: { scaleBits: 40, clip: 1024 },
    });
    expect(await pointers({ name: 'x', model, plan, weights: `ver_${'A'.repeat(22)}` })).toEqual(
      expect.arrayContaining([
        '/plan/statistics/minimum',
        '/plan/statistics',
        '/plan/adaptation/rate',
        '/plan/encoding',
        '/weights',
      ]),
    );
  });

  it('names a fault of the IR, a model that is not there, and one too many or none', async () => {
    const broken = { ...tinyModel, nodes: [{ op: 'fft', in: ['x'], out: 'logits' }] };
    expect(await pointers({ name: 'x', ir: broken, plan: tinyPlan() })).toEqual(['/ir/nodes/0/op']);
    expect(await pointers({ name: 'x', model: 'b'.repeat(64), plan: tinyPlan() })).toEqual(['/model']);
    expect(await pointers({ name: 'x', plan: tinyPlan() })).toEqual(['']);
    expect(await pointers({ name: 'x', model, ir: tinyModel, plan: tinyPlan() })).toEqual(['']);
  });
});

describe('a clone', () => {
  it('is a draft with the model and the plan of its task, but for what is changed', async () => {
    const task = await admin.tinyTask({ rounds: 7 });
    const same = await client.call('cloneTask', { params: { id: task.id } });
    expect(same).toMatchObject({ name: task.name, model: task.model, plan: task.plan, state: 'draft' });
    expect(same.id).not.toBe(task.id);
    const other = await client.call('cloneTask', {
      params: { id: task.id },
      body: { name: 'other', plan: tinyPlan({ rounds: 3 }), weights: task.currentVersion },
    });
    expect(other).toMatchObject({ name: 'other', plan: { rounds: 3 } });
    const { steps } = await client.call('getLineage', { params: { id: other.currentVersion } });
    expect(steps.map(({ version }) => version.taskId)).toEqual([other.id, task.id]);
  });
});

let tests = 0;

/** Three devices of their own for each test, and a task for them. */
describe("an operator's hand on a round", { timeout: 120_000 }, () => {
  let task: Task;
  let devices: RawDevice[];
  let round: { id: RoundDetail['id'] };
  let offers: Assignment[];

  beforeEach(async () => {
    const label = { test: String(++tests) };
    const token = await admin.enrolmentToken(label);
    devices = await Promise.all([0, 1, 2].map(() => RawDevice.enrolled(world.server.url, token)));
    for (const device of devices) await device.assignment();
    task = await admin.tinyTask({
      cohort: { goal: 3, minimum: 2, overSelection: 1, select: label },
      rounds: 2,
    });
    await client.call('startTask', { params: { id: task.id } });
    offers = await Promise.all(
      devices.map((device) => eventually('an offer', async () => (await device.assignment()) ?? undefined)),
    );
    round = { id: offers[0]!.roundId };
  });
  afterEach(async () => {
    await client.call('cancelTask', { params: { id: task.id } });
  });

  const handIn = async (index: number) => {
    const update = updateFile(offers[index]!, { parameters: { 0: 1 } });
    await devices[index]!.reachUpload(offers[index]!, update);
    expect((await devices[index]!.upload(offers[index]!.id, update)).status).toBe(200);
  };

  it('gives the phase under way more time', async () => {
    const before = await client.call('getAnatomy', { params: round });
    await client.call('extendRound', { params: round, body: { byMs: 3_600_000 } });
    const after = await client.call('getAnatomy', { params: round });
    const gained = (after.remainingMs.round ?? 0) - (before.remainingMs.round ?? 0);
    expect(gained).toBeGreaterThan(3_000_000);
    expect(gained).toBeLessThanOrEqual(3_600_000);
  });

  it('closes selecting with those that accepted, at the minimum and not below', async () => {
    await devices[0]!.say(offers[0]!.id, 'accept');
    const close = () => client.call('closeRound', { params: round });
    await expect(close()).rejects.toMatchObject({ code: 'illegal-transition' });
    expect((await client.call('getRound', { params: round })).state).toBe('selecting');
    await devices[1]!.say(offers[1]!.id, 'accept');
    expect(await close()).toMatchObject({ state: 'training', funnel: { dropped: { 'no-answer': 1 } } });
  });

  it('publishes what was received, at the minimum and not below', async () => {
    for (const [index, device] of devices.entries()) await device.say(offers[index]!.id, 'accept');
    const close = () => client.call('closeRound', { params: round });
    await handIn(0);
    await expect(close()).rejects.toMatchObject({ code: 'illegal-transition' });
    await handIn(1);
    const closed = await close();
    expect(closed).toMatchObject({ state: 'published', funnel: { states: { counted: 2, dropped: 1 } } });
    expect((await close()).publishedVersion).toBe(closed.publishedVersion);
    const abort = client.call('abortRound', { params: round });
    await expect(abort).rejects.toMatchObject({ code: 'illegal-transition' });
    const extend = client.call('extendRound', { params: round, body: { byMs: 1000 } });
    await expect(extend).rejects.toMatchObject({ code: 'illegal-transition' });
  });

  it('abandons it with nothing published, and the task goes on with the next', async () => {
    for (const [index, device] of devices.entries()) await device.say(offers[index]!.id, 'accept');
    await handIn(0);
    const aborted = await client.call('abortRound', { params: round });
    expect(aborted).toMatchObject({ state: 'abandoned', reason: 'aborted', publishedVersion: null });
    expect(await client.call('abortRound', { params: round })).toEqual(aborted);
    const { items } = await client.call('listRounds', { params: { id: task.id } });
    expect(items.map(({ state }) => state)).toEqual(['selecting', 'abandoned']);
    await expect(devices[1]!.say(offers[1]!.id, 'begin')).rejects.toMatchObject({
      code: 'assignment-closed',
    });
  });

  it('shows where the round lost devices and time', async () => {
    await devices[2]!.say(offers[2]!.id, 'decline', { reason: 'busy' });
    await devices[0]!.say(offers[0]!.id, 'accept');
    await devices[1]!.say(offers[1]!.id, 'accept');
    await client.call('closeRound', { params: round });
    await handIn(0);
    await devices[1]!.say(offers[1]!.id, 'begin');
    const during = await client.call('getAnatomy', { params: round });
    expect(during.atWork).toEqual({ training: 1 });
    await devices[1]!.say(offers[1]!.id, 'fail', { reason: 'diverged' });
    const { funnel, spans, remainingMs, atWork } = await eventually('the round to end', async () => {
      const seen = await client.call('getAnatomy', { params: round });
      return seen.round.endedAt === null ? undefined : seen;
    });
    expect(funnel).toEqual([
      { station: 'selected', reached: 3, dropped: { declined: 1 } },
      { station: 'accepted', reached: 2, dropped: {} },
      { station: 'training', reached: 2, dropped: { 'training-failed': 1 } },
      { station: 'ready', reached: 1, dropped: {} },
      { station: 'uploaded', reached: 1, dropped: { 'round-abandoned': 1 } },
      { station: 'counted', reached: 0, dropped: {} },
    ]);
    expect(spans.map(({ span, count }) => [span, count])).toEqual([
      ['answering', 2],
      ['fetching', 2],
      ['training', 1],
      ['handingIn', 1],
      ['all', 1],
    ]);
    for (const { p50Ms, p95Ms, p99Ms } of spans) {
      expect(p50Ms).toBeGreaterThanOrEqual(0);
      expect(p95Ms).toBeGreaterThanOrEqual(p50Ms!);
      expect(p99Ms).toBeGreaterThanOrEqual(p95Ms!);
    }
    const all = spans.at(-1)!.p50Ms!;
    const parts = spans.slice(2, 4).reduce((sum, { p50Ms }) => sum + p50Ms!, 0);
    expect(parts).toBeLessThanOrEqual(all);
    expect(remainingMs).toEqual({ ready: null, round: null });
    expect(atWork).toEqual({});
  });

  it('serves what is promoted, rolls back to what was before, and leaves training alone', async () => {
    for (const [index, device] of devices.entries()) await device.say(offers[index]!.id, 'accept');
    for (const index of devices.keys()) await handIn(index);
    const { publishedVersion: newest } = await eventually('the round to be published', async () => {
      const seen = await client.call('getRound', { params: round });
      return seen.state === 'published' ? seen : undefined;
    });
    const served = async () =>
      (await devices[0]!.ok<{ version: string }>('GET', `/v1/device/tasks/${task.id}/model`)).version;
    const first = task.currentVersion;
    expect(await served()).toBe(newest); // nothing promoted: the newest
    const rollBack = () => client.call('rollBackTask', { params: { id: task.id }, body: { note: 'worse' } });
    await client.call('promoteVersion', { params: { id: first } });
    expect(await served()).toBe(first);
    await expect(rollBack()).rejects.toMatchObject({ code: 'illegal-transition' });
    const promoted = await client.call('promoteVersion', {
      params: { id: newest! },
      body: { note: 'better' },
    });
    expect(promoted).toMatchObject({ kind: 'promotion', version: newest, replaced: first, note: 'better' });
    expect((await client.call('promoteVersion', { params: { id: newest! } })).id).toBe(promoted.id);
    expect(await served()).toBe(newest);
    expect(await rollBack()).toMatchObject({ kind: 'rollback', version: first, replaced: newest });
    expect(await served()).toBe(first);
    await expect(rollBack()).rejects.toMatchObject({ code: 'illegal-transition' });
    const now = await client.call('getTask', { params: { id: task.id } });
    expect(now).toMatchObject({ servedVersion: first, currentVersion: newest });
    const { items } = await client.call('listReleases', { params: { id: task.id } });
    expect(items.map(({ kind }) => kind)).toEqual(['rollback', 'promotion', 'promotion']);

    const lineage = await client.call('getLineage', { params: { id: newest! } });
    expect(lineage).toMatchObject({
      complete: true,
      steps: [
        { version: { id: newest }, origin: { round: round.id, kind: 'training', number: 1, devices: 3 } },
        { version: { id: first }, origin: null },
      ],
    });
    const short = await client.call('getLineage', { params: { id: newest! }, query: { limit: 1 } });
    expect(short).toMatchObject({ complete: false, steps: [{ version: { id: newest } }] });

    const layout = layoutOf(parseModel(tinyModel));
    const [before, after] = [
      readWeights(layout, await client.download(first, 'safetensors')),
      readWeights(layout, await client.download(newest!, 'safetensors')),
    ];
    expect(after[0]! - before[0]!).toBeCloseTo(1, 5);
    const onnx = Buffer.from(await client.download(newest!, 'onnx'));
    expect(onnx.includes('logits')).toBe(true);
    expect(onnx.includes(Buffer.from(after.buffer, 0, 48))).toBe(true); // the weights themselves are in the file
  });
});

describe('the event stream', () => {
  it('carries the live events, goes on after a break without loss, and admits a gap', async () => {
    const task = await admin.tinyTask();
    const seen: StreamedEvent[] = [];
    const stranger = client.events('0123456789ab-3');
    const gap = (await stranger.next()).value as StreamedEvent;
    expect(gap).toMatchObject({ kind: 'gap', reason: 'server-restarted' });
    await stranger.return(undefined);
    const first = client.events(gap.id);
    const started = first.next();
    await client.call('startTask', { params: { id: task.id } });
    const event = (await started).value as StreamedEvent;
    expect(event).toMatchObject({
      kind: 'event',
      event: { kind: 'task', task: { id: task.id, state: 'running' } },
    });
    await first.return(undefined); // the connection breaks
    await client.call('pauseTask', { params: { id: task.id } });
    await client.call('cancelTask', { params: { id: task.id } });
    for await (const next of client.events(event.id)) {
      seen.push(next);
      if (next.kind === 'event' && next.event.kind === 'task' && next.event.task.state === 'cancelled') break;
    }
    const numbers = seen.map(({ id }) => Number(id.split('-')[1]));
    const from = Number(event.id.split('-')[1]) + 1;
    expect(numbers).toEqual(numbers.map((_, index) => from + index)); // none lost, none twice
    const states = seen.flatMap((each) =>
      each.kind === 'event' && each.event.kind === 'task' ? [each.event.task.state] : [],
    );
    expect(states).toEqual(expect.arrayContaining(['paused', 'cancelled']));
  });
});
