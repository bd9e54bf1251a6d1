import { afterAll, beforeAll, describe, it } from 'vitest';
import { clearFleet, clearPoints, diesInClearRound } from './clear.ts';
import { diesInJob, jobPoints } from './jobs.ts';
import { diesInRequest, requestPoints } from './requests.ts';
import { diesInRetention, retentionPoints } from './retention.ts';
import { diesInSecureRound, secureFleet, securePoints, type SecureFleet } from './secure.ts';
import type { KillWorld } from './worlds.ts';

/** With STARLING_SOAK=1 every point in every world; otherwise each in one of the two worlds. */
const isSoak = process.env['STARLING_SOAK'] === '1';

const allPoints = [
  ...clearPoints.map((point) => `clear ${point}`),
  ...securePoints.map((point) => `secure ${point}`),
  ...jobPoints.map((point) => `job ${point}`),
  ...requestPoints.map((point) => `request ${point}`),
  ...retentionPoints.map((point) => `retention ${point}`),
];

/** The tests of a world in which a server dies by SIGKILL at named points. `half` says which points are its own. */
export function killMatrix(makeWorld: () => Promise<KillWorld>, half: 0 | 1): void {
  const chosen = allPoints.filter((_, index) => isSoak || index % 2 === half);
  const of = (kind: string) =>
    chosen.filter((point) => point.startsWith(`${kind} `)).map((point) => point.slice(kind.length + 1));
  const resumed: { point: string; ms: number }[] = [];
  const record = async (point: string, death: Promise<number>) => {
    resumed.push({ point, ms: await death });
  };
  let world: KillWorld;
  let devices: Awaited<ReturnType<typeof clearFleet>>;
  beforeAll(async () => {
    world = await makeWorld();
    devices = await clearFleet(world);
  }, 120_000);
  afterAll(async () => {
    console.log(summaryOf(resumed));
    await world.close();
  });

  it.each(of('clear'))('at %s counts every update once in a clear round', async (point) => {
    await world.revive();
    await record(point, diesInClearRound(world, devices, point));
  });

  describe('in a secure round', () => {
    let fleet: SecureFleet;
    beforeAll(async () => {
      await world.revive();
      fleet = await secureFleet(world);
    }, 120_000);
    afterAll(() => fleet.close());

    it.each(of('secure'))('at %s publishes the exact sum, or nothing of the group', async (point) => {
      await world.revive();
      await record(point, diesInSecureRound(world, fleet, point));
    });
  });

  it.each(of('job'))('at %s makes one version of a job', async (point) => {
    await world.revive();
    await record(point, diesInJob(world, point));
  });

  it.each(of('request'))('at %s does once what was asked, or not at all', async (point) => {
    await world.revive();
    await record(point, diesInRequest(world, point));
  });

  it.each(of('retention'))('at %s removes what is old, and nothing that is needed', async (point) => {
    await record(point, diesInRetention(world, devices, point));
  });
}

/** Figures of the run: times depend on the machine and on what else it does. */
function summaryOf(resumed: { point: string; ms: number }[]): string {
  const sorted = [...resumed].sort((one, other) => one.ms - other.ms);
  const slowest = sorted.at(-1);
  const median = sorted[sorted.length >> 1];
  if (!slowest || !median) return 'no point was passed';
  const each = isSoak ? `\n${resumed.map(({ point, ms }) => `  ${point}: ${ms} ms`).join('\n')}` : '';
  return `${resumed.length} kills, 0 lost, 0 doubled; went on after ${median.ms} ms in the median, ${slowest.ms} ms at most (${slowest.point})${each}`;
}
