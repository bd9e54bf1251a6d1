/**
 * The device's side of SA-1. Pure: a state and an event give a state and messages. Store the new state before anything is
 * sent: a device that lost it has dropped out. A refused event throws {@link Refusal} and changes nothing.
 *
 * All randomness is drawn on joining; every later step gives the same bytes when it is run again from the same state.
 */
import { concatBytes, utf8Encode } from '@starling/protocol';
import type { CryptoProvider } from '../crypto/provider.ts';
import { SecureError } from '../crypto/secure-error.ts';
import { pointOf, type Graph } from '../groups/graph.ts';
import { commitTo, graphSeed, rosterRoot, type RosterEntry } from '../groups/roster.ts';
import { KeyStream } from '../groups/stream.ts';
import type { Masks } from '../masks/masks.ts';
import { split } from '../shamir/index.ts';
import { sameBytes } from './bytes.ts';
import {
  checkNonces,
  checkRoster,
  checkSignatures,
  checkSurvivors,
  checkTerms,
  type DevicePolicy,
} from './client-rules.ts';
import type {
  ClientKeys,
  ClientMasking,
  ClientReveals,
  ClientShares,
  ClientSigning,
  ClientState,
  ClientUnmasking,
  ClientUploads,
  HeldShares,
} from './client-state.ts';
import { degreeOf, graphOf, isComplete } from './layout.ts';
import { applyMasks, type MaskTerm } from './masking.ts';
import {
  boxBytes,
  decodeEnd,
  decodeInbox,
  decodeNonces,
  decodeRoster,
  decodeSignatures,
  decodeSurvivors,
  encodeKeys,
  encodeReveal,
  encodeShares,
  encodeSignature,
  encodeUnmask,
  encodeUpload,
  kindOf,
  rosterSize,
  secretKind,
} from './messages.ts';
import { Refusal, type RefusalCode } from './refusal.ts';
import { contextOf, decodeTerms, type GroupTerms } from './terms.ts';
import {
  boxKey,
  keysPayload,
  pairMaskKey,
  selfMaskCommitment,
  selfMaskKey,
  survivorsPayload,
  type Binding,
} from './transcript.ts';
import { ringOf, wordsToBytes, type RingVector } from './words.ts';

export interface ClientEnvironment {
  readonly crypto: CryptoProvider;
  readonly masks: Masks;
  readonly identity: {
    /** Ed25519, 32 bytes. */
    readonly publicKey: Uint8Array;
    sign(message: Uint8Array): Promise<Uint8Array>;
  };
  readonly policy: DevicePolicy;
}

export interface ClientMessage {
  readonly bytes: Uint8Array;
  /** Behind UPLOAD: the masked words, little-endian. */
  readonly body?: Uint8Array;
}

export type ClientEvent =
  | { readonly kind: 'message'; readonly bytes: Uint8Array }
  /** The encoded update. The first one counts: asked again, the device sends again what it sent. */
  | { readonly kind: 'update'; readonly vector: RingVector };

export interface ClientStep {
  readonly state: ClientState;
  readonly messages: readonly ClientMessage[];
}

/** Nothing is sealed twice under one key. */
const zeroNonce = new Uint8Array(24);

/** Answers TERMS with fresh keys. Throws {@link Refusal}. */
export async function joinGroup(terms: Uint8Array, environment: ClientEnvironment): Promise<ClientStep> {
  const { crypto, identity, policy } = environment;
  checkTerms(decodeTerms(terms), policy);
  const context = await contextOf(terms, crypto);
  const seed = crypto.randomBytes(32);
  const maskPair = await crypto.keyPair();
  const sharePair = await crypto.keyPair();
  const nonce = await nonceOf(seed, context, crypto);
  const unsigned = {
    identity: identity.publicKey,
    maskKey: maskPair.publicKey,
    shareKey: sharePair.publicKey,
    commitment: await commitTo(nonce, context, identity.publicKey, crypto),
  };
  const signature = await identity.sign(keysPayload(context, unsigned));
  return moved({
    version: 1,
    phase: 'keys',
    terms: terms.slice(),
    context,
    seed,
    maskSecret: maskPair.secretKey,
    shareSecret: sharePair.secretKey,
    keys: encodeKeys(context, { ...unsigned, signature }),
  });
}

/** Takes the device one event further. Throws {@link Refusal}; then the state is as before. */
export async function stepClient(
  state: ClientState,
  event: ClientEvent,
  environment: ClientEnvironment,
): Promise<ClientStep> {
  if (event.kind === 'update') {
    if (state.phase === 'masking') return moved(await mask(state, event.vector, environment));
    if (state.phase === 'uploads') return moved(state);
    throw outOfPhase('An update', state);
  }
  const { bytes } = event;
  const kind = kindOf(bytes);
  switch (kind) {
    case 'roster':
      if (state.phase === 'keys') return moved(await freeze(state, bytes, environment));
      if ('roster' in state) return again(state, bytes, state.roster, ['reveals', 'shares'], 'second-roster');
      break;
    case 'nonces':
      if (state.phase === 'reveals') return moved(await place(state, bytes, environment));
      if ('nonces' in state && state.nonces.length > 0) {
        return again(state, bytes, state.nonces, ['shares'], 'second-nonces');
      }
      break;
    case 'inbox':
      if (state.phase === 'shares') return moved(open(state, bytes, environment));
      if ('inbox' in state) return again(state, bytes, state.inbox, ['uploads'], 'second-inbox');
      break;
    case 'survivors':
      if (state.phase === 'uploads') return moved(await agree(state, bytes, environment));
      if ('survivors' in state) return again(state, bytes, state.survivors, ['signing'], 'second-survivors');
      break;
    case 'signatures':
      if (state.phase === 'signing') return moved(await unmask(state, bytes, environment));
      // Other signatures of the same survivors: the answer was fixed by the survivors.
      if (state.phase === 'unmasking') {
        decodeSignatures(bytes, state.context);
        return moved(state);
      }
      break;
    case 'end': {
      const outcome = decodeEnd(bytes, state.context);
      if (state.phase === 'ended') return moved(state);
      const { version, terms, context } = state;
      return moved({ version, phase: 'ended', terms, context, outcome });
    }
    default:
      throw new Refusal('wrong-type', `A device does not receive "${kind}" in a group that it has joined.`);
  }
  throw outOfPhase(`A message "${kind}"`, state);
}

/** What the device last said in this phase: to be sent again after a reconnection. */
export function lastMessages(state: ClientState): readonly ClientMessage[] {
  switch (state.phase) {
    case 'keys':
      return [{ bytes: state.keys }];
    case 'reveals':
      return [{ bytes: state.reveal }];
    case 'shares':
      return [{ bytes: state.shares }];
    case 'uploads':
      return [{ bytes: state.upload, body: state.masked }];
    case 'signing':
      return [{ bytes: state.signature }];
    case 'unmasking':
      return [{ bytes: state.unmask }];
    case 'masking':
    case 'ended':
      return [];
  }
}

/** ROSTER: checked, then answered with the nonce, or with shares where the graph is complete. */
async function freeze(
  state: ClientKeys,
  bytes: Uint8Array,
  environment: ClientEnvironment,
): Promise<ClientReveals | ClientShares> {
  const { crypto, policy } = environment;
  const { keys } = state;
  const terms = decodeTerms(state.terms);
  const entries = decodeRoster(bytes, state.context);
  const own = keys.subarray(keys.length - 192);
  const index = await checkRoster(entries, own, state.context, terms, policy, crypto);
  const frozen = {
    ...without(state, 'keys'),
    roster: bytes.slice(),
    rosterRoot: await rosterRoot(entries, crypto),
    index,
  };
  if (isComplete(entries.length, degreeOf(terms, entries.length))) {
    return share(frozen, new Uint8Array(), [], entries, environment);
  }
  const nonce = await nonceOf(state.seed, state.context, crypto);
  return { ...frozen, phase: 'reveals', reveal: encodeReveal(state.context, index, nonce) };
}

/** NONCES: the graph is fixed. */
async function place(
  state: ClientReveals,
  bytes: Uint8Array,
  environment: ClientEnvironment,
): Promise<ClientShares> {
  const frozen = without(state, 'reveal');
  const entries = decodeRoster(state.roster, state.context);
  const nonces = decodeNonces(bytes, state.context);
  await checkNonces(nonces, entries, state.context, environment.crypto);
  return share(frozen, bytes.slice(), nonces, entries, environment);
}

/** Shares both secrets among the neighbours. */
async function share(
  frozen: Omit<ClientKeys, 'phase' | 'keys'> & Pick<ClientReveals, 'roster' | 'rosterRoot' | 'index'>,
  nonces: Uint8Array,
  revealed: readonly Uint8Array[],
  entries: readonly RosterEntry[],
  { crypto, masks }: ClientEnvironment,
): Promise<ClientShares> {
  const { context, index } = frozen;
  const placed = { ...frozen, nonces, graphSeed: await graphSeed(frozen.rosterRoot, revealed, crypto) };
  const terms = decodeTerms(frozen.terms);
  const binding = bindingOf(terms, placed);
  const degree = degreeOf(terms, entries.length);
  const graph = graphOf(entries.length, degree, placed.graphSeed, masks);
  const neighbours = graph[index]!;
  const self = entries[index]!.identity;
  const selfMask = await selfMaskSecret(placed, crypto);
  const coefficients = new KeyStream(masks, await fromSeed(placed, 'coefficients', crypto));
  const points = neighbours.map((_, at) => at + 1);
  const values = split(concatBytes(selfMask, frozen.maskSecret), points, degree.threshold, (length) =>
    coefficients.bytes(length),
  );
  const keys = await Promise.all(
    neighbours.map(async (neighbour) => {
      const other = entries[neighbour]!;
      const [shared] = await Promise.all([
        agreed(frozen.shareSecret, other.shareKey, neighbour, crypto),
        agreed(frozen.maskSecret, other.maskKey, neighbour, crypto), // a weak one is found out before any share is
      ]);
      const toPoint = pointOf(graph, index, neighbour)!; // neighbours of each other
      const fromPoint = pointOf(graph, neighbour, index)!;
      return {
        to: await boxKey(shared, binding, self, other.identity, toPoint, crypto),
        from: await boxKey(shared, binding, other.identity, self, fromPoint, crypto),
      };
    }),
  );
  return {
    ...placed,
    phase: 'shares',
    shares: encodeShares(context, {
      from: index,
      selfCommitment: await selfMaskCommitment(selfMask, context, self, crypto),
      boxes: values.map((value, at) => crypto.seal(keys[at]!.to, zeroNonce, value)),
    }),
    boxKeys: neighbours.map((from, at) => ({ from, key: keys[at]!.from })),
  };
}

/** INBOX: the neighbours' shares are opened and kept. Whoever is missing has dropped out. */
function open(state: ClientShares, bytes: Uint8Array, { crypto }: ClientEnvironment): ClientMasking {
  const { boxKeys } = state;
  const placed = without(state, 'shares', 'boxKeys');
  const { to, boxes } = decodeInbox(bytes, state.context);
  if (to !== state.index)
    throw new Refusal('share-not-opened', `An inbox for member ${to}, not ${state.index}.`);
  const held = boxes.map(({ from, box }): HeldShares => {
    const key = boxKeys.find((candidate) => candidate.from === from)?.key;
    if (key === undefined) throw new Refusal('not-a-neighbour', `Member ${from} is no neighbour.`);
    const plain = crypto.open(key, zeroNonce, box);
    if (plain?.length !== boxBytes - 16) {
      throw new Refusal(
        'share-not-opened',
        `The share of member ${from} was not sealed by it for this place.`,
      );
    }
    return { owner: from, selfMask: plain.slice(0, 32), maskKey: plain.slice(32) };
  });
  const terms = decodeTerms(state.terms);
  const { threshold } = degreeOf(terms, rosterSize(state.roster));
  if (held.length < threshold) {
    throw new Refusal('too-few-shares', `Shares of ${held.length} neighbours; ${threshold} were expected.`);
  }
  return { ...placed, phase: 'masking', inbox: bytes.slice(), held };
}

/** The update: masked once. With it go the device's own secrets, which its neighbours hold now. */
async function mask(
  state: ClientMasking,
  vector: RingVector,
  { crypto, masks }: ClientEnvironment,
): Promise<ClientUploads> {
  const { context, index, held, maskSecret } = state;
  const placed = without(state, 'seed', 'maskSecret', 'shareSecret');
  const terms = decodeTerms(state.terms);
  if (ringOf(vector) !== terms.ring) {
    throw new Refusal('wrong-ring', `An update of ${ringOf(vector)}-bit words; the terms say ${terms.ring}.`);
  }
  if (vector.length !== terms.length) {
    throw new Refusal(
      'wrong-length',
      `An update of ${vector.length} coordinates; the terms say ${terms.length}.`,
    );
  }
  const entries = decodeRoster(state.roster, context);
  const binding = bindingOf(terms, state);
  const self = entries[index]!.identity;
  const own: MaskTerm = {
    key: await selfMaskKey(await selfMaskSecret(state, crypto), binding, self, crypto),
    sign: 1,
  };
  const pairs = held.map(async ({ owner }): Promise<MaskTerm> => {
    const other = entries[owner]!;
    const shared = await agreed(maskSecret, other.maskKey, owner, crypto);
    return index < owner
      ? { key: await pairMaskKey(shared, binding, self, other.identity, crypto), sign: 1 }
      : { key: await pairMaskKey(shared, binding, other.identity, self, crypto), sign: -1 };
  });
  const words = vector.slice();
  applyMasks(masks, [own, ...(await Promise.all(pairs))], words);
  const masked = wordsToBytes(words);
  const upload = encodeUpload(context, {
    from: index,
    ring: terms.ring,
    length: terms.length,
    digest: await crypto.sha256(masked),
  });
  return { ...placed, phase: 'uploads', upload, masked };
}

/** SURVIVORS: one set, checked and signed. */
async function agree(
  state: ClientUploads,
  bytes: Uint8Array,
  { crypto, masks, identity, policy }: ClientEnvironment,
): Promise<ClientSigning> {
  const placed = without(state, 'inbox', 'upload', 'masked');
  const { index, held, context } = state;
  const terms = decodeTerms(state.terms);
  const survivors = decodeSurvivors(bytes, context);
  const { graph, degree } = layoutOf(terms, state, masks);
  const holders = new Set(held.map(({ owner }) => owner));
  const least = Math.max(terms.minimum, policy.minimum);
  checkSurvivors(survivors, index, graph, degree, least, (neighbour) => holders.has(neighbour));
  const signature = await identity.sign(await survivorsPayload(bindingOf(terms, state), survivors, crypto));
  return {
    ...placed,
    phase: 'signing',
    survivors: bytes.slice(),
    signature: encodeSignature(context, { from: index, signature }),
  };
}

/** SIGNATURES: for each neighbour one share, of its self-mask where it survives, of its mask key where it dropped out. */
async function unmask(
  state: ClientSigning,
  bytes: Uint8Array,
  { crypto }: ClientEnvironment,
): Promise<ClientUnmasking> {
  const { context, index, held } = state;
  const placed = without(state, 'held');
  const survivors = decodeSurvivors(state.survivors, context);
  const entries = decodeRoster(state.roster, context);
  const payload = await survivorsPayload(bindingOf(decodeTerms(state.terms), state), survivors, crypto);
  await checkSignatures(decodeSignatures(bytes, context), survivors, entries, payload, crypto);
  const shares = held.map(({ owner, selfMask, maskKey }) =>
    survivors[owner]
      ? { owner, kind: secretKind.selfMask, share: selfMask }
      : { owner, kind: secretKind.maskKey, share: maskKey },
  );
  return { ...placed, phase: 'unmasking', unmask: encodeUnmask(context, { from: index, shares }) };
}

/** A message accepted before: the same is answered as then while nothing came after it; another is refused. */
function again(
  state: ClientState,
  bytes: Uint8Array,
  accepted: Uint8Array,
  answeredIn: readonly ClientState['phase'][],
  code: RefusalCode,
): ClientStep {
  if (!sameBytes(bytes, accepted)) {
    throw new Refusal(code, 'Another message of this kind was accepted before; it stays so.');
  }
  return { state, messages: answeredIn.includes(state.phase) ? lastMessages(state) : [] };
}

/** What the next phase no longer needs is not handed on. */
function without<T extends ClientState, K extends keyof T>(state: T, ...names: K[]): Omit<T, K> {
  const rest = { ...state };
  for (const name of names) Reflect.deleteProperty(rest, name);
  return rest;
}

function moved(state: ClientState): ClientStep {
  return { state, messages: lastMessages(state) };
}

function outOfPhase(what: string, state: ClientState): Refusal {
  return new Refusal('out-of-phase', `${what} came in phase "${state.phase}".`);
}

function bindingOf(
  terms: GroupTerms,
  { context, rosterRoot, graphSeed }: Pick<ClientMasking, 'context' | 'rosterRoot' | 'graphSeed'>,
): Binding {
  return { group: terms.group, modelDigest: terms.modelDigest, context, rosterRoot, graphSeed };
}

function layoutOf(
  terms: GroupTerms,
  { roster, graphSeed }: Pick<ClientMasking, 'roster' | 'graphSeed'>,
  masks: Masks,
): { graph: Graph; degree: ReturnType<typeof degreeOf> } {
  const size = rosterSize(roster);
  const degree = degreeOf(terms, size);
  return { graph: graphOf(size, degree, graphSeed, masks), degree };
}

async function agreed(
  secret: Uint8Array,
  key: Uint8Array,
  member: number,
  crypto: CryptoProvider,
): Promise<Uint8Array> {
  try {
    return await crypto.sharedSecret(secret, key);
  } catch (error) {
    if (error instanceof SecureError && error.code === 'weak-key') {
      throw new Refusal('weak-key', `A key of member ${member} has small order.`);
    }
    throw error;
  }
}

function nonceOf(seed: Uint8Array, context: Uint8Array, crypto: CryptoProvider): Promise<Uint8Array> {
  return crypto.deriveKey(seed, context, utf8Encode('starling/sa1/device/nonce'), 32);
}

type Seeded = Pick<ClientMasking, 'seed' | 'context' | 'rosterRoot' | 'graphSeed'>;

function selfMaskSecret(state: Seeded, crypto: CryptoProvider): Promise<Uint8Array> {
  return fromSeed(state, 'self-mask', crypto);
}

/** Another roster or graph gives other secrets and other coefficients. */
function fromSeed(state: Seeded, role: string, crypto: CryptoProvider): Promise<Uint8Array> {
  const { seed, context, rosterRoot, graphSeed } = state;
  const info = concatBytes(utf8Encode(`starling/sa1/device/${role}\0`), rosterRoot, graphSeed);
  return crypto.deriveKey(seed, context, info, 32);
}
