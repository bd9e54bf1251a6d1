import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createDevice, type Device } from '@starling/client-sdk';
import { nodeHost } from '@starling/client-sdk/node';
import { parseModel } from '@starling/model';
import type { Device as DeviceView, Plan, RoundDetail } from '@starling/protocol';
import { examplesOf, openPack } from '@starling/simulator';
import { idealFleet, simulate } from '@starling/simulator/simulation';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LocalBackend } from '@starling/server';
import { warmStart } from './testing/jobs.ts';
import { eventually, tinyModel } from './testing/project.ts';
import { temporaryDirectory, testServer, type TestServer } from './testing/servers.ts';
import { completed, runTask, weightsOf } from './testing/tasks.ts';
import { wheelPack } from './testing/wheel-pack.ts';

type Hybrid = NonNullable<Plan['hybrid']>;
const program = fileURLToPath(import.meta.resolve('@starling/simulator/job-process'));

/** In the words of a request: the server fills in the rest. */
const ofThree = {
  ...warmStart,
  ...{ users: ['person-2', 'person-4', 'person-5'], seed: 3 },
  training: { ...warmStart.training, rounds: 5, cohort: { goal: 2 } },
} as Hybrid['work'];

/** What a simulation says of a plan is what a server and its devices do: the same rounds, metrics and weights. */
describe('a simulation beside a server with real devices', () => {
  let place: Awaited<ReturnType<typeof temporaryDirectory>>;
  let world: TestServer;
  let users: string[];
  let keys: string[];
  const devices: Device[] = [];

  beforeAll(async () => {
    place = await temporaryDirectory();
    const wheel = join(place.path, 'pack');
    users = await wheelPack(wheel);
    const local = new LocalBackend({ programs: { embedded: [process.execPath, program] } });
    world = await testServer({ cloud: { backends: [local], dataSets: { wheel } } });
    const pack = await openPack(join(place.path, 'pack'));
    const enrolmentToken = await world.admin.enrolmentToken();
    for (const user of users) {
      const device = createDevice({
        ...{ server: world.server.url, enrolmentToken, labels: { user } },
        examples: () => Promise.resolve(examplesOf(pack, user)),
        host: nodeHost({ directory: join(place.path, user) }),
      });
      devices.push(device);
      await device.start();
    }
    keys = await eventually('all devices to be online', async () => {
      const { items } = await world.admin.get<{ items: DeviceView[] }>('/v1/devices');
      const online = new Map(items.filter((d) => d.online).map((d) => [d.labels['user'], d.publicKey]));
      return online.size === users.length ? users.map((user) => online.get(user)!) : undefined;
    });
  });
  afterAll(async () => {
    await Promise.all(devices.map((device) => device.stop()));
    await world.close();
    await place.remove();
  });

  async function both(changes: Partial<Plan>) {
    const task = await runTask(world.admin, changes);
    const rounds = await completed(world.admin, task);
    const pack = await openPack(join(place.path, 'pack'));
    const { parts } = pack;
    const { report } = await simulate({
      ...{
        model: parseModel(tinyModel),
        plan: task.plan,
        fleet: idealFleet,
        seed: 1,
        threads: 2,
        isTraining: true,
        dataSets: new Map([['wheel', pack]]),
      },
      population: {
        kind: 'pack',
        devices: users.length,
        pack: parts,
        holdout: parts,
        train: users,
        heldOut: [],
      },
      keys,
    });
    return { rounds, report, weights: await weightsOf(world.admin, task) };
  }
  const facts = ({ kind, number, metrics }: Pick<RoundDetail, 'kind' | 'number' | 'metrics'>) => ({
    ...{ kind, number, metrics },
  });

  it.each([
    ['FedAvg with evaluations', {}],
    [
      'Meta-SGD on a coarse grid with momentum',
      {
        learning: {
          ...{
            algorithm: 'meta-sgd',
            innerSteps: 1,
            initialRate: 0.1,
            supportShares: [0.3, 0.5],
            maxQuery: 64,
          },
        },
        optimiser: { kind: 'momentum', rate: { from: 0.5, to: 0.1 }, momentum: 0.9 },
        encoding: { scaleBits: 8, clip: 16, rounding: 'stochastic' },
      } satisfies Partial<Plan>,
    ],
    [
      'FedAvg by Adam with a step in the cloud after every second round',
      {
        optimiser: { kind: 'adam', rate: 0.02, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
        hybrid: { everyRounds: 2, work: ofThree },
      } satisfies Partial<Plan>,
    ],
  ])('publishes the same: %s', async (_, changes) => {
    const spec = { goal: 4, minimum: 4, supportShares: [0.5], steps: [1, 3], rate: 0.1 };
    const { rounds, report, weights } = await both({
      ...{
        rounds: 4,
        cohort: { goal: 3, minimum: 3, overSelection: 1 },
        evaluation: { everyRounds: 2, spec },
      },
      ...changes,
    });
    expect(report.rounds.map(facts)).toEqual(rounds.map(facts));
    expect(report.digest).toBe(weights.at(-1));
    expect(report.steps.map(({ after }) => after)).toEqual('hybrid' in changes ? [2] : []);
  });
});
