import { readFile } from 'node:fs/promises';
import { readWeights, type ModelVersion, type RoundDetail, type Task } from '@starling/protocol';
import { layoutOf, parseModel } from '@starling/model';
import { oneHot } from './one-hot.ts';
import { Admin, tinyModel } from './project.ts';
import { RawDevice, sha256 } from './raw-device.ts';
import { databaseTemplate, ServerProcess } from './servers.ts';

const deviceCount = 6;
const goal = 4;

/** After warm-up a server may grow by a quarter and this: what a garbage collector that is in no hurry leaves lying. */
const memoryAllowance = { factor: 1.25, bytes: 48 * 2 ** 20 };

export interface ProcessSoakOptions {
  readonly minutes: number;
  readonly say: (line: string) => void;
}

export interface ProcessSoakReport {
  readonly kills: number;
  readonly roundsPublished: number;
  readonly acknowledged: number;
  readonly warmBytes: number;
  readonly endBytes: number;
}

/**
 * A server in a process of its own and devices that never stop, for so long. In the first half the server is killed and
 * started again all the time; in the second it is left alone, and its memory is watched. Throws for the first thing that is
 * not as it must be: no round in a while, an end that nobody asked for, an update that is lost or counted twice, memory.
 */
export async function soakProcesses({ minutes, say }: ProcessSoakOptions): Promise<ProcessSoakReport> {
  const template = await databaseTemplate();
  const server = await ServerProcess.onCopyOf(template.path);
  await template.remove();
  const halfMs = minutes * 30_000;
  let stopped = false;
  let work: Promise<void>[] = [];
  try {
    await server.start();
    const admin = new Admin(server.url, template.key);
    const token = await admin.enrolmentToken();
    const devices = await Promise.all(
      Array.from({ length: deviceCount }, () => RawDevice.enrolled(server.url, token)),
    );
    const task = await admin.tinyTask({
      rounds: 1_000_000,
      cohort: { goal, minimum: 3, overSelection: 1.5 },
      windows: { selectingMs: 5_000, trainingMs: 5_000, aggregatingMs: 5_000 },
    });
    await admin.post(`/v1/tasks/${task.id}/start`);
    /** Of each round, which devices were told that their update is held. */
    const acknowledged = new Map<string, Set<number>>();
    work = devices.map(async (device, index) => {
      while (!stopped) {
        await step(device, index, acknowledged).catch(() => undefined); // it was killed: the device asks again
        await sleep(40);
      }
    });
    const published = async () => (await admin.get<Task>(`/v1/tasks/${task.id}`)).roundsPublished;

    let kills = 0;
    let before = 0;
    for (const end = performance.now() + halfMs; performance.now() < end;) {
      await sleep(5_000 + 10_000 * Math.random());
      if (!server.running) throw new Error(`The server ended by itself: ${server.output}`);
      await server.kill();
      kills++;
      await server.start();
      await openSessions(devices);
      before = await progress(published, before, say);
    }

    const samples: number[] = [];
    for (const end = performance.now() + halfMs; performance.now() < end;) {
      await sleep(Math.min(10_000, halfMs / 8));
      if (!server.running) throw new Error(`The server ended by itself: ${server.output}`);
      samples.push(await residentBytes(server.pid));
      before = await progress(published, before, say);
    }
    const quarter = Math.max(1, samples.length >> 2);
    const warmBytes = Math.max(...samples.slice(0, quarter));
    const endBytes = Math.min(...samples.slice(-quarter));
    if (endBytes > warmBytes * memoryAllowance.factor + memoryAllowance.bytes) {
      throw new Error(`The server grew from ${megabytes(warmBytes)} to ${megabytes(endBytes)} MB.`);
    }

    await admin.post(`/v1/tasks/${task.id}/pause`);
    stopped = true;
    await Promise.all(work);
    await sleep(16_000); // longer than the windows of the round under way
    await checkCounts(admin, task, acknowledged);
    if (/unhandled|uncaught/i.test(server.output)) throw new Error(`In the server's log: ${server.output}`);
    const held = [...acknowledged.values()].reduce((sum, devices) => sum + devices.size, 0);
    return { kills, roundsPublished: before, acknowledged: held, warmBytes, endBytes };
  } finally {
    stopped = true;
    await Promise.all(work);
    await server.kill();
    await server.remove();
  }
}

/** Rounds are published all along: some within each half a minute, which is more than all windows of one. */
async function progress(
  published: () => Promise<number>,
  before: number,
  say: (line: string) => void,
): Promise<number> {
  for (const end = performance.now() + 30_000; performance.now() < end;) {
    await sleep(500);
    const now = await published();
    if (now > before) {
      say(`${now} rounds published`);
      return now;
    }
  }
  throw new Error(`No round was published in half a minute after ${before}.`);
}

/** Sessions outlive a restart, but not the hour. */
async function openSessions(devices: readonly RawDevice[]): Promise<void> {
  for (const device of devices) await device.openSession();
}

async function step(device: RawDevice, index: number, acknowledged: Map<string, Set<number>>): Promise<void> {
  const assignment = await device.assignment();
  if (!assignment) return;
  const { id, state, roundId } = assignment;
  const update = oneHot(assignment, index);
  if (state === 'offered') await device.say(id, 'accept');
  if (state === 'accepted') await device.say(id, 'begin');
  if (state === 'training') await device.say(id, 'ready', { digest: sha256(update), bytes: update.length });
  if (state !== 'grouped') return;
  const head = await device.send('HEAD', `/v1/device/assignments/${id}/update`);
  const start = Number(head.headers.get('upload-offset'));
  const { body } = await device.part(id, update, { start, end: update.length, last: true });
  if (body.state !== 'uploaded' && body.state !== 'counted') return;
  const devices = acknowledged.get(roundId) ?? new Set();
  acknowledged.set(roundId, devices.add(index));
}

/** Each published round holds every acknowledged update of it once, no other more than once, and nothing else. */
async function checkCounts(admin: Admin, task: Task, acknowledged: Map<string, Set<number>>): Promise<void> {
  const layout = layoutOf(parseModel(tinyModel));
  const rounds = await all<RoundDetail>(admin, `/v1/tasks/${task.id}/rounds`);
  const versions = (await all<ModelVersion>(admin, `/v1/tasks/${task.id}/versions`)).reverse();
  let before: Float32Array | undefined;
  for (const { weights, round, number } of versions) {
    const answer = await fetch(`${admin.url}/v1/blobs/${weights}`, {
      headers: { authorization: `Bearer ${admin.key}` },
    });
    const after = readWeights(layout, new Uint8Array(await answer.arrayBuffer()));
    if (before) {
      const detail = rounds.find(({ id }) => id === round);
      const metrics = detail?.metrics as { devices: number } | null | undefined; // of a training round
      if (!detail || !metrics) throw new Error(`Version ${number} is of no round.`);
      const held = [...after].map(
        (value, index) => Math.round((value - before![index]!) * metrics.devices * 100) / 100,
      );
      if (held.some((count) => count !== 0 && count !== 1)) {
        throw new Error(`Round ${detail.id} holds ${held.join()}: something was counted twice or wrongly.`);
      }
      for (const index of acknowledged.get(detail.id) ?? []) {
        if (held[index] !== 1)
          throw new Error(`Round ${detail.id} lacks the acknowledged update of device ${index}.`);
      }
    }
    before = after;
  }
  for (const { id, state, reason } of rounds) {
    if (state === 'abandoned' ? reason === null : state !== 'published') {
      throw new Error(`Round ${id} is ${state} (${reason ?? 'without a reason'}).`);
    }
  }
}

async function all<T>(admin: Admin, path: string): Promise<T[]> {
  const found: T[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const page: { items: T[]; next: string | null } = await admin.get(
      `${path}?limit=200${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`,
    );
    found.push(...page.items);
    cursor = page.next;
  }
  return found;
}

/** Memory that a process of this machine has (Linux). */
async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
