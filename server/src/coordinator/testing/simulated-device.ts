import { createHash } from 'node:crypto';
import {
  ProblemError,
  toBase64Url,
  writeUpdateFile,
  type Assignment,
  type AssignmentId,
  type ControlMessage,
  type DeviceId,
  type ProjectId,
} from '@starling/protocol';
import { identityFromSeed } from '@starling/secure';
import type { Coordinator } from '../coordinator.ts';
import { SimulatedMember } from './simulated-member.ts';
import { Injected } from './simulated-node.ts';
import type { Deed } from './program.ts';

/** Of devices by their number: they are the same in every program, and take long to compute. */
const publicKeys = new Map<number, string>();

/** A device as its server meets it: it speaks, is silent, says things twice, and remembers what it was told. */
export class SimulatedDevice {
  readonly id: DeviceId;
  readonly publicKey: string;
  readonly #seed: Uint8Array;
  #member: SimulatedMember | undefined;
  readonly #project: ProjectId;
  /** Its place in sums: 1 there, 0 everywhere else. */
  readonly number: number;
  /** What it was told last of the assignment that it is at. */
  #assignment: Assignment | undefined;
  #lastSaid: { id: AssignmentId; message: ControlMessage } | undefined;
  /** Updates of which a server said that it holds them. */
  readonly acknowledged = new Set<AssignmentId>();

  constructor(id: DeviceId, project: ProjectId, number: number) {
    this.id = id;
    this.#seed = createHash('sha256').update(`device ${number}`).digest();
    this.publicKey = publicKeys.get(number) ?? toBase64Url(identityFromSeed(this.#seed).publicKey);
    publicKeys.set(number, this.publicKey);
    this.#project = project;
    this.number = number;
  }

  /** A hint of the server. */
  hear(assignment: Assignment): void {
    this.#assignment = assignment;
    if (assignment.state === 'uploaded' || assignment.state === 'counted')
      this.acknowledged.add(assignment.id);
  }

  /** Works on, from where it was told that it stands, for so many messages at most. */
  async work(at: Coordinator, messages: number, parts: number): Promise<void> {
    for (let said = 0; said < messages; said++) {
      const assignment = await this.#current(at);
      if (!assignment) return;
      await this.#forgettingWhatIsOver(() => this.#proceed(at, assignment, parts));
    }
  }

  async do(at: Coordinator, deed: Deed): Promise<void> {
    const assignment = await this.#current(at);
    if (!assignment) return;
    const { id } = assignment;
    const update = oneHot(assignment, this.number);
    await this.#forgettingWhatIsOver(async () => {
      switch (deed) {
        case 'decline':
          return this.#say(at, id, { action: 'decline', reason: 'busy' });
        case 'fail':
          return this.#say(at, id, { action: 'fail', reason: 'diverged' });
        case 'say-again':
          return this.#lastSaid && this.#say(at, this.#lastSaid.id, this.#lastSaid.message);
        case 'announce-another':
          return this.#say(at, id, { action: 'ready', digest: '0'.repeat(64), bytes: update.length });
        case 'send-from-elsewhere':
          return this.#send(at, id, update, update.length >> 1, update.length, true);
        case 'send-again':
          return this.#send(at, id, update, 0, update.length, true);
        case 'break-off':
          return this.#breakOff(at, id, update);
      }
    });
  }

  async #current(at: Coordinator): Promise<Assignment | undefined> {
    this.#assignment ??= (await at.checkIn(this.id, this.#project)).assignment ?? undefined;
    return this.#assignment;
  }

  async #proceed(at: Coordinator, assignment: Assignment, parts: number): Promise<void> {
    const { id, state } = assignment;
    const update = oneHot(assignment, this.number);
    switch (state) {
      case 'offered':
        return this.#say(at, id, { action: 'accept' });
      case 'accepted':
        return this.#say(at, id, { action: 'begin' });
      case 'training':
        if (assignment.secure) return this.#say(at, id, { action: 'ready' });
        return this.#say(at, id, { action: 'ready', digest: sha256(update), bytes: update.length });
      case 'grouped':
        if (assignment.secure) return this.#advance(at, assignment);
        return this.#upload(at, id, update, parts);
      default:
        this.#assignment = undefined; // it waits, or is done: it asks
    }
  }

  async #say(at: Coordinator, id: AssignmentId, message: ControlMessage): Promise<void> {
    this.#lastSaid = { id, message };
    this.hear(await at.control({ deviceId: this.id, projectId: this.#project }, id, message));
  }

  async #advance(at: Coordinator, assignment: Assignment): Promise<void> {
    if (this.#member?.id !== assignment.secure?.groupId) {
      this.#member = new SimulatedMember(assignment, this.#seed, oneHotValues(assignment, this.number));
    }
    const { id } = assignment;
    const now = await this.#member?.advance(at, this.id, async (body) => {
      await this.#send(at, id, body, await at.uploadOffset(this.id, id), body.length, true);
    });
    if (now) this.hear(now);
  }

  async #upload(at: Coordinator, id: AssignmentId, update: Uint8Array, parts: number): Promise<void> {
    const length = Math.ceil(update.length / parts);
    for (let from = await at.uploadOffset(this.id, id); ;) {
      const to = Math.min(update.length, from + length);
      await this.#send(at, id, update, from, to, to === update.length);
      if (to === update.length) return;
      from = to;
    }
  }

  async #send(
    at: Coordinator,
    id: AssignmentId,
    update: Uint8Array,
    from: number,
    to: number,
    isLast: boolean,
  ): Promise<void> {
    const answer = await at.receivePart(this.id, id, {
      offset: from,
      body: bodyOf(update.subarray(from, to)),
      completeWith: isLast ? sha256(update) : undefined,
    });
    if (answer.state === 'uploaded' || answer.state === 'counted') {
      this.acknowledged.add(id);
      this.#assignment = undefined;
    }
  }

  async #breakOff(at: Coordinator, id: AssignmentId, update: Uint8Array): Promise<void> {
    const offset = await at.uploadOffset(this.id, id);
    const body = brokenBody(update.subarray(offset, (offset + update.length) >> 1));
    await at.receivePart(this.id, id, { offset, body, completeWith: undefined });
  }

  /** A refusal means that the device knows too little: it asks before it goes on. After an error, it says the same again. */
  async #forgettingWhatIsOver(work: () => Promise<void> | undefined): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (error instanceof ProblemError) this.#assignment = undefined;
      throw error;
    }
  }
}

function oneHot(assignment: Pick<Assignment, 'blocks'>, index: number): Uint8Array {
  return writeUpdateFile(assignment.blocks, oneHotValues(assignment, index), 1);
}

function oneHotValues({ blocks }: Pick<Assignment, 'blocks'>, index: number): Record<string, Float64Array> {
  const values: Record<string, Float64Array> = {};
  for (const { name, size } of blocks) values[name] = new Float64Array(size);
  values['parameters']?.fill(1, index, index + 1);
  return values;
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

async function* bodyOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes);
}

async function* brokenBody(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes);
  throw new Injected('The connection broke.');
}
