import {
  digestOfWork,
  fromBase64Url,
  fromHex,
  ProblemError,
  type Assignment,
  type DeviceId,
  type GroupId,
  type GroupMail,
} from '@starling/protocol';
import {
  encodeForRing,
  identityFromSeed,
  javaScriptMasks,
  joinGroup,
  kindOf,
  lastMessages,
  ringLayout,
  stepClient,
  tweetnaclProvider,
  type ClientEnvironment,
  type ClientMessage,
  type ClientState,
} from '@starling/secure';
import { randomBytes } from 'node:crypto';
import type { Coordinator } from '../coordinator.ts';

const crypto = tweetnaclProvider((length) => new Uint8Array(randomBytes(length)));
const masks = javaScriptMasks();

/** A device's half of SA-1 in one group, with the real machine. */
export class SimulatedMember {
  readonly id: GroupId;
  readonly #environment: ClientEnvironment;
  readonly #assignment: Assignment;
  readonly #values: Readonly<Record<string, Float64Array>>;
  #state: ClientState | undefined;
  #answered: string | undefined;

  /** @param values - Of its update, by block; what is not named is zero. */
  constructor(
    assignment: Assignment,
    identitySeed: Uint8Array,
    values: Readonly<Record<string, Float64Array>>,
  ) {
    const { secure } = assignment;
    if (!secure?.groupId) throw new TypeError('The assignment is in no secure group.');
    this.id = secure.groupId;
    this.#assignment = assignment;
    this.#values = values;
    const { publicKey, secretKey } = identityFromSeed(identitySeed);
    this.#environment = {
      crypto,
      masks,
      identity: { publicKey, sign: (message) => crypto.sign(secretKey.subarray(0, 32), message) },
      policy: {
        minimum: secure.minimum,
        maximum: secure.largest,
        corruptPermille: 100,
        privacyBits: 40,
        taskDigest: fromHex(digestOfWork(assignment)),
        modelDigest: fromHex(assignment.model.weights),
        knows: () => true,
      },
    };
  }

  /** Reads the mailbox once and answers one message; `upload` takes the masked words. Gives where the assignment stands. */
  async advance(
    at: Coordinator,
    deviceId: DeviceId,
    upload: (body: Uint8Array) => Promise<void>,
  ): Promise<Assignment> {
    const mail = await at.groupMail(deviceId, this.id);
    const message = mail.messages.find((text) => text !== this.#answered);
    if (message === undefined || mail.assignment.state !== 'grouped') return mail.assignment;
    let after: GroupMail | undefined;
    for (const { bytes, body } of await this.#answer(fromBase64Url(message))) {
      after = await this.#hear(at, deviceId, bytes);
      if (body && after?.assignment.state === 'grouped') await upload(body);
    }
    this.#answered = message;
    return after?.assignment ?? mail.assignment;
  }

  /** The group may have gone on without the device, or be over: it asks where it stands. */
  async #hear(at: Coordinator, deviceId: DeviceId, bytes: Uint8Array): Promise<GroupMail | undefined> {
    try {
      return await at.hearMember(deviceId, this.id, bytes);
    } catch (error) {
      if (error instanceof ProblemError && error.status < 500) return undefined;
      throw error;
    }
  }

  async #answer(bytes: Uint8Array): Promise<readonly ClientMessage[]> {
    const isTerms = kindOf(bytes) === 'terms';
    if (!this.#state) {
      if (!isTerms) throw new TypeError('A member that never joined was told something else than terms.');
      const joined = await joinGroup(bytes, this.#environment);
      this.#state = joined.state;
      return joined.messages;
    }
    if (isTerms) return lastMessages(this.#state);
    let step = await stepClient(this.#state, { kind: 'message', bytes }, this.#environment);
    if (step.state.phase === 'masking') {
      step = await stepClient(step.state, { kind: 'update', vector: this.#vector() }, this.#environment);
    }
    this.#state = step.state;
    return step.messages;
  }

  #vector() {
    const { blocks, maxWeight, secure } = this.#assignment;
    if (!secure) throw new TypeError('The assignment is in no secure group.');
    const layout = ringLayout(blocks, { ring: secure.ring, maxWeight, maxCount: secure.largest });
    const values = blocks.map(({ name, size }) => this.#values[name] ?? new Float64Array(size));
    return encodeForRing(layout, values, 1);
  }
}
