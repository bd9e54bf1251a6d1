import type { Assignment, DeviceId, Role, Round, Task } from '@starling/protocol';
import type { ApiKeyWithSecret, Client, Job } from '@starling/protocol/api';
import { forecastThreads } from '@starling/simulator/simulation';
import { clientOf } from './client.ts';
import { consoleFiles } from './console-tab.ts';
import { eventually } from './project.ts';
import { RawDevice, updateFile } from './raw-device.ts';
import { testServer, type TestServer } from './servers.ts';
import { idleCloud } from './tenants.ts';

/** A server with something to see on every page of its console. */
export interface ConsoleWorld {
  readonly server: TestServer;
  readonly client: Client;
  /** Secrets of API keys by role; that of `server` is the first key. */
  readonly keys: Readonly<Record<Role, string>>;
  /** The first two were counted, the third declined. */
  readonly devices: readonly DeviceId[];
  /** It has published its only round. */
  readonly task: Task;
  readonly round: Round;
  /** It runs until someone cancels it. */
  readonly job: Job;
}

export async function consoleWorld(): Promise<ConsoleWorld> {
  const server = await testServer({
    ...consoleFiles,
    cloud: idleCloud(),
    forecaster: forecastThreads(),
  });
  const { admin } = server;
  const client = clientOf(admin);
  const keyOf = async (role: Role) =>
    (await admin.post<ApiKeyWithSecret>('/v1/keys', { name: `the ${role}`, role })).secret;
  const token = await admin.enrolmentToken({ part: 'fleet' });
  const devices = await Promise.all([0, 1, 2].map(() => RawDevice.enrolled(server.server.url, token)));
  const task = await trained(server, client, devices);
  const [round] = (await client.call('listRounds', { params: { id: task.id } })).items;
  if (!round) throw new Error('A task that has published its round has none.');
  const job = await admin.post<Job>(`/v1/tasks/${task.id}/jobs`, {
    work: { kind: 'evaluate', data: 'proxy', training: {} },
  });
  return {
    ...{ server, client, task, round, job },
    keys: {
      viewer: await keyOf('viewer'),
      operator: await keyOf('operator'),
      admin: await keyOf('admin'),
      server: admin.key,
    },
    devices: devices.map(({ deviceId }) => deviceId as DeviceId), // the server gave it
  };
}

/** Addresses of all pages of the console, by name. */
export function pagesOf({ task, round, devices, job }: ConsoleWorld): Record<string, string> {
  const tabsOf = (name: string, path: string, tabs: readonly string[]) =>
    Object.fromEntries(tabs.map((tab) => [`${name}-${tab}`, `${path}?tab=${tab}`]));
  return {
    fleet: '/',
    tasks: '/tasks',
    'new-task': '/tasks/new',
    'clone-task': `/tasks/new?from=${task.id}`,
    task: `/tasks/${task.id}`,
    ...tabsOf('task', `/tasks/${task.id}`, ['learning', 'model', 'plan', 'versions']),
    compare: `/compare?tasks=${task.id}`,
    rounds: `/tasks/${task.id}/rounds`,
    round: `/rounds/${round.id}`,
    models: '/models',
    model: `/models/${task.model}`,
    ...tabsOf('version', `/versions/${task.currentVersion}`, ['overview', 'lineage', 'compare', 'try']),
    devices: '/devices',
    device: `/devices/${devices[0] ?? ''}`,
    jobs: '/jobs',
    job: `/jobs/${job.id}`,
    access: '/access',
    audit: '/audit',
    operations: '/operations',
    'not-found': '/nowhere',
  };
}

async function trained({ admin }: TestServer, client: Client, devices: readonly RawDevice[]): Promise<Task> {
  for (const device of devices) await device.assignment();
  const { id } = await admin.tinyTask({
    cohort: { goal: 3, minimum: 2, overSelection: 1, select: { part: 'fleet' } },
  });
  const params = { id };
  await client.call('startTask', { params });
  const offers: Assignment[] = [];
  for (const device of devices) {
    offers.push(await eventually('an offer', async () => (await device.assignment()) ?? undefined));
  }
  const work = offers.map((offer, index) => ({ offer, device: devices[index]! }));
  const [last, ...others] = work.toReversed();
  await last!.device.say(last!.offer.id, 'decline', { reason: 'busy' });
  for (const { offer, device } of others) await device.say(offer.id, 'accept');
  await client.call('closeRound', { params: { id: last!.offer.roundId } });
  for (const { offer, device } of others) {
    const update = updateFile(offer, { parameters: { 0: 1 } });
    await device.reachUpload(offer, update);
    await device.upload(offer.id, update);
  }
  return eventually('the task to complete', async () => {
    const task = await client.call('getTask', { params });
    return task.state === 'completed' ? task : undefined;
  });
}
