import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import {
  toBase64Url,
  utf8Encode,
  type ChallengeAnswer,
  type EnrolmentToken,
  type Task,
} from '@starling/protocol';
import { identityFromSeed, sign } from '@starling/secure';
import { Admin, eventually, tinyModel, tinyPlan } from '../project.ts';
import { RawDevice } from '../raw-device.ts';
import { resumedAfter } from './death.ts';
import type { KillWorld } from './worlds.ts';

/** Single requests after which nothing more follows: each with what must hold when it is said again. */
const requests: Record<string, (world: KillWorld, point: string) => Promise<number>> = {
  'request-claimed': diesInPost,
  'answer-kept': diesInPost,
  'task-created': diesInTask,
  'device-enrolled': diesInEnrolment,
  'session-opened': diesInSession,
};
export const requestPoints = Object.keys(requests);

/** Gives the time until the same request was answered, in milliseconds. */
export function diesInRequest(world: KillWorld, point: string): Promise<number> {
  const dies = requests[point];
  if (!dies) throw new TypeError(`No request dies at ${point}.`);
  return dies(world, point);
}

/** A POST under an Idempotency-Key: done once, whether the first attempt or the next one did it, and answered the same. */
async function diesInPost(world: KillWorld, point: string): Promise<number> {
  const mark = randomUUID();
  const post = (url: string) =>
    new Admin(url, world.admin.key).call(
      'POST',
      '/v1/enrolment-tokens',
      { labels: { mark } },
      { 'idempotency-key': mark },
    );
  const resumedMs = await diesIn(
    world,
    point,
    () => post(world.victim.url),
    () => post(world.admin.url),
  );
  const first = await eventually('the key of the dead request to be free', async () => {
    const answer = await post(world.admin.url);
    return answer.status === 201 ? answer : undefined;
  });
  expect((await post(world.admin.url)).body).toEqual(first.body);
  const made = (await tokensOf(world.admin)).filter(({ labels }) => labels['mark'] === mark);
  expect(made.map(({ id }) => id)).toEqual([(first.body as EnrolmentToken).id]);
  return resumedMs;
}

/** A task that was created, and nobody was told: it is there once, and the same request makes no other. */
async function diesInTask(world: KillWorld, point: string): Promise<number> {
  const name = `task ${randomUUID()}`;
  const { digest } = await world.admin.post<{ digest: string }>('/v1/models', tinyModel);
  const post = (url: string) =>
    new Admin(url, world.admin.key).call(
      'POST',
      '/v1/tasks',
      { name, model: digest, plan: tinyPlan() },
      { 'idempotency-key': name },
    );
  const resumedMs = await diesIn(
    world,
    point,
    () => post(world.victim.url),
    () => post(world.admin.url),
  );
  const { status, body } = await post(world.admin.url); // its answer was kept with it
  expect({ status, body }).toMatchObject({ status: 201, body: { name } });
  const { items } = await world.admin.get<{ items: Task[] }>('/v1/tasks');
  expect(items.filter((task) => task.name === name)).toHaveLength(1);
  return resumedMs;
}

/** An enrolment of which the device does not hear: it enrols again, is the same device, and the token is used once. */
async function diesInEnrolment(world: KillWorld, point: string): Promise<number> {
  const { id, token } = await world.admin.post<EnrolmentToken & { token: string }>('/v1/enrolment-tokens', {
    maxUses: 1,
  });
  const device = new RawDevice(world.victim.url);
  const again = new RawDevice(world.admin.url, device.seed);
  const resumedMs = await diesIn(
    world,
    point,
    () => device.enrol(token),
    () => again.enrol(token),
  );
  await again.openSession();
  const first = again.deviceId;
  await again.enrol(token);
  expect(again.deviceId).toBe(first);
  expect((await tokensOf(world.admin)).find((one) => one.id === id)?.uses).toBe(1);
  return resumedMs;
}

/** A session that was opened, and nobody has its token: the challenge is used, another one is good. */
async function diesInSession(world: KillWorld, point: string): Promise<number> {
  const device = await RawDevice.enrolled(world.admin.url, await world.admin.enrolmentToken());
  const { deviceId } = device;
  const { challenge } = await device.ok<ChallengeAnswer>('POST', '/v1/device/challenge', { deviceId });
  const signature = toBase64Url(sign(identityFromSeed(device.seed), 'session', utf8Encode(challenge)));
  const open = (url: string) =>
    new RawDevice(url).send('POST', '/v1/device/session', { deviceId, challenge, signature });
  const resumedMs = await diesIn(
    world,
    point,
    () => open(world.victim.url),
    () => open(world.admin.url),
  );
  expect((await open(world.admin.url)).body).toMatchObject({ code: 'challenge-invalid' });
  await device.openSession();
  expect(await device.assignment()).toBeNull();
  return resumedMs;
}

async function diesIn(
  world: KillWorld,
  point: string,
  first: () => Promise<unknown>,
  again: () => Promise<unknown>,
): Promise<number> {
  await world.victim.arm(point);
  await expect(first()).rejects.toThrow();
  return resumedAfter(world, world.victim.ended(), async () => {
    await again();
    return true;
  });
}

async function tokensOf(admin: Admin): Promise<EnrolmentToken[]> {
  return (await admin.get<{ items: EnrolmentToken[] }>('/v1/enrolment-tokens')).items;
}
