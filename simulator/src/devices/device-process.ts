/** One virtual device in a process of its own: the real SDK, the real protocol, the data of one person. */
import { createDevice } from '@starling/client-sdk';
import { nodeHost } from '@starling/client-sdk/node';
import { examplesOf } from '../data/index.ts';
import { openSource, type DataSource } from './data-source.ts';
import { seededRandom } from './seeded-random.ts';

/** What the parent process tells a device, in the environment variable STARLING_DEVICE (JSON). */
export interface DeviceOrder {
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

const order = JSON.parse(process.env['STARLING_DEVICE'] ?? 'null') as DeviceOrder | null;
if (!order || !process.send) throw new Error('A device process is started by the simulator.');
const report = (message: DeviceReport) => process.send?.(message);

const pack = await openSource(order.source);
const examples = examplesOf(pack, order.user);
const device = createDevice({
  server: order.server,
  enrolmentToken: order.enrolmentToken,
  labels: { user: order.user },
  examples: () => Promise.resolve(examples),
  host: { ...nodeHost({ directory: order.directory }), random: seededRandom(order.seed) },
});

device.on('status', (status) => {
  if (status === 'online') report({ kind: 'online', deviceId: device.deviceId ?? '' });
});
device.on('error', (error) => {
  report({ kind: 'error', message: `${error.name}: ${error.message}` });
});
process.on('message', (message) => {
  if (message !== 'stop') return;
  void device.stop().finally(() => {
    const { bytesUp, bytesDown } = device.usage;
    process.send?.({ kind: 'usage', bytesUp, bytesDown } satisfies DeviceReport, () => {
      process.exit(0);
    });
  });
});
process.on('disconnect', () => process.exit(0));
await device.start();
