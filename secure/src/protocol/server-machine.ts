/**
 * The server's side of SA-1: a mailbox, one sum, and a decision at the end of each phase. A state and an event give a state
 * and messages; a refused event throws {@link Refusal} and changes nothing. A phase ends when all that may speak have
 * spoken, or on `close`, with those that have. One event of a group at a time.
 */
import { toHex } from '@starling/protocol';
import type { CryptoProvider } from '../crypto/provider.ts';
import { SecureError } from '../crypto/secure-error.ts';
import { isConnected } from '../groups/graph.ts';
import { commitTo, encodeEntry, graphSeed, rosterRoot, sortEntries } from '../groups/roster.ts';
import type { Masks } from '../masks/masks.ts';
import { sameBytes } from './bytes.ts';
import { degreeOf, graphOf, isComplete, quorumOf } from './layout.ts';
import {
  decodeKeys,
  decodeReveal,
  decodeShares,
  decodeSignature,
  decodeUnmask,
  decodeUpload,
  encodeEnd,
  encodeInbox,
  encodeNonces,
  encodeRoster,
  encodeSignatures,
  encodeSurvivors,
  kindOf,
  secretKind,
  type MessageKind,
} from './messages.ts';
import { masksInSum, wantedSecrets } from './rebuild.ts';
import { Refusal } from './refusal.ts';
import type {
  Places,
  ServerAborted,
  ServerKeys,
  ServerReveals,
  ServerShares,
  ServerSigning,
  ServerState,
  ServerUnmasking,
  ServerUploads,
} from './server-state.ts';
import { contextOf, decodeTerms, encodeTerms, type GroupTerms } from './terms.ts';
import { keysPayload, survivorsPayload, type Binding } from './transcript.ts';
import { addStaged, newVector, type StagedWords } from './words.ts';

export interface ServerEnvironment {
  readonly crypto: CryptoProvider;
  readonly masks: Masks;
}

export interface ServerMessage {
  /** Identity of the device, in hexadecimal. */
  readonly to: string;
  readonly bytes: Uint8Array;
}

export type ServerEvent =
  /** `from`: the identity, in hexadecimal, that the connection was authenticated for. */
  | { readonly kind: 'message'; readonly from: string; readonly bytes: Uint8Array }
  /** A complete upload: its header, and its words, which are read before the step ends. */
  | { readonly kind: 'upload'; readonly from: string; readonly bytes: Uint8Array; readonly body: StagedWords }
  /** The window of the phase is over. */
  | { readonly kind: 'close' }
  | { readonly kind: 'cancel' };

export interface ServerStep {
  readonly state: ServerState;
  readonly messages: readonly ServerMessage[];
}

/** Sends TERMS to the invited devices (identities in hexadecimal). */
export async function openGroup(
  terms: GroupTerms,
  invited: readonly string[],
  { crypto }: ServerEnvironment,
): Promise<ServerStep> {
  const bytes = encodeTerms(terms);
  const state: ServerKeys = {
    phase: 'keys',
    terms: bytes,
    context: await contextOf(bytes, crypto),
    invited,
    keys: invited.map(() => null),
  };
  return entered(state);
}

/** Takes a group one event further. Throws {@link Refusal}; then the state is as before. */
export async function stepServer(
  state: ServerState,
  event: ServerEvent,
  environment: ServerEnvironment,
): Promise<ServerStep> {
  switch (event.kind) {
    case 'close':
      return close(state, environment);
    case 'cancel':
      return isOver(state) ? { state, messages: [] } : aborted(state, 'cancelled');
    case 'message':
    case 'upload': {
      // To whom the group is over, it is said again.
      if (isOver(state)) return { state, messages: pendingMessages(state, event.from) };
      const heard =
        event.kind === 'upload'
          ? await upload(state, event.from, event.bytes, event.body)
          : await hear(state, event.from, event.bytes, environment);
      if (heard === state) return { state, messages: [] };
      return isOver(heard) ? entered(heard) : advance(heard, environment);
    }
  }
}

/** What the phase last said to one device: to be sent again after a reconnection. */
export function pendingMessages(state: ServerState, to: string): readonly ServerMessage[] {
  const { context } = state;
  const only = (bytes: Uint8Array): ServerMessage[] => [{ to, bytes }];
  if (state.phase === 'keys') return state.invited.includes(to) ? only(state.terms) : [];
  const index = state.names.indexOf(to);
  if (index === -1) return [];
  switch (state.phase) {
    case 'reveals':
      return only(toAll(context, state.entries, encodeRoster));
    case 'shares':
      return only(
        state.nonces.length > 0
          ? toAll(context, state.nonces, encodeNonces)
          : toAll(context, state.entries, encodeRoster),
      );
    case 'uploads':
      return state.shares[index] === null ? [] : only(inboxOf(state, index));
    case 'signing':
      return state.survivors[index] ? only(toAll(context, state.survivors, encodeSurvivors)) : [];
    case 'unmasking':
      return state.survivors[index] ? only(toAll(context, state.quorum, encodeSignatures)) : [];
    case 'summed':
      return only(encodeEnd(context, 'summed'));
    case 'aborted':
      return only(encodeEnd(context, state.reason));
  }
}

const messagesToAll = new WeakMap<object, Uint8Array>();

/** A message that all members get, encoded once: of a thousand members, a roster has 192 kB. */
function toAll<T extends object>(
  context: Uint8Array,
  content: T,
  encode: (context: Uint8Array, content: T) => Uint8Array,
): Uint8Array {
  let bytes = messagesToAll.get(content);
  if (!bytes) messagesToAll.set(content, (bytes = encode(context, content)));
  return bytes;
}

type Phase<P extends ServerState['phase']> = Extract<ServerState, { phase: P }>;

/** Takes a message in; the same state where it was known already. */
async function hear(
  state: Exclude<ServerState, { phase: 'summed' | 'aborted' }>,
  from: string,
  bytes: Uint8Array,
  environment: ServerEnvironment,
): Promise<ServerState> {
  const kind = kindOf(bytes);
  switch (kind) {
    case 'keys':
      if (state.phase === 'keys') return hearKeys(state, from, bytes, environment);
      return ignoredOrLate(state, from, (index) => {
        const entry = decodeKeys(bytes, state.context);
        return sameBytes(encodeEntry(entry), encodeEntry(state.entries[index]!));
      });
    case 'reveal':
      if (state.phase === 'reveals') return hearReveal(state, from, bytes, environment);
      if (state.phase === 'keys') break;
      return ignoredOrLate(state, from, (index) => {
        const { nonce } = decodeReveal(bytes, state.context);
        return 'nonces' in state && sameBytes(nonce, state.nonces[index] ?? new Uint8Array());
      });
    case 'shares':
      if (state.phase === 'shares') return hearShares(state, from, bytes);
      if (state.phase === 'keys' || state.phase === 'reveals') break;
      return ignoredOrLate(state, from, (index) => {
        const shares = decodeShares(bytes, state.context);
        const fixed =
          state.phase === 'uploads' ? state.shares[index]?.selfCommitment : state.selfCommitments[index];
        return sameBytes(shares.selfCommitment, fixed ?? new Uint8Array());
      });
    case 'signature':
      if (state.phase === 'signing') return hearSignature(state, from, bytes, environment);
      if (state.phase !== 'unmasking') break;
      return ignoredOrLate(state, from, (index) => state.survivors[index]!);
    case 'unmask':
      if (state.phase === 'unmasking') return hearUnmask(state, from, bytes);
      break;
    default:
      throw new Refusal('wrong-type', `The server does not receive "${kind}" as a message.`);
  }
  throw outOfPhase(kind, state);
}

async function hearKeys(
  state: ServerKeys,
  from: string,
  bytes: Uint8Array,
  { crypto }: ServerEnvironment,
): Promise<ServerState> {
  const place = state.invited.indexOf(from);
  if (place === -1) throw new Refusal('not-invited', 'This device was not invited to the group.');
  const entry = decodeKeys(bytes, state.context);
  if (toHex(entry.identity) !== from)
    throw new Refusal('wrong-sender', 'Keys in the name of another device.');
  const before = state.keys[place];
  if (before !== null && before !== undefined) {
    return known(state, sameBytes(encodeEntry(before), encodeEntry(entry)));
  }
  if (!(await crypto.verify(entry.identity, keysPayload(state.context, entry), entry.signature))) {
    throw new Refusal('key-forged', 'The keys are not signed by the device for this group.');
  }
  const used = state.keys.flatMap((other) => (other ? [other.maskKey, other.shareKey] : []));
  const isUsed = (key: Uint8Array) => used.some((other) => sameBytes(other, key));
  if (isUsed(entry.maskKey) || isUsed(entry.shareKey) || sameBytes(entry.maskKey, entry.shareKey)) {
    throw new Refusal('duplicate-key', 'A key of another member, or one key in both roles.');
  }
  try {
    // Any scalar will do: a point of small order gives zero with all of them.
    await crypto.sharedSecret(state.context, entry.maskKey);
    await crypto.sharedSecret(state.context, entry.shareKey);
  } catch (error) {
    if (!(error instanceof SecureError && error.code === 'weak-key')) throw error;
    throw new Refusal('weak-key', 'A key has small order.');
  }
  return { ...state, keys: withPlace(state.keys, place, entry) };
}

async function hearReveal(
  state: ServerReveals,
  from: string,
  bytes: Uint8Array,
  { crypto }: ServerEnvironment,
): Promise<ServerState> {
  const reveal = decodeReveal(bytes, state.context);
  const index = speaker(state.names, from, reveal.from);
  const before = state.revealed[index];
  if (before) return known(state, sameBytes(before, reveal.nonce));
  const { identity, commitment } = state.entries[index]!;
  if (!sameBytes(await commitTo(reveal.nonce, state.context, identity, crypto), commitment)) {
    throw new Refusal('nonce-mismatch', 'The nonce is not the one that was fixed with the keys.');
  }
  return { ...state, revealed: withPlace(state.revealed, index, reveal.nonce) };
}

function hearShares(state: ServerShares, from: string, bytes: Uint8Array): ServerState {
  const shares = decodeShares(bytes, state.context);
  const index = speaker(state.names, from, shares.from);
  const before = state.shares[index];
  if (before) {
    const same =
      sameBytes(before.selfCommitment, shares.selfCommitment) &&
      before.boxes.length === shares.boxes.length &&
      before.boxes.every((box, at) => sameBytes(box, shares.boxes[at]!));
    return known(state, same);
  }
  const expected = state.graph[index]!.length;
  if (shares.boxes.length !== expected) {
    throw new Refusal('wrong-share-count', `${shares.boxes.length} boxes for ${expected} neighbours.`);
  }
  return { ...state, shares: withPlace(state.shares, index, shares) };
}

/** Checks a masked update, and adds it to the sum. Where that breaks off, the sum is spoiled and the group over. */
async function upload(
  state: Exclude<ServerState, { phase: 'summed' | 'aborted' }>,
  from: string,
  bytes: Uint8Array,
  body: StagedWords,
): Promise<ServerState> {
  if (state.phase === 'keys' || state.phase === 'reveals' || state.phase === 'shares') {
    throw outOfPhase('upload', state);
  }
  const header = decodeUpload(bytes, state.context);
  const index = speaker(state.names, from, header.from);
  if (state.phase !== 'uploads') return known(state, state.survivors[index]!, 'late');
  if (state.shares[index] === null)
    throw new Refusal('late', 'The device did not share its secrets in time.');
  const before = state.uploads[index];
  if (before) return known(state, sameBytes(before, header.digest));
  const terms = decodeTerms(state.terms);
  if (header.ring !== terms.ring) {
    throw new Refusal('wrong-ring', `Words of ${header.ring} bits; the terms say ${terms.ring}.`);
  }
  if (header.length !== terms.length || body.length !== state.sum.byteLength) {
    throw new Refusal(
      'wrong-length',
      `${header.length} coordinates in ${body.length} bytes; ${terms.length} in ${state.sum.byteLength} were expected.`,
    );
  }
  if (!sameBytes(body.digest, header.digest)) {
    throw new Refusal('digest-mismatch', 'The words are not those that the header names. Send them again.');
  }
  const isWhole = await addStaged(state.sum, body).catch(() => false);
  if (!isWhole) return aborted(state, 'sum-spoiled').state;
  return { ...state, uploads: withPlace(state.uploads, index, header.digest) };
}

async function hearSignature(
  state: ServerSigning,
  from: string,
  bytes: Uint8Array,
  { crypto }: ServerEnvironment,
): Promise<ServerState> {
  const message = decodeSignature(bytes, state.context);
  const index = survivor(state, from, message.from);
  if (state.signatures[index]) return state; // one set, so one meaning: a second valid signature says the same
  const payload = await survivorsPayload(bindingOf(state), state.survivors, crypto);
  if (!(await crypto.verify(state.entries[index]!.identity, payload, message.signature))) {
    throw new Refusal('signature-forged', 'This is not the signature of the survivors by this device.');
  }
  return { ...state, signatures: withPlace(state.signatures, index, message.signature) };
}

function hearUnmask(state: ServerUnmasking, from: string, bytes: Uint8Array): ServerState {
  const unmask = decodeUnmask(bytes, state.context);
  const index = survivor(state, from, unmask.from);
  const owners = state.graph[index]!.filter((neighbour) => state.selfCommitments[neighbour] !== null);
  const fits =
    unmask.shares.length === owners.length &&
    unmask.shares.every(
      ({ owner, kind }, at) =>
        owner === owners[at] && kind === (state.survivors[owner] ? secretKind.selfMask : secretKind.maskKey),
    );
  if (!fits) {
    throw new Refusal(
      'wrong-shares',
      'One share of the right kind was expected for each neighbour that shared.',
    );
  }
  const before = state.unmasks[index];
  if (before) {
    return known(
      state,
      before.shares.every(({ share }, at) => sameBytes(share, unmask.shares[at]!.share)),
    );
  }
  return { ...state, unmasks: withPlace(state.unmasks, index, unmask) };
}

/** Goes on where all have spoken that may. */
async function advance(state: ServerState, environment: ServerEnvironment): Promise<ServerStep> {
  switch (state.phase) {
    case 'keys':
      return isFull(state.keys) ? close(state, environment) : { state, messages: [] };
    case 'reveals':
      return isFull(state.revealed) ? close(state, environment) : { state, messages: [] };
    case 'shares':
      return isFull(state.shares) ? close(state, environment) : { state, messages: [] };
    case 'uploads': {
      const all = state.uploads.every((digest, member) => digest !== null || state.shares[member] === null);
      return all ? close(state, environment) : { state, messages: [] };
    }
    case 'signing': {
      const all = state.signatures.every(
        (signature, member) => signature !== null || !state.survivors[member],
      );
      return all ? close(state, environment) : { state, messages: [] };
    }
    case 'unmasking': {
      const work = await masksInSum(state, bindingOf(state), environment.crypto);
      if (work === undefined) {
        const all = state.unmasks.every((unmask, member) => unmask !== null || !state.survivors[member]);
        return all ? aborted(state, 'secret-not-rebuilt') : { state, messages: [] };
      }
      const { terms, context, entries, names, rosterRoot, graphSeed, survivors, sum } = state;
      return entered({
        ...{ phase: 'summed', terms, context, entries, names },
        ...{ rosterRoot, graphSeed, survivors, sum, work },
      });
    }
    case 'summed':
    case 'aborted':
      return { state, messages: [] };
  }
}

/** Ends the phase with those that have spoken. */
async function close(state: ServerState, environment: ServerEnvironment): Promise<ServerStep> {
  switch (state.phase) {
    case 'keys':
      return freeze(state, environment);
    case 'reveals':
      return isFull(state.revealed)
        ? place(state, state.revealed, environment)
        : aborted(state, 'nonce-missing');
    case 'shares':
      return deliver(state);
    case 'uploads':
      return fixSurvivors(state);
    case 'signing': {
      const { signatures, ...summing } = state;
      const list = signatures.flatMap((signature, from) => (signature === null ? [] : [{ from, signature }]));
      const needed = quorumOf(state.names.length);
      if (list.length < needed) return aborted(state, 'too-few-signatures');
      const quorum = list.slice(0, needed);
      return entered({ ...summing, phase: 'unmasking', quorum, unmasks: state.names.map(() => null) });
    }
    case 'unmasking':
      return aborted(state, 'secret-not-rebuilt');
    case 'summed':
    case 'aborted':
      return { state, messages: [] };
  }
}

async function freeze(state: ServerKeys, environment: ServerEnvironment): Promise<ServerStep> {
  const { terms, context } = state;
  const entries = sortEntries(state.keys.filter((entry) => entry !== null));
  const size = entries.length;
  const agreed = decodeTerms(terms);
  if (size < agreed.minimum) return aborted(state, 'too-few-keys');
  const root = await rosterRoot(entries, environment.crypto);
  const names = entries.map(({ identity }) => toHex(identity));
  const frozen = { terms, context, entries, names, rosterRoot: root };
  try {
    if (!isComplete(size, degreeOf(agreed, size))) {
      return entered({ ...frozen, phase: 'reveals', revealed: entries.map(() => null) });
    }
  } catch (error) {
    if (error instanceof Refusal) return aborted(state, 'no-degree');
    throw error;
  }
  return place(frozen, [], environment);
}

async function place(
  frozen: Omit<ServerReveals, 'phase' | 'revealed'>,
  nonces: readonly Uint8Array[],
  { crypto, masks }: ServerEnvironment,
): Promise<ServerStep> {
  const { terms, context, entries, names, rosterRoot: root } = frozen;
  const degree = degreeOf(decodeTerms(terms), entries.length);
  const seed = await graphSeed(root, nonces, crypto);
  return entered({
    ...{ phase: 'shares', terms, context, entries, names, rosterRoot: root, nonces },
    graphSeed: seed,
    graph: graphOf(entries.length, degree, seed, masks),
    threshold: degree.threshold,
    shares: entries.map(() => null),
  });
}

/** Everyone that shared gets what its neighbours sent it. */
function deliver(state: ServerShares): ServerStep {
  const { shares, graph, threshold, names } = state;
  const { ring, length, minimum } = decodeTerms(state.terms);
  const sharers = shares.filter((from) => from !== null).length;
  const reached = shares.every(
    (from, member) =>
      from === null || graph[member]!.filter((neighbour) => shares[neighbour] !== null).length >= threshold,
  );
  if (sharers < Math.max(minimum, quorumOf(names.length)) || !reached)
    return aborted(state, 'too-few-shares');
  return entered({
    ...state,
    phase: 'uploads',
    uploads: names.map(() => null),
    sum: newVector(ring, length),
  });
}

/** Once, and never again. */
function fixSurvivors(state: ServerUploads): ServerStep {
  const { shares, uploads, ...placed } = state;
  const { graph, threshold, names } = state;
  const survivors = uploads.map((digest) => digest !== null);
  const needed = Math.max(decodeTerms(state.terms).minimum, quorumOf(names.length));
  const reached = wantedSecrets(graph, survivors, (member) => shares[member] !== null).every(
    ({ owner }) => graph[owner]!.filter((neighbour) => survivors[neighbour]).length >= threshold,
  );
  if (survivors.filter(Boolean).length < needed || !reached) return aborted(state, 'too-few-uploads');
  if (!isConnected(graph, (member) => survivors[member]!)) return aborted(state, 'survivors-not-connected');
  return entered({
    ...placed,
    phase: 'signing',
    selfCommitments: shares.map((from) => from?.selfCommitment ?? null),
    survivors,
    signatures: names.map(() => null),
  });
}

/** A state just reached, and what it has to say to everyone. */
function entered(state: ServerState): ServerStep {
  const names = state.phase === 'keys' ? state.invited : state.names;
  return { state, messages: names.flatMap((name) => pendingMessages(state, name)) };
}

function aborted(
  state: Phase<'keys'> | Exclude<ServerState, { phase: 'keys' }>,
  reason: ServerAborted['reason'],
): ServerStep {
  const names = state.phase === 'keys' ? state.invited : state.names;
  return entered({ phase: 'aborted', terms: state.terms, context: state.context, names, reason });
}

function inboxOf(state: ServerUploads, to: number): Uint8Array {
  const boxes = state.graph[to]!.flatMap((from) => {
    const shares = state.shares[from];
    return shares ? [{ from, box: shares.boxes[state.graph[from]!.indexOf(to)]! }] : [];
  });
  return encodeInbox(state.context, { to, boxes });
}

function bindingOf(state: ServerSigning | ServerUnmasking): Binding {
  const { context, rosterRoot: root, graphSeed: seed } = state;
  const { group, modelDigest } = decodeTerms(state.terms);
  return { group, modelDigest, context, rosterRoot: root, graphSeed: seed };
}

/** Index of who speaks. */
function speaker(names: readonly string[], from: string, claimed: number): number {
  const index = names.indexOf(from);
  if (index === -1) throw new Refusal('not-in-roster', 'This device is not in the roster of the group.');
  if (index !== claimed) throw new Refusal('wrong-sender', `Member ${index} speaks as member ${claimed}.`);
  return index;
}

function survivor(state: ServerSigning | ServerUnmasking, from: string, claimed: number): number {
  const index = speaker(state.names, from, claimed);
  if (!state.survivors[index])
    throw new Refusal('not-a-survivor', 'The update of this device is not in the sum.');
  return index;
}

/** A message of a phase that is over: nothing new from those that spoke then, too late for the others. */
function ignoredOrLate<S extends Exclude<ServerState, ServerKeys | Phase<'summed' | 'aborted'>>>(
  state: S,
  from: string,
  isKnown: (index: number) => boolean,
): S {
  const index = state.names.indexOf(from);
  if (index === -1) throw new Refusal('not-in-roster', 'The roster was fixed without this device.');
  return known(state, isKnown(index), 'late');
}

function known<S extends ServerState>(
  state: S,
  isSame: boolean,
  code: 'conflicting-message' | 'late' = 'conflicting-message',
): S {
  if (isSame) return state;
  throw new Refusal(
    code,
    code === 'late'
      ? 'The phase is over, and went on without this.'
      : 'The device said something else before.',
  );
}

function isOver(state: ServerState): state is Phase<'summed' | 'aborted'> {
  return state.phase === 'summed' || state.phase === 'aborted';
}

function outOfPhase(kind: MessageKind, state: ServerState): Refusal {
  return new Refusal('out-of-phase', `A message "${kind}" came in phase "${state.phase}".`);
}

function isFull<T>(places: Places<T>): places is readonly T[] {
  return !places.includes(null);
}

function withPlace<T>(places: Places<T>, at: number, value: T): Places<T> {
  return places.map((old, index) => (index === at ? value : old));
}
