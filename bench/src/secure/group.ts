/** A whole group in this process: real machines and cryptography on both sides, messages counted byte by byte. */
import { createHash, randomBytes, webcrypto } from 'node:crypto';
import { toHex } from '@starling/protocol';
import {
  bestMasks,
  degreeFor,
  identityFromSeed,
  joinGroup,
  lastMessages,
  mixedProvider,
  newVector,
  openGroup,
  stepClient,
  stepServer,
  type ClientEnvironment,
  type ClientMessage,
  type ClientState,
  type GroupTerms,
  type ServerEvent,
  type ServerMessage,
  type ServerState,
  type ServerStep,
  type ServerSummed,
  type StagedWords,
} from '@starling/secure';
import type { Unmasking } from '@starling/server';
import { MasksLeft } from './masks-left.ts';

export interface GroupSpec {
  readonly size: number;
  /** Coordinates. */
  readonly length: number;
  readonly ring: 16 | 32;
  /** The assumption in the terms, which with the size fixes the degree of the graph. */
  readonly dropOutPermille: number;
  /** Devices that share their secrets and upload nothing. */
  readonly dropOuts: number;
}

/** What the coordinator asks groups to bear. */
const assumptions = { corruptPermille: 100, privacyBits: 40, correctnessBits: 20 };

/**
 * Members from which devices take each other's signatures on trust, but for one in a hundred: a thousand that check a
 * thousand each would need minutes, and it is the server that is measured.
 */
const trustFrom = 500;

/** The least assumption about drop-outs, in thousandths, for which the graph has this degree or the next above. */
export function dropOutPermilleFor(size: number, degree: number): number {
  const { corruptPermille, privacyBits, correctnessBits } = assumptions;
  for (let permille = 0; permille < 500; permille++) {
    const found = degreeFor(size, corruptPermille / 1000, permille / 1000, privacyBits, correctnessBits);
    if (found.degree >= degree) return permille;
  }
  throw new RangeError(`No group of ${size} has the degree ${degree}.`);
}

export interface BenchDevice {
  readonly name: string;
  readonly environment: ClientEnvironment;
  state: ClientState | undefined;
  /** Bytes of messages and bodies, each once. */
  up: number;
  down: number;
}

/** Device i of a group adds 1 to coordinate i, and a word of its own to the last one. */
function fillUpdate(vector: Uint16Array | Uint32Array, number: number): void {
  vector[number % (vector.length - 1)]! += 1;
  vector[vector.length - 1]! += Math.imul(0x9e3779b1, number + 1);
}

function stagedIn(body: Uint8Array): StagedWords {
  return {
    length: body.length,
    digest: new Uint8Array(createHash('sha256').update(body).digest()),
    read: () => [body],
  };
}

export class BenchGroup {
  readonly terms: GroupTerms;
  readonly devices: readonly BenchDevice[];
  readonly degree: number;
  readonly #spec: GroupSpec;
  readonly #masksLeft = new MasksLeft();
  readonly #server: Parameters<typeof stepServer>[2];
  /** Milliseconds of the server's machine, by the phase that it was in. */
  readonly serverMs: Partial<Record<ServerState['phase'], number>> = {};
  #step: ServerStep | undefined;

  static async of(spec: GroupSpec): Promise<BenchGroup> {
    const crypto = await mixedProvider(webcrypto.subtle, (length) => new Uint8Array(randomBytes(length)));
    return new BenchGroup(spec, crypto);
  }

  private constructor(spec: GroupSpec, crypto: ClientEnvironment['crypto']) {
    const { size, length, ring, dropOutPermille } = spec;
    this.#spec = spec;
    this.terms = {
      ...{ task: 'tsk_bench', round: 'rnd_bench', group: 'grp_bench', ring, length, dropOutPermille },
      taskDigest: new Uint8Array(32).fill(1),
      modelDigest: new Uint8Array(32).fill(2),
      minimum: Math.ceil(size / 2),
      ...assumptions,
    };
    this.degree = degreeFor(
      size,
      assumptions.corruptPermille / 1000,
      dropOutPermille / 1000,
      assumptions.privacyBits,
      assumptions.correctnessBits,
    ).degree;
    this.#server = { crypto, masks: bestMasks() };
    const trusting = { ...crypto, verify: () => Promise.resolve(true) };
    this.devices = Array.from({ length: size }, (_, number): BenchDevice => {
      const seed = new Uint8Array(randomBytes(32));
      const { publicKey } = identityFromSeed(seed);
      return {
        name: toHex(publicKey),
        environment: {
          crypto: size < trustFrom || number % 100 === 0 ? crypto : trusting,
          masks: this.#server.masks,
          identity: { publicKey, sign: (message) => crypto.sign(seed, message) },
          policy: {
            ...{ minimum: 3, maximum: size, corruptPermille: 0, privacyBits: 1, knows: () => true },
            taskDigest: this.terms.taskDigest,
            modelDigest: this.terms.modelDigest,
          },
        },
        ...{ state: undefined, up: 0, down: 0 },
      };
    });
  }

  /** Up to where every device could mask its update. */
  async reachMasking(): Promise<void> {
    this.#step = await openGroup(
      this.terms,
      this.devices.map(({ name }) => name),
      this.#server,
    );
    await this.#deliver(this.devices);
    while (this.#now.phase !== 'uploads') await this.#phase(this.devices);
  }

  /** From there to a sum under masks, and what takes them away. */
  async reachSum(unmasking: Unmasking): Promise<ServerSummed> {
    const { size, dropOuts } = this.#spec;
    // Spread over the roster.
    const survivors = this.devices.filter((_, at) => ((at + 1) * dropOuts) % size >= dropOuts);
    await this.#phase(survivors);
    if (this.#now.phase !== 'signing') throw new Error(`The group is "${this.#now.phase}".`);
    await this.#masksLeft.addTo(this.#now.sum, unmasking);
    await this.#phase(survivors);
    await this.#phase(survivors);
    const { state } = this.#step!;
    if (state.phase !== 'summed') throw new Error(`The group is "${state.phase}".`);
    return state;
  }

  /** Throws unless this is the plain sum of the survivors' updates. */
  check({ names, survivors }: ServerSummed, sum: Uint16Array | Uint32Array): void {
    const plain = newVector(this.#spec.ring, this.#spec.length);
    this.devices.forEach(({ name }, number) => {
      if (survivors[names.indexOf(name)]) fillUpdate(plain, number);
    });
    if (!sum.every((word, at) => word === plain[at])) throw new Error('The sum is wrong.');
  }

  /** An update of this device, for its machine. */
  updateOf(device: BenchDevice): Uint16Array | Uint32Array {
    const vector = newVector(this.#spec.ring, this.#spec.length);
    fillUpdate(vector, this.devices.indexOf(device));
    return vector;
  }

  get #now(): ServerState {
    return this.#step!.state; // opened first
  }

  /** All of these speak; the window closes if that does not end the phase; they hear what follows. */
  async #phase(speaking: readonly BenchDevice[]): Promise<void> {
    const before = this.#now.phase;
    for (const device of speaking) {
      if (this.#now.phase !== before) break;
      for (const message of await this.#answerOf(device)) {
        device.up += message.bytes.length + (message.body?.length ?? 0);
        await this.#take(device.name, message);
      }
    }
    if (this.#now.phase === before) {
      this.#step = await stepServer(this.#now, { kind: 'close' }, this.#server);
    }
    await this.#deliver(speaking);
  }

  async #answerOf(device: BenchDevice): Promise<readonly ClientMessage[]> {
    const state = device.state!; // it has heard the terms
    if (state.phase !== 'masking') return lastMessages(state);
    const vector = this.updateOf(device);
    const masks = this.#masksLeft;
    const step = await stepClient(state, { kind: 'update', vector }, { ...device.environment, masks });
    // A device keeps its masked update to send it again; a thousand in one process do not.
    device.state = step.state.phase === 'uploads' ? { ...step.state, masked: new Uint8Array() } : step.state;
    return step.messages;
  }

  async #take(from: string, { bytes, body }: ClientMessage): Promise<void> {
    const event: ServerEvent = body
      ? { kind: 'upload', from, bytes, body: stagedIn(body) }
      : { kind: 'message', from, bytes };
    const { phase } = this.#now;
    const start = performance.now();
    this.#step = await stepServer(this.#now, event, this.#server);
    this.serverMs[phase] = (this.serverMs[phase] ?? 0) + performance.now() - start;
  }

  async #deliver(to: readonly BenchDevice[]): Promise<void> {
    const byName = new Map<string, ServerMessage[]>();
    for (const message of this.#step!.messages) {
      byName.set(message.to, [...(byName.get(message.to) ?? []), message]);
    }
    for (const device of to) {
      for (const { bytes } of byName.get(device.name) ?? []) {
        device.down += bytes.length;
        device.state = (
          device.state
            ? await stepClient(device.state, { kind: 'message', bytes }, device.environment)
            : await joinGroup(bytes, device.environment)
        ).state;
      }
    }
  }
}
