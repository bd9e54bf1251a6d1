/** What a device refuses: the rules of docs/secure-aggregation.md, one function a message. */
import type { CryptoProvider } from '../crypto/provider.ts';
import type { Degree } from '../groups/degree.ts';
import { isConnected, type Graph } from '../groups/graph.ts';
import { commitTo, encodeEntry, rosterProblem, type RosterEntry } from '../groups/roster.ts';
import { sameBytes } from './bytes.ts';
import { quorumOf } from './layout.ts';
import type { MemberSignature } from './messages.ts';
import { Refusal } from './refusal.ts';
import type { GroupTerms } from './terms.ts';
import { keysPayload } from './transcript.ts';

/** What a device insists on, whatever the server says. */
export interface DevicePolicy {
  /** Fewest updates that its own may be summed with, itself included. */
  readonly minimum: number;
  /** Most members whose updates cannot overflow the ring, by its own reckoning of the encoding. */
  readonly maximum: number;
  /** Least fraction of members, in thousandths, that the group must bear working with the server. */
  readonly corruptPermille: number;
  /** Least privacy bits. */
  readonly privacyBits: number;
  /** The task that was approved, and the base model that was trained from: 32 bytes each. */
  readonly taskDigest: Uint8Array;
  readonly modelDigest: Uint8Array;
  /** Whether a device may be in one group with this one: its Ed25519 key. */
  readonly knows: (identity: Uint8Array) => boolean | Promise<boolean>;
}

export function checkTerms(terms: GroupTerms, policy: DevicePolicy): void {
  if (!sameBytes(terms.taskDigest, policy.taskDigest)) {
    throw new Refusal('task-not-pinned', 'The terms name another task than the one that was approved.');
  }
  if (!sameBytes(terms.modelDigest, policy.modelDigest)) {
    throw new Refusal('model-mismatch', 'The terms name another base model than the one trained from.');
  }
  if (terms.minimum < policy.minimum) {
    throw new Refusal(
      'minimum-too-low',
      `Sums of ${terms.minimum} updates; this device insists on ${policy.minimum}.`,
    );
  }
  if (terms.corruptPermille < policy.corruptPermille || terms.privacyBits < policy.privacyBits) {
    throw new Refusal(
      'assumption-too-weak',
      `${terms.corruptPermille} thousandths corrupt at ${terms.privacyBits} bits; this device insists on ${policy.corruptPermille} at ${policy.privacyBits}.`,
    );
  }
}

/** Checks a roster and gives the device's place in it. `own` is its encoded entry. */
export async function checkRoster(
  entries: readonly RosterEntry[],
  own: Uint8Array,
  context: Uint8Array,
  terms: GroupTerms,
  policy: DevicePolicy,
  crypto: CryptoProvider,
): Promise<number> {
  const least = Math.max(terms.minimum, policy.minimum);
  if (entries.length < least) {
    throw new Refusal('group-too-small', `${entries.length} members; at least ${least} were expected.`);
  }
  if (entries.length > policy.maximum) {
    throw new Refusal(
      'group-too-large',
      `${entries.length} members; sums of more than ${policy.maximum} could overflow.`,
    );
  }
  const problem = rosterProblem(entries);
  if (problem !== undefined) {
    throw new Refusal(problem, 'Members repeat, are out of order, or share a key.');
  }
  const identity = own.subarray(0, 32);
  const index = entries.findIndex((entry) => sameBytes(entry.identity, identity));
  if (index === -1) throw new Refusal('own-entry-missing', 'This device is not in the roster.');
  if (!sameBytes(encodeEntry(entries[index]!), own)) {
    throw new Refusal('own-entry-changed', 'The roster has other keys for this device than it sent.');
  }
  await Promise.all(
    entries.map(async (entry, at) => {
      if (at === index) return;
      if (!(await policy.knows(entry.identity))) {
        throw new Refusal('unknown-identity', `Member ${at} is not known to this device.`);
      }
      if (!(await crypto.verify(entry.identity, keysPayload(context, entry), entry.signature))) {
        throw new Refusal('key-forged', `Member ${at} did not sign its keys for this group.`);
      }
    }),
  );
  return index;
}

export async function checkNonces(
  nonces: readonly Uint8Array[],
  entries: readonly RosterEntry[],
  context: Uint8Array,
  crypto: CryptoProvider,
): Promise<void> {
  if (nonces.length !== entries.length) {
    throw new Refusal('nonce-mismatch', `${nonces.length} nonces for ${entries.length} members.`);
  }
  await Promise.all(
    entries.map(async ({ identity, commitment }, at) => {
      if (!sameBytes(await commitTo(nonces[at]!, context, identity, crypto), commitment)) {
        throw new Refusal('nonce-mismatch', `The nonce of member ${at} is not the one it fixed.`);
      }
    }),
  );
}

/** Checks survivors. `holds` says whether the device has shares of a neighbour. */
export function checkSurvivors(
  survivors: readonly boolean[],
  index: number,
  graph: Graph,
  { threshold }: Degree,
  least: number,
  holds: (neighbour: number) => boolean,
): void {
  if (survivors.length !== graph.length) {
    throw new Refusal('malformed', `A set over ${survivors.length} members of ${graph.length}.`);
  }
  if (survivors[index] !== true) throw new Refusal('self-not-survivor', 'This device is not in the set.');
  const count = survivors.filter(Boolean).length;
  const needed = Math.max(least, quorumOf(graph.length));
  if (count < needed) throw new Refusal('too-few-survivors', `${count} survivors; ${needed} were expected.`);
  graph.forEach((neighbours, member) => {
    if (!survivors[member]) return;
    const alive = neighbours.filter((neighbour) => survivors[neighbour]).length;
    if (alive < threshold) {
      throw new Refusal(
        'survivor-isolated',
        `Member ${member} has ${alive} neighbours left of ${threshold}.`,
      );
    }
  });
  if (!isConnected(graph, (member) => survivors[member]!)) {
    throw new Refusal(
      'survivors-not-connected',
      'The survivors fall into parts, which could be summed apart.',
    );
  }
  const without = graph[index]!.find((neighbour) => survivors[neighbour] && !holds(neighbour));
  if (without !== undefined) {
    throw new Refusal(
      'survivor-without-shares',
      `The share of member ${without} never came: no mask is shared with it.`,
    );
  }
}

/** Checks the list of signatures for the one payload. */
export async function checkSignatures(
  list: readonly MemberSignature[],
  survivors: readonly boolean[],
  entries: readonly RosterEntry[],
  payload: Uint8Array,
  crypto: CryptoProvider,
): Promise<void> {
  const outsider = list.find(({ from }) => survivors[from] !== true);
  if (outsider !== undefined) {
    throw new Refusal('signature-outsider', `Member ${outsider.from} is not a survivor and cannot sign.`);
  }
  const quorum = quorumOf(entries.length);
  if (list.length < quorum) {
    throw new Refusal('too-few-signatures', `${list.length} signatures; ${quorum} were expected.`);
  }
  await Promise.all(
    list.map(async ({ from, signature }) => {
      if (!(await crypto.verify(entries[from]!.identity, payload, signature))) {
        throw new Refusal('signature-forged', `Member ${from} did not sign this set.`);
      }
    }),
  );
}
