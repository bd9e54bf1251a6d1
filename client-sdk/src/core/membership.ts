import {
  digestOfWork,
  fromBase64Url,
  fromHex,
  ProblemError,
  toHex,
  type Assignment,
  type GroupId,
  type GroupMail,
} from '@starling/protocol';
import {
  bestMasks,
  eraseSuperseded,
  joinGroup,
  kindOf,
  lastMessages,
  loadClientState,
  mixedProvider,
  Refusal,
  saveClientState,
  stepClient,
  StoredStateError,
  type ClientEnvironment,
  type ClientMessage,
  type ClientState,
  type DevicePolicy,
} from '@starling/secure';
import { DeviceError } from './errors.ts';
import { ownIdentity } from './identity.ts';
import type { KeptBytes } from './kept-bytes.ts';
import type { Logbook, ParticipationLimits } from './logbook.ts';
import type { Host } from './ports.ts';
import { readAnswer } from './requests.ts';
import { layoutOf, ringUpdate } from './ring-update.ts';
import type { Session } from './session.ts';
import { uploadUpdate } from './upload.ts';

/** What the app insists on before an update of its device is summed with others'. */
export interface SecureOptions extends ParticipationLimits {
  /**
   * Fewest updates that the device's own may be summed with, itself included. With it, clear tasks are declined: a clear
   * update is a sum of one. Without it, secure tasks are held to 3, below which SA-1 is no protection at all.
   */
  readonly minimumGroup?: number;
  /** Whether a device may be in one group with this one: by its Ed25519 key, 32 bytes. Unless given, any enrolled one may. */
  readonly knows?: (identity: Uint8Array) => boolean | Promise<boolean>;
}

/** With two members, the sum tells each the other's part. */
export const smallestGroup = 3;

/** What a graph must bear, at least: what degreeFor computes for these figures is checked by every device. */
const leastAssumption = { corruptPermille: 100, privacyBits: 40 };

/** Refusals after which the group goes on without the device: its assignment is dropped at the group's end. */
const leftBehind: readonly (string | undefined)[] = [
  'late',
  'out-of-phase',
  'not-in-roster',
  'not-a-survivor',
];

/** Cryptography and masks for all groups of a device: both are tried out once, which takes some milliseconds. */
type SecureEngine = () => Promise<Pick<ClientEnvironment, 'crypto' | 'masks'>>;

function secureEngine({ random, subtle }: Pick<Host, 'random' | 'subtle'>): SecureEngine {
  let made: ReturnType<SecureEngine> | undefined;
  return () =>
    (made ??= (async () => ({
      crypto: await mixedProvider(subtle, (length) => random.bytes(length)),
      masks: bestMasks(),
    }))());
}

/** Joins the secure group of an assignment, with its finished update. */
export type Memberships = (parts: MembershipParts, assignment: Assignment, update: Uint8Array) => Membership;

/** Groups of one device share its cryptography. */
export function memberships(host: Pick<Host, 'random' | 'subtle'>): Memberships {
  const engine = secureEngine(host);
  return (parts, assignment, update) => new Membership(parts, engine, assignment, update);
}

export interface MembershipParts {
  readonly host: Pick<Host, 'storage' | 'random'>;
  readonly session: Session;
  /** Where the device stands in its group: stored before any message leaves. Secret until the device has uploaded. */
  readonly keptGroup: KeptBytes<GroupId>;
  readonly logbook: Logbook;
  readonly secure: SecureOptions;
}

/** The device's part in one secure group: a mailbox that is read, the machine of SA-1, and its state in storage. */
export class Membership {
  readonly id: GroupId;
  readonly #parts: MembershipParts;
  readonly #engine: SecureEngine;
  readonly #assignment: Assignment;
  readonly #update: Uint8Array;
  #environment: Promise<ClientEnvironment> | undefined;
  #state: ClientState | undefined;
  /** The last message of the server that was answered, and the answer taken. */
  #answered: string | undefined;

  constructor(parts: MembershipParts, engine: SecureEngine, assignment: Assignment, update: Uint8Array) {
    const id = assignment.secure?.groupId;
    if (!id) throw new TypeError('The assignment is in no secure group.');
    this.id = id;
    this.#parts = parts;
    this.#engine = engine;
    this.#assignment = assignment;
    this.#update = update;
  }

  /**
   * Reads the mailbox and answers until there is nothing new. Resolves with where the assignment stands. Rejects with
   * Refusal where the server says what the device must not answer, DeviceError `group-state-lost`, `second-group`, ProblemError.
   */
  async advance(signal: AbortSignal): Promise<Assignment> {
    let mail = await this.#fetch(signal);
    for (;;) {
      const message = mail.messages.find((text) => text !== this.#answered);
      if (message === undefined || mail.assignment.state !== 'grouped') return mail.assignment;
      const after = await this.#answer(fromBase64Url(message), signal);
      this.#answered = message;
      mail = after ?? (await this.#fetch(signal));
    }
  }

  async #answer(bytes: Uint8Array, signal: AbortSignal): Promise<GroupMail | undefined> {
    let mail: GroupMail | undefined;
    for (const message of await this.#step(bytes)) {
      try {
        mail = await this.#send(message, signal);
      } catch (error) {
        if (!(error instanceof ProblemError)) throw error;
        const isOver = error.code === 'group-closed' || error.code === 'assignment-closed';
        if (!isOver && !leftBehind.includes(error.extra.refusal)) throw error;
        return undefined;
      }
    }
    return mail;
  }

  /** The machine's answer to one message of the server. The state is stored before the answer is handed out. */
  async #step(bytes: Uint8Array): Promise<readonly ClientMessage[]> {
    const environment = await (this.#environment ??= this.#open());
    this.#state ??= await this.#restored();
    const isTerms = kindOf(bytes) === 'terms';
    if (!this.#state) {
      if (!isTerms) {
        throw new DeviceError(
          'group-state-lost',
          'The device has lost its place in the group, and cannot come back: its masks are used once.',
        );
      }
      const joined = await joinGroup(bytes, environment);
      await this.#parts.logbook.join(this.#assignment.id, this.id);
      await this.#keep(joined.state);
      return joined.messages;
    }
    if (isTerms) {
      if (toHex(bytes) !== toHex(this.#state.terms)) {
        throw new Refusal('wrong-group', 'Other terms for a group that the device is in.');
      }
      return this.#state.phase === 'keys' ? lastMessages(this.#state) : [];
    }
    let step = await stepClient(this.#state, { kind: 'message', bytes }, environment);
    await this.#keep(step.state);
    if (step.state.phase === 'masking') {
      const vector = ringUpdate(this.#assignment, this.#update);
      step = await stepClient(step.state, { kind: 'update', vector }, environment);
      await this.#keep(step.state);
    }
    return step.messages;
  }

  /** The state in this group from before a restart, if there is one that can be read. */
  async #restored(): Promise<ClientState | undefined> {
    const bytes = await this.#parts.keptGroup.of(this.id);
    if (!bytes) return undefined;
    try {
      return loadClientState(bytes);
    } catch (error) {
      if (error instanceof StoredStateError) return undefined;
      throw error;
    }
  }

  async #keep(state: ClientState): Promise<void> {
    if (state === this.#state) return;
    const { logbook } = this.#parts;
    if (state.phase === 'reveals') await logbook.drawn(this.#assignment.id);
    if (state.phase === 'unmasking') await logbook.contributed(this.#assignment.id);
    await this.#parts.keptGroup.keep(this.id, saveClientState(state));
    if (this.#state) eraseSuperseded(this.#state, state);
    this.#state = state;
  }

  async #send({ bytes, body }: ClientMessage, signal: AbortSignal): Promise<GroupMail | undefined> {
    const answer = await this.#parts.session.send({
      path: `/v1/device/groups/${this.id}/messages`,
      method: 'POST',
      headers: { 'content-type': 'application/octet-stream' },
      body: bytes,
      signal,
    });
    const mail = readAnswer<GroupMail>(answer, ['messages', 'assignment']);
    if (!body) return mail;
    if (mail.assignment.state === 'grouped') {
      await uploadUpdate(this.#parts.session, this.#assignment.id, body, signal);
    }
    return undefined;
  }

  #fetch(signal: AbortSignal): Promise<GroupMail> {
    return this.#parts.session.get<GroupMail>(
      `/v1/device/groups/${this.id}`,
      ['messages', 'assignment'],
      signal,
    );
  }

  async #open(): Promise<ClientEnvironment> {
    const { host, secure } = this.#parts;
    const identity = await ownIdentity(host);
    const { crypto, masks } = await this.#engine();
    const seed = identity.secretKey.subarray(0, 32);
    return {
      crypto,
      masks,
      identity: { publicKey: identity.publicKey, sign: (message) => crypto.sign(seed, message) },
      policy: policyOf(this.#assignment, secure),
    };
  }
}

/** What the device holds its group to. Throws SumOverflow where sums of such updates could overflow: it takes no part then. */
export function policyOf(
  assignment: Assignment,
  { minimumGroup = smallestGroup, knows = () => true }: SecureOptions,
): DevicePolicy {
  if (!assignment.secure) throw new TypeError('A clear assignment has no group.');
  return {
    minimum: Math.max(minimumGroup, assignment.secure.minimum),
    maximum: layoutOf(assignment).maxCount,
    ...leastAssumption,
    taskDigest: fromHex(digestOfWork(assignment)),
    modelDigest: fromHex(assignment.model.weights),
    knows,
  };
}
