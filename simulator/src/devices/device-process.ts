/** One virtual device in a process of its own: the real SDK, the real protocol, the data of one person. */
import { createDevice, type Device } from '@starling/client-sdk';
import { nodeHost } from '@starling/client-sdk/node';
import { examplesOf } from '../data/index.ts';
import { openSource, type DataSource } from './data-source.ts';
import { seededKey } from './seeded-random.ts';

/** What the parent process tells a device, once. */
export interface DeviceOrder {
  kind: 'join';
  server: string;
  enrolmentToken: string;
  /** Where the device keeps its state. */
  directory: string;
  source: DataSource;
  user: string;
  /** Decides the device's key, so that the same fleet comes out of the same seed. */
  seed: string;
}

/** What a device tells its parent. */
export type DeviceReport =
  | { kind: 'online'; deviceId: string }
  | { kind: 'error'; message: string }
  | { kind: 'usage'; bytesUp: number; bytesDown: number };

const report = (message: DeviceReport) => process.send?.(message);

async function join(order: DeviceOrder): Promise<Device> {
  const pack = await openSource(order.source);
  const examples = examplesOf(pack, order.user);
  const device = createDevice({
    server: order.server,
    enrolmentToken: order.enrolmentToken,
    labels: { user: order.user },
    examples: () => Promise.resolve(examples),
    host: { ...nodeHost({ directory: order.directory }), random: seededKey(order.seed) },
  });
  device.on('status', (status) => {
    if (status === 'online') report({ kind: 'online', deviceId: device.deviceId ?? '' });
  });
  device.on('error', (error) => {
    report({ kind: 'error', message: `${error.name}: ${error.message}` });
  });
  await device.start();
  return device;
}

async function leave(device: Device | undefined): Promise<void> {
  await device?.stop();
  const { bytesUp, bytesDown } = device?.usage ?? { bytesUp: 0, bytesDown: 0 };
  process.send?.({ kind: 'usage', bytesUp, bytesDown } satisfies DeviceReport, () => process.exit(0));
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
