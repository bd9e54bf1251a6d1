import { describe, expect, it } from 'vitest';
import type { RoundDetail, Task } from '@starling/protocol';
import { startServer } from '@starling/server';
import { openPostgres } from '@starling/server/storage';
import { oneHot, countsBetween, versionsOf } from './testing/one-hot.ts';
import { postgresFile } from './testing/postgres-file.ts';
import { Admin, eventually, tinySize } from './testing/project.ts';
import { RawDevice } from './testing/raw-device.ts';
import { ServerProcess } from './testing/servers.ts';
import { devicesIn, roundsOf } from './testing/tasks.ts';

const deviceCount = 60;
const rounds = 6;
const cohort = { goal: 20, minimum: 15, overSelection: 1.3 };
/** Between two words of a device. */
const pauseMs = 100;

const postgres = await postgresFile();
const { cleanups } = postgres;

describe.skipIf(postgres.missing !== undefined)(
  postgres.missing ?? `two nodes with ${deviceCount} devices at work`,
  () => {
    it(
      'are restarted one after the other, and no acknowledged update is lost',
      { timeout: 480_000 },
      async () => {
        const place = await postgres.place();
        const { dataDirectory, databaseUrl } = place;
        const first = await startServer({ ...place, logLevel: 'silent' });
        await first.close();
        const nodes = [0, 1].map(
          () => new ServerProcess(dataDirectory, { STARLING_DATABASE_URL: databaseUrl }),
        );
        for (const node of nodes) {
          cleanups.push(() => node.kill());
          await node.start();
        }
        const admin = new Admin(nodes[0]!.url, first.firstKey ?? '');
        const token = await admin.enrolmentToken();
        const devices = await Promise.all(
          Array.from({ length: deviceCount }, () => RawDevice.enrolled(nodes[1]!.url, token)),
        );
        const task = await admin.tinyTask({ rounds, cohort });
        await admin.post(`/v1/tasks/${task.id}/start`);
        const load = start(devices, () => nodes.filter(({ running }) => running).map(({ url }) => url));
        cleanups.push(load.stop);

        const database = await openPostgres(databaseUrl);
        cleanups.push(() => database.close());
        const published = async () => {
          const [row] = await database.query<{ count: number }>(
            "select count(*)::int as count from rounds where state = 'published'",
          );
          return row?.count ?? 0;
        };
        for (const node of nodes) {
          const before = await published();
          await eventually(
            'a round to be published',
            async () => (await published()) > before || undefined,
            150_000, // one that misses a device's word waits for its windows, of a minute each
          );
          await node.stop();
          await node.start();
        }
        await eventually(
          'the task to complete',
          async () => (await admin.get<Task>(`/v1/tasks/${task.id}`)).state === 'completed' || undefined,
          120_000,
        );
        await load.stop();

        const all = await roundsOf(admin, task.id);
        expect(all.map(({ state }) => state)).toEqual(Array(rounds).fill('published'));
        const versions = await versionsOf(admin, task);
        all.forEach((round, index) => {
          expectAllCounted(round, load.acknowledged, versions[index]!, versions[index + 1]!);
        });
      },
    );
  },
);

/** Each device adds 1 at its place: a sum tells how many of those of a place were counted. */
function expectAllCounted(
  round: RoundDetail,
  acknowledged: ReadonlyMap<string, readonly number[]>,
  before: Float32Array,
  after: Float32Array,
): void {
  const counted = devicesIn(round)!;
  const counts = countsBetween(before, after, counted).map(Math.round);
  expect(counts.reduce((sum, count) => sum + count)).toBe(counted);
  expect(round.funnel.states['counted']).toBe(counted);
  const places = acknowledged.get(round.id) ?? [];
  expect(places.length).toBeGreaterThan(0);
  counts.forEach((count, place) => {
    expect(count).toBeGreaterThanOrEqual(places.filter((one) => one === place).length);
  });
}

/** Lets all devices work at nodes that run, another with every request; tells whose updates were acknowledged, by round. */
function start(devices: readonly RawDevice[], nodes: () => string[]) {
  const acknowledged = new Map<string, number[]>();
  let isOver = false;
  let turn = 0;
  const work = devices.map(async (device, index) => {
    const place = index % tinySize;
    while (!isOver) {
      const urls = nodes();
      Object.assign(device, { url: urls[turn++ % urls.length] });
      const roundId = await step(device, place).catch(() => undefined); // the node is going: the next one is asked
      if (roundId !== undefined) acknowledged.set(roundId, [...(acknowledged.get(roundId) ?? []), place]);
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  });
  return {
    acknowledged,
    stop: async () => {
      isOver = true;
      await Promise.all(work);
    },
  };
}

/** One word of a device; the round in which its update was acknowledged, if it was now. */
async function step(device: RawDevice, place: number): Promise<string | undefined> {
  const assignment = await device.assignment();
  if (!assignment) return undefined;
  return (await device.goOn(assignment, oneHot(assignment, place))) ? assignment.roundId : undefined;
}
