import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ProblemError, readWeights, type Assignment, type RoundDetail, type Task } from '@starling/protocol';
import { layoutOf, parseModel } from '@starling/model';
import { eventually, tinyModel, tinySize, type Admin } from './testing/project.ts';
import { RawDevice, sha256, updateFile } from './testing/raw-device.ts';
import { testServer, type TestServer } from './testing/servers.ts';

/** What a broken or hostile device may send in a round, and that the round is unharmed by it. */
describe('an update that does not fit', () => {
  let world: TestServer;
  let admin: Admin;
  let task: Task;
  let devices: RawDevice[];
  let offers: Assignment[];

  beforeAll(async () => {
    world = await testServer();
    admin = world.admin;
  });
  afterAll(() => world.close());

  beforeEach(async () => {
    const token = await admin.enrolmentToken({ test: expect.getState().currentTestName?.slice(-60) ?? '' });
    devices = await Promise.all([0, 1, 2].map(() => RawDevice.enrolled(world.server.url, token)));
    const select = { test: expect.getState().currentTestName?.slice(-60) ?? '' };
    task = await admin.tinyTask({ cohort: { goal: 3, minimum: 2, overSelection: 1, select } });
    await admin.post(`/v1/tasks/${task.id}/start`);
    offers = await Promise.all(
      devices.map((device) => eventually('an offer', async () => (await device.assignment()) ?? undefined)),
    );
    // With all accepted the round is training, and whoever is ready is grouped at once.
    for (const [index, device] of devices.entries()) await device.say(offers[index]!.id, 'accept');
  });

  /** Devices 1 and 2 do the round properly; the published version is the mean of their updates alone. */
  async function expectUnharmedRound(): Promise<RoundDetail> {
    for (const index of [1, 2]) {
      const update = updateFile(offers[index]!, { parameters: { [index]: 1 } });
      await devices[index]!.reachUpload(offers[index]!, update);
      expect((await devices[index]!.upload(offers[index]!.id, update)).body.state).toBe('uploaded');
    }
    const round = await eventually('the round to end', async () => {
      const seen = await admin.get<RoundDetail>(`/v1/rounds/${offers[0]!.roundId}`);
      return seen.endedAt === null ? undefined : seen;
    });
    expect(round.state).toBe('published');
    expect(round.funnel.states).toEqual({ counted: 2, dropped: 1 });
    const delta = await publishedDelta(admin, round);
    expect([...delta.subarray(0, 3)]).toEqual([0, 0.5, 0.5]);
    return round;
  }

  async function refused(update: Uint8Array, code: string): Promise<void> {
    const [device] = devices;
    const [offer] = offers;
    await device!.reachUpload(offer!, update);
    const answer = await device!.upload(offer!.id, update);
    expect(answer.body).toMatchObject({ code });
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    const round = await expectUnharmedRound();
    expect(round.funnel.dropped).toEqual({ 'update-refused': 1 });
  }

  it('is refused when it holds NaN', () =>
    refused(updateFile(offers[0]!, { parameters: { 3: Number.NaN } }), 'update-not-finite'));
  it('is refused when it holds infinity', () =>
    refused(updateFile(offers[0]!, { parameters: { 0: Number.POSITIVE_INFINITY } }), 'update-not-finite'));
  it('is refused when a value exceeds the range of the fixed point', () =>
    refused(updateFile(offers[0]!, { parameters: { 0: 65 } }), 'update-out-of-range'));
  it('is refused when its weight is zero', () =>
    refused(updateFile(offers[0]!, {}, 0), 'update-weight-invalid'));
  it('is refused when its weight is above the plan', () =>
    refused(updateFile(offers[0]!, {}, 4097), 'update-weight-invalid'));
  it('is refused when a block has another length', () => {
    const blocks = offers[0]!.blocks.map((block) => ({
      ...block,
      size: block.name === 'parameters' ? 14 : block.size,
    }));
    return refused(updateFile({ blocks }), 'update-wrong-shape');
  });
  it('is refused when it lacks a block', () =>
    refused(updateFile({ blocks: offers[0]!.blocks.slice(0, 1) }), 'update-wrong-shape'));
  it('is refused when it is no safetensors file', () =>
    refused(new TextEncoder().encode('GET / HTTP/1.1'), 'update-malformed'));

  it('is refused when its bytes are not those announced', async () => {
    const announced = updateFile(offers[0]!);
    const sent = updateFile(offers[0]!, { parameters: { 0: 1 } });
    await devices[0]!.reachUpload(offers[0]!, announced);
    const answer = await devices[0]!.upload(offers[0]!.id, sent);
    expect(answer.body).toMatchObject({ code: 'upload-digest-mismatch' });
    await expectUnharmedRound();
  });

  it('is refused when it grows beyond its announced length', async () => {
    const update = updateFile(offers[0]!);
    await devices[0]!.reachUpload(offers[0]!, update);
    const longer = new Uint8Array(update.length + 1);
    longer.set(update);
    const answer = await devices[0]!.upload(offers[0]!.id, longer);
    expect(answer.body).toMatchObject({ code: 'upload-too-large' });
    await devices[0]!.say(offers[0]!.id, 'fail', { reason: 'test over' });
    await expectUnharmedRound();
  });

  it('is taken once: the same bytes get the same answer, other bytes are refused', async () => {
    const update = updateFile(offers[0]!, { parameters: { 0: 1 } });
    const other = updateFile(offers[0]!, { parameters: { 0: 2 } });
    await devices[0]!.reachUpload(offers[0]!, update);
    const first = await devices[0]!.upload(offers[0]!.id, update);
    const again = await devices[0]!.upload(offers[0]!.id, update);
    expect(first.body).toEqual({ offset: update.length, state: 'uploaded' });
    expect(again.body).toEqual(first.body);
    const changed = await devices[0]!.upload(offers[0]!.id, other);
    expect(changed.body).toMatchObject({ code: 'update-already-received' });
    for (const index of [1, 2]) {
      const mine = updateFile(offers[index]!, { parameters: { [index]: 1 } });
      await devices[index]!.reachUpload(offers[index]!, mine);
      await devices[index]!.upload(offers[index]!.id, mine);
    }
    const round = await eventually('the round to end', async () => {
      const seen = await admin.get<RoundDetail>(`/v1/rounds/${offers[0]!.roundId}`);
      return seen.endedAt === null ? undefined : seen;
    });
    const delta = await publishedDelta(admin, round);
    expect([...delta.subarray(0, 3)].map((value) => Math.round(value * 3))).toEqual([1, 1, 1]);
    const late = await devices[0]!.upload(offers[0]!.id, other);
    expect(late.body).toMatchObject({ code: 'update-already-received' });
  });

  it('cannot be handed in for another device, or for a round that is over', async () => {
    const stranger = await RawDevice.enrolled(world.server.url, await admin.enrolmentToken());
    const update = updateFile(offers[0]!);
    await devices[0]!.reachUpload(offers[0]!, update);
    expect((await stranger.upload(offers[0]!.id, update)).body).toMatchObject({ code: 'not-found' });
    await admin.post(`/v1/tasks/${task.id}/cancel`);
    expect((await devices[0]!.upload(offers[0]!.id, update)).body).toMatchObject({
      code: 'assignment-closed',
    });
  });

  it('goes on where a broken-off upload ended, and is never half-counted', async () => {
    const update = updateFile(offers[0]!, { parameters: { 0: 1 } });
    await devices[0]!.reachUpload(offers[0]!, update);
    const { id } = offers[0]!;
    const half = update.length >> 1;
    const first = await devices[0]!.part(id, update, { start: 0, end: half, last: false });
    expect(first.body).toEqual({ offset: half, state: 'grouped' });
    const during = await admin.get<RoundDetail>(`/v1/rounds/${offers[0]!.roundId}`);
    expect(during.bytesUp).toBe(0);
    const wrong = await devices[0]!.part(id, update, { start: 0, end: half, last: false });
    expect(wrong.body).toMatchObject({ code: 'upload-offset-mismatch', offset: half });
    const early = await devices[0]!.part(id, update, { start: half, end: half, last: true });
    expect(early.body).toMatchObject({ code: 'upload-offset-mismatch', offset: half });
    const head = await devices[0]!.send('HEAD', `/v1/device/assignments/${id}/update`);
    expect(head.headers.get('upload-offset')).toBe(String(half));
    const rest = await devices[0]!.part(id, update, { start: half, end: update.length, last: true });
    expect(rest.body).toEqual({ offset: update.length, state: 'uploaded' });
  });
});

describe('a device that is not one', () => {
  let world: TestServer;
  beforeAll(async () => {
    world = await testServer();
  });
  afterAll(() => world.close());

  it('gets nowhere without a session, with a forged one, or with a used challenge', async () => {
    const device = await RawDevice.enrolled(world.server.url, await world.admin.enrolmentToken());
    const unknown = new RawDevice(world.server.url);
    expect((await unknown.send('GET', '/v1/device/assignment')).body).toMatchObject({
      code: 'unauthenticated',
    });
    const forged = await unknown.send('GET', '/v1/device/assignment', undefined, {
      authorization: `Bearer session.${device.deviceId}.99999999999999.AAAA`,
    });
    expect(forged.body).toMatchObject({ code: 'unauthenticated' });
    const withKey = await unknown.send('GET', '/v1/device/assignment', undefined, {
      authorization: `Bearer ${world.admin.key}`,
    });
    expect(withKey.body).toMatchObject({ code: 'unauthenticated' });
  });

  it('cannot enrol with a bad token or a key that it does not hold', async () => {
    const device = new RawDevice(world.server.url);
    await expect(device.enrol('et_nobody-made-this')).rejects.toMatchObject({ code: 'enrolment-refused' });
    const token = await world.admin.enrolmentToken();
    const answer = await device.send('POST', '/v1/devices', {
      enrolmentToken: token,
      publicKey: 'A'.repeat(43),
      proof: 'A'.repeat(86),
      platform: 'test',
      sdkVersion: '0',
    });
    expect(answer.body).toMatchObject({ code: 'signature-invalid' });
  });

  it('is out once it is revoked', async () => {
    const device = await RawDevice.enrolled(world.server.url, await world.admin.enrolmentToken());
    await world.admin.post(`/v1/devices/${device.deviceId}/revoke`);
    expect((await device.send('GET', '/v1/device/assignment')).body).toMatchObject({
      code: 'device-revoked',
    });
    await expect(device.openSession()).rejects.toMatchObject({ code: 'device-revoked' });
  });

  it('cannot choose the labels that its enrolment token fixed', async () => {
    const token = await world.admin.enrolmentToken({ split: 'held-out' });
    const device = await RawDevice.enrolled(world.server.url, token);
    const seen = await world.admin.get<{ labels: object }>(`/v1/devices/${device.deviceId}`);
    expect(seen.labels).toEqual({ split: 'held-out' });
  });

  it('refuses a second device under a token that may be used once', async () => {
    const { token } = await world.admin.post<{ token: string }>('/v1/enrolment-tokens', { maxUses: 1 });
    const first = await RawDevice.enrolled(world.server.url, token);
    await expect(RawDevice.enrolled(world.server.url, token)).rejects.toBeInstanceOf(ProblemError);
    const again = await RawDevice.enrolled(world.server.url, token, first.seed);
    expect(again.deviceId).toBe(first.deviceId);
  });
});

/** Published version minus its base, by weight. */
async function publishedDelta(admin: Admin, round: RoundDetail): Promise<Float32Array> {
  const layout = layoutOf(parseModel(tinyModel));
  const read = async (id: string | null) => {
    const { weights } = await admin.get<{ weights: string }>(`/v1/versions/${id ?? ''}`);
    const answer = await fetch(`${admin.url}/v1/blobs/${weights}`, {
      headers: { authorization: `Bearer ${admin.key}` },
    });
    const bytes = new Uint8Array(await answer.arrayBuffer());
    expect(sha256(bytes)).toBe(weights);
    return readWeights(layout, bytes);
  };
  const [base, published] = [await read(round.baseVersion), await read(round.publishedVersion)];
  expect(base.length).toBe(tinySize);
  // Weights are stored as float32: the difference is exact to their rounding, and the updates are powers of two.
  return published.map((value, index) => Math.round((value - base[index]!) * 2 ** 20) / 2 ** 20);
}
