/** A group in one process: devices, a server, and what happens between them. */
import { fromHex, sha256, toHex } from '@starling/protocol';
import {
  joinGroup,
  lastMessages,
  stepClient,
  type ClientEnvironment,
  type ClientMessage,
} from '../protocol/client-machine.ts';
import type { DevicePolicy } from '../protocol/client-rules.ts';
import type { ClientState } from '../protocol/client-state.ts';
import type { CryptoProvider } from '../crypto/provider.ts';
import { javaScriptMasks, type Masks } from '../masks/index.ts';
import { applyMasks } from '../protocol/masking.ts';
import {
  openGroup,
  stepServer,
  type ServerEnvironment,
  type ServerEvent,
  type ServerMessage,
  type ServerStep,
} from '../protocol/server-machine.ts';
import type { ServerState } from '../protocol/server-state.ts';
import { encodeTerms, type GroupTerms } from '../protocol/terms.ts';
import { newVector, type RingVector, type StagedWords } from '../protocol/words.ts';
import { seededBytes, toyCrypto, toyIdentity } from './toy-crypto.ts';

export interface Device {
  readonly number: number;
  readonly name: string;
  readonly environment: ClientEnvironment;
  readonly update: RingVector;
}

export interface Cast {
  readonly terms: GroupTerms;
  readonly termBytes: Uint8Array;
  readonly devices: readonly Device[];
  readonly server: ServerEnvironment;
}

export interface CastOptions {
  readonly size: number;
  readonly terms?: Partial<GroupTerms>;
  readonly policy?: Partial<DevicePolicy>;
  /** Whose randomness is this: `name` makes it the same again. */
  readonly cryptoOf?: (name: string) => CryptoProvider;
  readonly identityOf?: (seed: Uint8Array) => Uint8Array;
  readonly masks?: Masks;
}

/**
 * Devices whose updates tell them apart in the sum: device i adds 1 to coordinate i, and a word of its own to the last one.
 */
export function castOf({
  size,
  terms,
  policy,
  cryptoOf,
  identityOf,
  masks = javaScriptMasks(),
}: CastOptions): Cast {
  const all: GroupTerms = {
    task: 'tsk_one',
    round: 'rnd_one',
    group: 'grp_one',
    taskDigest: new Uint8Array(32).fill(0x7a),
    modelDigest: new Uint8Array(32).fill(0x3d),
    ring: 32,
    length: size + 1,
    minimum: 3,
    corruptPermille: 100,
    dropOutPermille: 100,
    privacyBits: 40,
    correctnessBits: 20,
    ...terms,
  };
  const makeCrypto = cryptoOf ?? ((name: string) => toyCrypto(seededBytes(name)));
  const devices = Array.from({ length: size }, (_, number): Device => {
    const crypto = makeCrypto(`device ${number}`);
    const seed = seededBytes(`identity ${number}`)(32);
    const publicKey = (identityOf ?? toyIdentity)(seed);
    return {
      number,
      name: toHex(publicKey),
      environment: {
        crypto,
        masks,
        identity: { publicKey, sign: (message) => crypto.sign(seed, message) },
        policy: {
          minimum: 3,
          maximum: 1000,
          corruptPermille: 0,
          privacyBits: 1,
          taskDigest: all.taskDigest,
          modelDigest: all.modelDigest,
          knows: () => true,
          ...policy,
        },
      },
      update: updateOf(all, number),
    };
  });
  return {
    terms: all,
    termBytes: encodeTerms(all),
    devices,
    server: { crypto: makeCrypto('server'), masks },
  };
}

function updateOf({ ring, length }: GroupTerms, number: number): RingVector {
  const vector = newVector(ring, length);
  vector[number % (length - 1)] = 1;
  vector[length - 1] = 0x9e3779b1 * (number + 1); // wraps: any word may be
  return vector;
}

/** The oracle: a plain sum. */
export function plainSum({ terms, devices }: Cast, counted: readonly number[]): number[] {
  const modulus = 2n ** BigInt(terms.ring);
  return Array.from({ length: terms.length }, (_, at) =>
    Number(counted.reduce((sum, number) => sum + BigInt(devices[number]!.update[at]!), 0n) % modulus),
  );
}

/** What is left of a group's sum once its masks are gone, and whose updates it says it holds. */
export function openSum(cast: Cast, state: ServerState): { sum: number[]; counted: number[] } {
  if (state.phase !== 'summed') throw new Error(`The group is "${state.phase}".`);
  const sum = state.sum.slice();
  applyMasks(cast.server.masks, state.work, sum);
  const counted = state.names.flatMap((name, index) =>
    state.survivors[index] ? [cast.devices.findIndex((device) => device.name === name)] : [],
  );
  return { sum: [...sum], counted: counted.sort((a, b) => a - b) };
}

export async function open(cast: Cast): Promise<ServerStep> {
  return openGroup(
    cast.terms,
    cast.devices.map(({ name }) => name),
    cast.server,
  );
}

/** One device's answer to one message, its update included as soon as it may be. */
export async function answer(
  device: Device,
  state: ClientState | undefined,
  bytes: Uint8Array,
): Promise<{ state: ClientState; messages: readonly ClientMessage[] }> {
  const { environment, update } = device;
  const step =
    state === undefined
      ? await joinGroup(bytes, environment)
      : await stepClient(state, { kind: 'message', bytes }, environment);
  if (step.state.phase !== 'masking') return step;
  return stepClient(step.state, { kind: 'update', vector: update }, environment);
}

/** A device's message as an event of the server. */
export function eventOf(device: Device, { bytes, body }: ClientMessage): ServerEvent {
  return body === undefined
    ? { kind: 'message', from: device.name, bytes }
    : { kind: 'upload', from: device.name, bytes, body: stagedIn(body) };
}

/** Staged in memory, in chunks that end in the midst of words. */
export function stagedIn(body: Uint8Array, chunkBytes = 4099): StagedWords {
  return {
    length: body.length,
    digest: fromHex(sha256(body)),
    *read() {
      for (let at = 0; at < body.length; at += chunkBytes) yield body.subarray(at, at + chunkBytes);
    },
  };
}

/** A group half-way, which can be copied: the machines are pure, but for the one sum. */
export interface Moment {
  readonly server: ServerState;
  /** States by number of device. */
  readonly clients: readonly (ClientState | undefined)[];
  /** Devices that are still there. */
  readonly alive: readonly number[];
}

export function copyServer(state: ServerState): ServerState {
  return 'sum' in state ? { ...state, sum: state.sum.slice() } : state;
}

/** Devices answer what the server said. */
export async function deliver(
  cast: Cast,
  clients: Moment['clients'],
  alive: readonly number[],
  messages: readonly ServerMessage[],
): Promise<(ClientState | undefined)[]> {
  const after = clients.slice();
  for (const number of alive) {
    const device = cast.devices[number]!;
    for (const { bytes } of messages.filter(({ to }) => to === device.name)) {
      after[number] = (await answer(device, after[number], bytes)).state;
    }
  }
  return after;
}

/**
 * One phase: those of `speaking` say what they have to, in this order; the window closes if that does not end it; all that
 * are alive hear what follows.
 */
export async function phase(cast: Cast, moment: Moment, speaking: readonly number[]): Promise<Moment> {
  let step: ServerStep = { state: copyServer(moment.server), messages: [] };
  const before = step.state.phase;
  for (const number of speaking) {
    const client = moment.clients[number];
    if (client === undefined || step.state.phase !== before) continue;
    for (const message of lastMessages(client)) {
      step = await stepServer(step.state, eventOf(cast.devices[number]!, message), cast.server);
    }
  }
  if (step.state.phase === before) step = await stepServer(step.state, { kind: 'close' }, cast.server);
  return {
    server: step.state,
    clients: await deliver(cast, moment.clients, speaking, step.messages),
    alive: speaking,
  };
}

/** Opened, and answered by all. */
export async function start(cast: Cast): Promise<Moment> {
  const { state, messages } = await open(cast);
  const alive = cast.devices.map(({ number }) => number);
  const clients = await deliver(
    cast,
    alive.map(() => undefined),
    alive,
    messages,
  );
  return { server: state, clients, alive };
}

/** Phases up to the one named, without drop-outs. */
export async function reach(cast: Cast, wanted: ServerState['phase']): Promise<Moment> {
  let moment = await start(cast);
  while (moment.server.phase !== wanted) {
    if (moment.server.phase === 'summed' || moment.server.phase === 'aborted') {
      throw new Error(`The group is "${moment.server.phase}" and never was "${wanted}".`);
    }
    moment = await phase(cast, moment, moment.alive);
  }
  return moment;
}
