import { randomBytes } from 'node:crypto';
import { createDevice, type Device, type SecureOptions } from '@starling/client-sdk';
import { nodeHost } from '@starling/client-sdk/node';
import {
  writeUpdateFile,
  type Assignment,
  type GroupSummary,
  type ModelVersion,
  type Plan,
  type Problem,
  type Round,
  type RoundDetail,
  type Task,
} from '@starling/protocol';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from './testing/project.ts';
import { RawDevice, sha256, updateFile } from './testing/raw-device.ts';
import { temporaryDirectory, testServer, type TestServer } from './testing/servers.ts';

/** What devices and people hold a secure task to: encodings, groups that end, and a device's own rules. */
let world: TestServer;
let tests = 0;
let devices: Device[];
let errors: Error[];
const labels = () => ({ test: String(tests) });

beforeAll(async () => {
  world = await testServer();
});
afterAll(() => world.close());
beforeEach(() => {
  tests++;
  [devices, errors] = [[], []];
});
afterEach(() => Promise.all(devices.map((device) => device.stop())));

/** A device whose update has known values on no grid: by its number. */
async function knownDevice(directory: string, number: number, secure: SecureOptions = {}): Promise<Device> {
  const host = nodeHost({ directory: join(directory, String(number)) });
  const device = createDevice({
    server: world.server.url,
    enrolmentToken: await world.admin.enrolmentToken(labels()),
    examples: () => Promise.resolve({ x: new Float32Array(20), y: new Int32Array(5), count: 5 }),
    secure,
    host: {
      ...host,
      trainer: {
        run: (job) => {
          if (job.kind !== 'contribute') throw new TypeError('These devices contribute, and nothing else.');
          return Promise.resolve({ bytes: onGrid(job.assignment, number) });
        },
        close: () => Promise.resolve(),
      },
    },
  });
  device.on('error', (error) => errors.push(error));
  devices.push(device);
  return device;
}

/** Values that the assignment's encoding carries exactly, as a device rounds them. */
function onGrid({ blocks }: Pick<Assignment, 'blocks'>, number: number): Uint8Array {
  const values = blocks.map(({ name, size, scaleBits, clip }) => {
    const step = 2 ** -scaleBits;
    const value = (at: number) => Math.round((Math.sin(1 + 7 * number + at) * clip) / step) * step;
    return [
      name,
      Float64Array.from({ length: size }, (_, at) => (name === 'metrics' ? at + number : value(at))),
    ];
  });
  return writeUpdateFile(blocks, Object.fromEntries(values) as Record<string, Float64Array>, 1);
}

const selected = (goal: number, minimum = goal): Pick<Plan, 'cohort'> => ({
  cohort: { goal, minimum, overSelection: 1, select: labels() },
});
const encoding = { scaleBits: 10, clip: 1 };
const secure = { groupSize: { target: 3, minimum: 3 }, ring: 16 } as const;
const short: Partial<Plan> = { encoding, maxWeight: 1, secure };

async function run(changes: Partial<Plan>): Promise<Task> {
  const task = await world.admin.tinyTask(changes);
  await world.admin.post(`/v1/tasks/${task.id}/start`);
  return task;
}

async function endedRound({ id }: Task): Promise<RoundDetail> {
  const ended = async () => {
    const { items } = await world.admin.get<{ items: Round[] }>(`/v1/tasks/${id}/rounds`);
    const first = items.at(-1);
    if (!first?.endedAt) return undefined;
    return world.admin.get<RoundDetail>(`/v1/rounds/${first.id}`);
  };
  return eventually('the first round to end', ended, 60_000);
}

async function published({ id }: Task): Promise<string[]> {
  const { items } = await world.admin.get<{ items: ModelVersion[] }>(`/v1/tasks/${id}/versions`);
  return items.map(({ digest }) => digest).reverse();
}

describe('a ring of 16 bits', { timeout: 180_000 }, () => {
  it('publishes in two bytes a parameter what the clear task publishes, bit for bit', async () => {
    const place = await temporaryDirectory();
    for (const number of [0, 1, 2]) await (await knownDevice(place.path, number)).start();
    const task = await run({ ...short, ...selected(3) });
    const round = await endedRound(task);
    expect(round.state).toBe('published');
    expect(errors).toEqual([]);
    const group = round.groups[0]!;
    expect(round.groups).toEqual([{ ...group, state: 'summed', reason: null, size: 3, survivors: 3 }]);
    // 15 parameters and the weight of 2 bytes, 6 metrics of 40 bits over words of 13 bits and less.
    expect(round.bytesUp).toBe(3 * 2 * (15 + 1 + 6 * 4));
    const second = await run({
      encoding: { ...encoding, rounding: 'stochastic' },
      maxWeight: 1,
      ...selected(3),
    });
    expect((await endedRound(second)).groups).toEqual([]);
    expect(await published(task)).toEqual(await published(second));
    await Promise.all(devices.map((device) => device.stop()));
    await place.remove();
  });

  it('is refused when a parameter takes more than a word, and the refusal says what to lower', async () => {
    const error: unknown = await world.admin
      .tinyTask({ maxWeight: 1, secure, ...selected(3) })
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: 'invalid-plan',
      extra: { errors: [{ path: 'plan.secure (training)' }] },
    });
    expect(String(error)).toContain('Block "parameters": 5 contributions of weight up to 1');
    expect(String(error)).toContain('need 32.3 bits; 15 are exact. Lower scaleBits to 6');
    // With what it says, the plan is taken; with one bit more it is not.
    const tight = (scaleBits: number) =>
      world.admin.tinyTask({ ...short, encoding: { scaleBits, clip: 64 }, ...selected(3) });
    expect((await tight(6)).state).toBe('draft');
    await expect(tight(7)).rejects.toMatchObject({ code: 'invalid-plan' });
  });
});

describe('a round of a secure task, as an admin sees it', { timeout: 180_000 }, () => {
  it('lists groups that were aborted, and why, but not who was in them', async () => {
    const token = await world.admin.enrolmentToken(labels());
    const silent = await Promise.all(
      [0, 1, 2].map(() => RawDevice.enrolled(world.server.url, token, randomBytes(32))),
    );
    for (const device of silent) await device.assignment();
    const task = await run({
      ...selected(3),
      secure: { groupSize: { target: 3, minimum: 3 }, ring: 32 },
      windows: { selectingMs: 60_000, trainingMs: 60_000, aggregatingMs: 2_000 },
    });
    for (const device of silent) {
      const { id } = await eventually('an offer', async () => (await device.assignment()) ?? undefined);
      for (const action of ['accept', 'begin', 'ready']) await device.say(id, action);
    }
    const open = await world.admin.get<{ items: Round[] }>(`/v1/tasks/${task.id}/rounds`);
    const during = await world.admin.get<RoundDetail>(`/v1/rounds/${open.items[0]!.id}`);
    expect(during.groups).toMatchObject([{ size: 3, survivors: null }]);
    const round = await endedRound(task);
    const [group] = round.groups as [GroupSummary];
    expect(round.groups).toEqual([
      { ...group, state: 'aborted', reason: 'too-few-keys', size: 3, survivors: null },
    ]);
    expect(Date.parse(group.endedAt!)).toBeGreaterThan(Date.parse(group.openedAt));
    expect(Object.keys(group).sort()).toEqual([
      'endedAt',
      'id',
      'needed',
      'openedAt',
      'reason',
      'size',
      'state',
      'survivors',
    ]);
    const text = JSON.stringify(round);
    for (const { deviceId } of silent) expect(text).not.toContain(deviceId);
    await world.admin.post(`/v1/tasks/${task.id}/cancel`);
  });
});

describe("a device's own rules", { timeout: 180_000 }, () => {
  it('keep it from groups with devices that it does not know: its code reaches the app and the round', async () => {
    const place = await temporaryDirectory();
    await (await knownDevice(place.path, 0, { knows: () => false })).start();
    for (const number of [1, 2]) await (await knownDevice(place.path, number)).start();
    const task = await run({ ...short, ...selected(3) });
    const refused = await eventually('the refusal', () =>
      Promise.resolve(errors.find((error) => 'code' in error)),
    );
    expect(refused).toMatchObject({ name: 'Refusal', code: 'unknown-identity' });
    await world.admin.post(`/v1/tasks/${task.id}/cancel`);
    expect(await published(task)).toHaveLength(1);
    await Promise.all(devices.map((device) => device.stop()));
    await place.remove();
  });
});

describe('a clear update that is longer than the plan clips it to', () => {
  it('is refused; one of that length is taken', async () => {
    const token = await world.admin.enrolmentToken(labels());
    const raw = await Promise.all(
      [0, 1].map(() => RawDevice.enrolled(world.server.url, token, randomBytes(32))),
    );
    for (const device of raw) await device.assignment();
    const learning = { algorithm: 'fedavg', epochs: 1, batchSize: 8, rate: 0.1, clipNorm: 0.5 } as const;
    const task = await run({ ...selected(2, 1), learning });
    const offers = await Promise.all(
      raw.map((device) => eventually('an offer', async () => (await device.assignment()) ?? undefined)),
    );
    for (const [index, device] of raw.entries()) await device.say(offers[index]!.id, 'accept');
    // 0.3 and 0.4: a norm of 0.5; 0.4 twice: more, though no value is larger.
    const fitting = updateFile(offers[0]!, { parameters: { 0: 0.3, 7: 0.4 } });
    const longer = updateFile(offers[1]!, { parameters: { 0: 0.4, 7: 0.4 } });
    for (const [device, offer, update] of [
      [raw[0]!, offers[0]!, fitting],
      [raw[1]!, offers[1]!, longer],
    ] as const) {
      await device.say(offer.id, 'begin');
      await device.say(offer.id, 'ready', { digest: sha256(update), bytes: update.length });
    }
    const refused = await raw[1]!.upload(offers[1]!.id, longer);
    expect(refused.status).toBe(422);
    expect((refused.body as unknown as Problem).code).toBe('update-norm-exceeded');
    expect((await raw[0]!.upload(offers[0]!.id, fitting)).body.state).toBe('uploaded');
    const round = await endedRound(task);
    expect(round.funnel).toEqual({ states: { counted: 1, dropped: 1 }, dropped: { 'update-refused': 1 } });
  });
});
