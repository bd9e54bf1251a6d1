import {
  createDevice,
  DeviceError,
  type ChannelFactory,
  type Device,
  type HttpRequest,
} from '@starling/client-sdk';
import { nodeHost } from '@starling/client-sdk/node';
import { writeUpdateFile, type Assignment } from '@starling/protocol';
import { join } from 'node:path';
import { temporaryDirectory } from './servers.ts';

/** Type bytes of SA-1's messages from a device. */
export const saType = { keys: 2, shares: 6, upload: 8, signature: 10, unmask: 12 } as const;

/** A real device in this process whose updates are known: number i gives the same values and weight in every round. */
export interface KnownDevice {
  readonly device: Device;
  readonly number: number;
  /** Everything that it sent to the server: path and body. */
  readonly sent: { path: string; body: Uint8Array }[];
  readonly errors: Error[];
  /** The assignments it heard of, as they went. */
  readonly seen: Assignment[];
  /** Its connection is gone, for good. */
  cut(): void;
  /** The same device as it starts again after {@link cut}: from what it has stored. */
  again(): KnownDevice;
  readonly hooks: Hooks;
}

export interface Hooks {
  /** Called before and after each message of SA-1 is sent. */
  onMessage: (type: number, when: 'before' | 'after') => Promise<void> | void;
  /** Called before the device trains; the signal aborts when it is to be given up. */
  onTraining: (signal: AbortSignal | undefined) => Promise<void>;
}

/** Neither a power of two nor a short one in binary: what is rounded anywhere shows. */
export function knownValue(number: number, index: number): number {
  return Math.sin(1 + 7 * number + index) / 3;
}

export const knownWeight = (number: number): number => 3 * number + 1;

/** The update file of a device, as it would be handed in in the clear. */
export function knownUpdate(number: number, { blocks }: Pick<Assignment, 'blocks'>): Uint8Array {
  const values = blocks.map(({ name, size }) => [
    name,
    Float64Array.from({ length: size }, (_, index) =>
      name === 'metrics' ? index + number : Math.fround(knownValue(number, index)),
    ),
  ]);
  return writeUpdateFile(
    blocks,
    Object.fromEntries(values) as Record<string, Float64Array>,
    knownWeight(number),
  );
}

export interface FleetOptions {
  /** Without one, devices ask over HTTP. */
  readonly hasSocket?: boolean;
  /** The base URL that a request goes to, by its path, instead of the server's. */
  readonly nodeFor?: ((path: string) => string) | undefined;
}

export async function knownFleet(
  server: string,
  enrolmentToken: string,
  count: number,
  { hasSocket = true, nodeFor }: FleetOptions = {},
): Promise<{ devices: KnownDevice[]; close: () => Promise<void> }> {
  const place = await temporaryDirectory();
  const all: KnownDevice[] = [];
  const make = (number: number): KnownDevice => {
    const directory = join(place.path, String(number));
    const device = knownDevice(server, enrolmentToken, number, directory, { hasSocket, nodeFor });
    const made = { ...device, again: () => make(number) };
    all.push(made);
    return made;
  };
  const devices = Array.from({ length: count }, (_, number) => make(number));
  return {
    devices,
    close: async () => {
      await Promise.all(all.map(({ device }) => device.stop()));
      await place.remove();
    },
  };
}

function knownDevice(
  server: string,
  enrolmentToken: string,
  number: number,
  directory: string,
  { hasSocket, nodeFor = () => server }: FleetOptions,
): Omit<KnownDevice, 'again'> {
  let isCut = false;
  const hooks: Hooks = { onMessage: () => undefined, onTraining: () => Promise.resolve() };
  const host = nodeHost({ directory });
  const http = async (request: HttpRequest) => {
    if (isCut) throw new DeviceError('offline', 'This device was cut off.');
    const { pathname: path, search } = new URL(request.url);
    const type = path.endsWith('/messages') ? request.body?.[1] : undefined;
    if (type !== undefined) await hooks.onMessage(type, 'before');
    known.sent.push({ path, body: request.body?.slice() ?? new Uint8Array() });
    const answer = await host.http({ ...request, url: `${nodeFor(path)}${path}${search}` });
    if (type !== undefined) await hooks.onMessage(type, 'after');
    return answer;
  };
  const device = createDevice({
    server,
    enrolmentToken,
    examples: () => Promise.resolve({ x: new Float32Array(20), y: new Int32Array(5), count: 5 }),
    host: {
      ...host,
      http: (request) => http(request),
      channel: hasSocket ? host.channel : noChannel,
      trainer: {
        run: async (job, signal) => {
          if (job.kind !== 'contribute') throw new TypeError('These devices contribute, and nothing else.');
          await hooks.onTraining(signal);
          return { bytes: knownUpdate(number, job.assignment) };
        },
        close: () => Promise.resolve(),
      },
    },
  });
  const known: Omit<KnownDevice, 'again'> = {
    device,
    number,
    sent: [],
    errors: [],
    seen: [],
    cut: () => {
      isCut = true;
      void device.stop();
    },
    hooks,
  };
  device.on('error', (error) => known.errors.push(error));
  device.on('assignment', (assignment) => known.seen.push(assignment));
  return known;
}

/** A network that lets no socket through. */
const noChannel: ChannelFactory = (_server, _token, events) => {
  queueMicrotask(() => {
    events.closed(undefined);
  });
  return {
    control: () => Promise.reject(new Error('There is no connection.')),
    close: () => undefined,
  };
};
