/** One virtual device in a process of its own: the real SDK, the real protocol, the data of one person. */
import { existsSync } from 'node:fs';
import { createDevice, type Device, type Host } from '@starling/client-sdk';
import { nodeHost } from '@starling/client-sdk/node';
import { kindOf } from '@starling/secure';
import { examplesOf } from '../data/index.ts';
import { openSource, type DataSource } from './data-source.ts';
import { moments, type Moment } from './fate.ts';
import { seededKey } from './seeded-random.ts';

/** What the parent process tells a device, once. */
export interface DeviceOrder {
  kind: 'join';
  server: string;
  enrolmentToken: string;
  /** Where the device keeps its state; what a process before left there is taken up. */
  directory: string;
  source: DataSource;
  user: string;
  /** Decides the device's key, so that the same fleet comes out of the same seed. */
  seed: string;
}

/** Bytes of HTTP bodies. */
export interface Usage {
  bytesUp: number;
  bytesDown: number;
}

/** What a device tells its parent. */
export type DeviceReport =
  | { kind: 'online'; deviceId: string }
  | { kind: 'error'; message: string }
  | { kind: 'moment'; moment: Moment; assignmentId: string; isSecure: boolean; usage: Usage }
  | { kind: 'usage'; usage: Usage };

const report = (message: DeviceReport) => process.send?.(message);

async function join(order: DeviceOrder): Promise<Device> {
  const pack = await openSource(order.source);
  const examples = examplesOf(pack, order.user);
  let assignment = { id: '', isSecure: false };
  const reach = (moment: string) => {
    const known = moments.find((name) => name === moment);
    if (known === undefined) return;
    const { id: assignmentId, isSecure } = assignment;
    report({ kind: 'moment', moment: known, assignmentId, isSecure, usage: device.usage });
  };
  const device = createDevice({
    server: order.server,
    enrolmentToken: order.enrolmentToken,
    labels: { user: order.user },
    examples: () => Promise.resolve(examples),
    host: tellingOfGroups(hostOf(order), reach),
  });
  device.on('status', (status) => {
    if (status === 'online') report({ kind: 'online', deviceId: device.deviceId ?? '' });
  });
  device.on('assignment', ({ id, state, secure }) => {
    assignment = { id, isSecure: secure !== undefined };
    reach(state);
  });
  device.on('error', (error) => {
    report({ kind: 'error', message: `${error.name}: ${error.message}` });
  });
  await device.start();
  return device;
}

/** A new device draws its key from the seed; one that starts again has it, and draws only what nobody can foresee. */
function hostOf({ directory, seed }: DeviceOrder): Host {
  const isNew = !existsSync(directory);
  const host = nodeHost({ directory });
  return isNew ? { ...host, random: seededKey(seed) } : host;
}

/** The host, which tells of each message to a secure group before it leaves. */
function tellingOfGroups(host: Host, tell: (message: string) => void): Host {
  return {
    ...host,
    http: (request) => {
      if (request.body && request.url.endsWith('/messages')) tell(kindOf(request.body));
      return host.http(request);
    },
  };
}

async function leave(device: Device | undefined): Promise<void> {
  await device?.stop();
  const usage = device?.usage ?? { bytesUp: 0, bytesDown: 0 };
  process.send?.({ kind: 'usage', usage } satisfies DeviceReport, () => process.exit(0));
}

let joining: Promise<Device> | undefined;
process.on('message', (message: DeviceOrder | 'stop') => {
  if (message !== 'stop') joining = join(message);
  void (message === 'stop' ? Promise.resolve(joining).then(leave) : joining)?.catch((error: unknown) => {
    report({ kind: 'error', message: String(error) });
    process.exitCode = 1;
    process.disconnect();
  });
});
process.on('disconnect', () => process.exit());
