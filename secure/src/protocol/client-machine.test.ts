import { concatBytes, toHex } from '@starling/protocol';
import { describe, expect, it } from 'vitest';
import { sortEntries, type RosterEntry } from '../groups/roster.ts';
import {
  answer,
  castOf,
  eventOf,
  open,
  openSum,
  phase,
  plainSum,
  reach,
  start,
  type Cast,
  type Moment,
} from '../testing/group.ts';
import { refusalOf, turned } from '../testing/refusals.ts';
import { joinGroup, lastMessages, stepClient } from './client-machine.ts';
import { checkSurvivors, type DevicePolicy } from './client-rules.ts';
import {
  clientTransitions,
  eraseSuperseded,
  loadClientState,
  saveClientState,
  StoredStateError,
  type ClientPhase,
  type ClientState,
} from './client-state.ts';
import {
  decodeInbox,
  decodeKeys,
  decodeNonces,
  decodeRoster,
  decodeSignatures,
  decodeUnmask,
  encodeInbox,
  encodeKeys,
  encodeNonces,
  encodeRoster,
  encodeSignatures,
  encodeSurvivors,
  secretKind,
} from './messages.ts';
import { pendingMessages, stepServer } from './server-machine.ts';
import type { ServerState } from './server-state.ts';
import { encodeTerms } from './terms.ts';
import { keysPayload, pairMaskKey, survivorsPayload, type Binding } from './transcript.ts';
import { newVector } from './words.ts';

/** A group whose graph is drawn, small enough to run often. */
const sparse = {
  size: 66,
  terms: { corruptPermille: 20, dropOutPermille: 20, privacyBits: 4, correctnessBits: 4 },
};

/** Every byte as one character. */
function textOf(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

/** What the server would say next to device `number`, who is in `moment`. */
function nextFor(cast: Cast, { server }: Moment, number = 0): Uint8Array {
  return pendingMessages(server, cast.devices[number]!.name)[0]!.bytes;
}

/** Everyone's messages reach the server, but what it says then reaches nobody yet. */
async function serverAhead(cast: Cast, moment: Moment): Promise<Moment> {
  const deaf: Cast = { ...cast };
  const after = await phase(deaf, moment, moment.alive);
  return { ...after, clients: moment.clients };
}

/** The group stands before device 0 hears a message of this kind; the message. */
async function before(
  cast: Cast,
  wanted: ServerState['phase'],
): Promise<{ moment: Moment; state: ClientState; bytes: Uint8Array }> {
  let moment = await start(cast);
  for (;;) {
    const ahead = await serverAhead(cast, moment);
    if (ahead.server.phase === wanted) {
      return { moment: ahead, state: moment.clients[0]!, bytes: nextFor(cast, ahead) };
    }
    moment = await phase(cast, moment, moment.alive);
  }
}

function hears(cast: Cast, state: ClientState, bytes: Uint8Array, policy: Partial<DevicePolicy> = {}) {
  const { environment } = cast.devices[0]!;
  return refusalOf(() =>
    stepClient(
      state,
      { kind: 'message', bytes },
      { ...environment, policy: { ...environment.policy, ...policy } },
    ),
  );
}

describe('a device before the terms', () => {
  const cast = castOf({ size: 4 });
  const { environment } = cast.devices[0]!;
  const joins = (terms: Uint8Array, policy: Partial<DevicePolicy> = {}) =>
    refusalOf(() => joinGroup(terms, { ...environment, policy: { ...environment.policy, ...policy } }));

  it.each<[string, string, Partial<DevicePolicy>]>([
    ['a task that was not approved', 'task-not-pinned', { taskDigest: new Uint8Array(32) }],
    ['another base model', 'model-mismatch', { modelDigest: new Uint8Array(32) }],
    ['sums of fewer than it allows', 'minimum-too-low', { minimum: 4 }],
    ['fewer corrupt members than it fears', 'assumption-too-weak', { corruptPermille: 101 }],
    ['fewer bits of privacy than it wants', 'assumption-too-weak', { privacyBits: 41 }],
  ])('refuses %s', async (_, code, policy) => {
    expect(await joins(cast.termBytes)).toBe('accepted');
    expect(await joins(cast.termBytes, policy)).toBe(code);
  });

  it('refuses other versions, trailing and missing bytes, and numbers out of range', async () => {
    expect(await joins(turned(cast.termBytes, 0))).toBe('wrong-version');
    expect(await joins(turned(cast.termBytes, 1))).toBe('wrong-type');
    expect(await joins(concatBytes(cast.termBytes, Uint8Array.of(0)))).toBe('malformed');
    expect(await joins(cast.termBytes.subarray(0, -1))).toBe('malformed');
    expect(await joins(turned(cast.termBytes, -13))).toBe('malformed'); // ring 33
    expect(await refusalOf(() => encodeTerms({ ...cast.terms, minimum: 2 }))).toBe('malformed');
  });
});

describe('a device before a roster', () => {
  const cast = castOf({ size: 5 });
  const all = async () => {
    const { state, bytes, moment } = await before(cast, 'shares');
    return { state, bytes, entries: decodeRoster(bytes, state.context), moment };
  };
  const withEntry = (entries: readonly RosterEntry[], state: ClientState, change: Partial<RosterEntry>) => {
    const own = toHex(cast.devices[0]!.environment.identity.publicKey);
    const at = entries.findIndex(({ identity }) => toHex(identity) !== own);
    return encodeRoster(
      state.context,
      entries.map((entry, index) => (index === at ? { ...entry, ...change } : entry)),
    );
  };
  /** A key as its owner would sign it: the signature of the toy can be made by anyone. */
  const signed = async (state: ClientState, entry: RosterEntry): Promise<RosterEntry> => {
    const half = await cast.server.crypto.sha256(
      concatBytes(entry.identity, keysPayload(state.context, entry)),
    );
    return { ...entry, signature: concatBytes(half, half) };
  };

  it('refuses too few and too many members', async () => {
    const { state, bytes } = await all();
    expect(await hears(cast, state, bytes)).toBe('accepted');
    expect(await hears(cast, state, bytes, { minimum: 6 })).toBe('group-too-small');
    expect(await hears(cast, state, bytes, { maximum: 4 })).toBe('group-too-large');
  });

  it('refuses members out of order, twice, or without itself', async () => {
    const { state, entries } = await all();
    const own = toHex(cast.devices[0]!.environment.identity.publicKey);
    const roster = (list: readonly RosterEntry[]) => encodeRoster(state.context, list);
    expect(await hears(cast, state, roster([...entries].reverse()))).toBe('roster-order');
    expect(await hears(cast, state, roster([entries[0]!, ...entries]))).toBe('roster-order');
    expect(await hears(cast, state, roster(entries.filter(({ identity }) => toHex(identity) !== own)))).toBe(
      'own-entry-missing',
    );
  });

  it('refuses other keys for itself, and keys that their owner did not sign', async () => {
    const { state, entries } = await all();
    const own = toHex(cast.devices[0]!.environment.identity.publicKey);
    const swapped = entries.map((entry) =>
      toHex(entry.identity) === own ? { ...entry, maskKey: turned(entry.maskKey, 0) } : entry,
    );
    expect(await hears(cast, state, encodeRoster(state.context, swapped))).toBe('own-entry-changed');
    for (const change of [
      { maskKey: new Uint8Array(32).fill(5) },
      { shareKey: new Uint8Array(32).fill(5) },
      { commitment: new Uint8Array(32).fill(5) },
      { signature: new Uint8Array(64) },
    ]) {
      expect(await hears(cast, state, withEntry(entries, state, change))).toBe('key-forged');
    }
  });

  it('refuses keys that were signed for the other role', async () => {
    const { state, entries } = await all();
    const other = entries.find(
      ({ identity }) => toHex(identity) !== toHex(cast.devices[0]!.environment.identity.publicKey),
    )!;
    const roles = { maskKey: other.shareKey, shareKey: other.maskKey };
    expect(await hears(cast, state, withEntry(entries, state, roles))).toBe('key-forged');
  });

  it('refuses keys that were signed for another group', async () => {
    const { state, entries } = await all();
    const other = await start(castOf({ size: 5, terms: { group: 'grp_two' } }));
    const replayed = other.clients.map((client) =>
      client?.phase === 'keys' ? decodeKeys(client.keys, client.context) : undefined,
    );
    const own = entries.find(({ identity }) => toHex(identity) === cast.devices[0]!.name)!;
    const list = sortEntries(
      replayed.map((entry) => (toHex(entry!.identity) === cast.devices[0]!.name ? own : entry!)),
    );
    expect(await hears(cast, state, encodeRoster(state.context, list))).toBe('key-forged');
  });

  it('refuses members that it does not know', async () => {
    const { state, bytes } = await all();
    const stranger = cast.devices[3]!.name;
    expect(await hears(cast, state, bytes, { knows: (identity) => toHex(identity) !== stranger })).toBe(
      'unknown-identity',
    );
  });

  it('refuses a key that two members have', async () => {
    const { state, entries } = await all();
    const [first, second] = entries.filter(({ identity }) => toHex(identity) !== cast.devices[0]!.name);
    const copied = await signed(state, { ...second!, maskKey: first!.maskKey });
    const list = entries.map((entry) => (entry === second ? copied : entry));
    expect(await hears(cast, state, encodeRoster(state.context, list))).toBe('duplicate-key');
  });

  it.each(['maskKey', 'shareKey'] as const)('refuses a %s of small order', async (role) => {
    const { state, entries } = await all();
    const other = entries.find(({ identity }) => toHex(identity) !== cast.devices[0]!.name)!;
    const weak = await signed(state, { ...other, [role]: new Uint8Array(32) });
    const list = entries.map((entry) => (entry === other ? weak : entry));
    expect(await hears(cast, state, encodeRoster(state.context, list))).toBe('weak-key');
  });

  it('answers the same roster with the same shares, and refuses another', async () => {
    const { state, bytes, entries } = await all();
    const { environment } = cast.devices[0]!;
    const first = await stepClient(state, { kind: 'message', bytes }, environment);
    const second = await stepClient(first.state, { kind: 'message', bytes }, environment);
    expect(second).toEqual(first);
    const smaller = entries
      .filter(({ identity }, at) => at !== 0 || toHex(identity) === cast.devices[0]!.name)
      .slice(0, 4);
    expect(await hears(cast, first.state, encodeRoster(state.context, smaller))).toBe('second-roster');
  });

  it('refuses a roster of another group, and one with bytes too many or too few', async () => {
    const { state, bytes, entries } = await all();
    expect(await hears(cast, state, encodeRoster(turned(state.context, 3), entries))).toBe('wrong-group');
    expect(await hears(cast, state, concatBytes(bytes, Uint8Array.of(0)))).toBe('malformed');
    expect(await hears(cast, state, bytes.subarray(0, -1))).toBe('malformed');
    expect(await hears(cast, state, Uint8Array.of())).toBe('malformed');
    expect(await hears(cast, state, turned(bytes, 0))).toBe('wrong-version');
    expect(await hears(cast, state, Uint8Array.of(1, 99))).toBe('wrong-type');
    expect(await hears(cast, state, encodeKeys(state.context, entries[0]!))).toBe('wrong-type');
  });

  it('refuses a group that no graph serves', async () => {
    const hopeless = castOf({ size: 70, terms: { corruptPermille: 600, dropOutPermille: 400 } });
    const moment = await start(hopeless);
    const state = moment.clients[0]!;
    const entries = sortEntries(
      moment.clients.map((client) => {
        if (client?.phase !== 'keys') throw new Error('no keys');
        return decodeKeys(client.keys, client.context);
      }),
    );
    expect(await hears(hopeless, state, encodeRoster(state.context, entries))).toBe('no-degree');
  });
});

describe('a device before the nonces of a drawn graph', () => {
  it('refuses a nonce that was not fixed, and too few; and other nonces after the first', async () => {
    const cast = castOf(sparse);
    const { state, bytes } = await before(cast, 'shares');
    expect(state.phase).toBe('reveals');
    const nonces = decodeNonces(bytes, state.context);
    const other = nonces.map((nonce, at) => (at === 7 ? turned(nonce, 0) : nonce));
    expect(await hears(cast, state, encodeNonces(state.context, other))).toBe('nonce-mismatch');
    expect(await hears(cast, state, encodeNonces(state.context, nonces.slice(1)))).toBe('nonce-mismatch');
    const { environment } = cast.devices[0]!;
    const first = await stepClient(state, { kind: 'message', bytes }, environment);
    expect(await stepClient(first.state, { kind: 'message', bytes }, environment)).toEqual(first);
    expect(await hears(cast, first.state, encodeNonces(state.context, other))).toBe('second-nonces');
  });
});

describe('a device before its inbox', () => {
  const cast = castOf({ size: 6 });
  const all = async () => {
    const { state, bytes, moment } = await before(cast, 'uploads');
    if (state.phase !== 'shares') throw new Error(state.phase);
    return { state, bytes, inbox: decodeInbox(bytes, state.context), moment };
  };

  it('refuses a share that was changed, or put under another name', async () => {
    const { state, inbox } = await all();
    const [first, second, ...others] = inbox.boxes;
    const send = (boxes: typeof inbox.boxes) =>
      hears(cast, state, encodeInbox(state.context, { ...inbox, boxes }));
    expect(await send([{ ...first!, box: turned(first!.box, 40) }, second!, ...others])).toBe(
      'share-not-opened',
    );
    const swapped = [
      { ...first!, box: second!.box },
      { ...second!, box: first!.box },
    ];
    expect(await send([...swapped, ...others])).toBe('share-not-opened');
  });

  it('refuses a share that was meant for another member, and its own sent back', async () => {
    const { state, inbox, moment } = await all();
    const others = moment.server;
    if (others.phase !== 'uploads') throw new Error(others.phase);
    const sender = inbox.boxes[0]!.from;
    const place = others.graph[sender]!.findIndex((to) => to !== state.index);
    const misrouted = others.shares[sender]!.boxes[place]!;
    const send = (box: Uint8Array) =>
      hears(
        cast,
        state,
        encodeInbox(state.context, { ...inbox, boxes: [{ from: sender, box }, ...inbox.boxes.slice(1)] }),
      );
    expect(await send(misrouted)).toBe('share-not-opened');
    const own = others.shares[state.index]!.boxes[others.graph[state.index]!.indexOf(sender)]!;
    expect(await send(own)).toBe('share-not-opened');
  });

  it('refuses a share of another group of the same devices', async () => {
    const { state, inbox } = await all();
    const other = await before(castOf({ size: 6, terms: { group: 'grp_two' } }), 'uploads');
    const replayed = decodeInbox(other.bytes, other.state.context);
    expect(replayed.boxes.map(({ from }) => from)).toEqual(inbox.boxes.map(({ from }) => from));
    expect(await hears(cast, state, encodeInbox(state.context, replayed))).toBe('share-not-opened');
  });

  it('refuses shares from itself, from nobody, twice, or out of order', async () => {
    const { state, inbox } = await all();
    const [first, ...others] = inbox.boxes;
    const send = (boxes: typeof inbox.boxes) =>
      hears(cast, state, encodeInbox(state.context, { ...inbox, boxes }));
    const asSelf = [...inbox.boxes, { from: state.index, box: first!.box }].sort((a, b) => a.from - b.from);
    expect(await send(asSelf)).toBe('not-a-neighbour');
    expect(await send([...inbox.boxes, { from: 6, box: first!.box }])).toBe('not-a-neighbour');
    expect(await send([first!, first!, ...others])).toBe('malformed');
    expect(await send([...others, first!])).toBe('malformed');
  });

  it('refuses too few shares, and an inbox for another member', async () => {
    const { state, inbox } = await all();
    const few = { ...inbox, boxes: inbox.boxes.slice(0, 3) };
    expect(await hears(cast, state, encodeInbox(state.context, few))).toBe('too-few-shares');
    const wrong = { ...inbox, to: (inbox.to + 1) % 6 };
    expect(await hears(cast, state, encodeInbox(state.context, wrong))).toBe('share-not-opened');
  });

  it('refuses another inbox after the first', async () => {
    const { state, bytes, inbox } = await all();
    const { environment } = cast.devices[0]!;
    const { state: masking } = await stepClient(state, { kind: 'message', bytes }, environment);
    expect(masking.phase).toBe('masking');
    expect(await hears(cast, masking, bytes)).toBe('accepted');
    const fewer = encodeInbox(state.context, { ...inbox, boxes: inbox.boxes.slice(0, 4) });
    expect(await hears(cast, masking, fewer)).toBe('second-inbox');
  });
});

describe('a device with its update', () => {
  it('masks one update once, and sends the same bytes again whatever it is given later', async () => {
    const cast = castOf({ size: 4 });
    const { state, bytes } = await before(cast, 'uploads');
    const { environment, update } = cast.devices[0]!;
    const { state: masking } = await stepClient(state, { kind: 'message', bytes }, environment);
    expect(
      await refusalOf(() => stepClient(masking, { kind: 'update', vector: newVector(16, 5) }, environment)),
    ).toBe('wrong-ring');
    expect(
      await refusalOf(() => stepClient(masking, { kind: 'update', vector: newVector(32, 6) }, environment)),
    ).toBe('wrong-length');
    const sent = await stepClient(masking, { kind: 'update', vector: update }, environment);
    const reloaded = loadClientState(saveClientState(sent.state));
    const again = await stepClient(reloaded, { kind: 'update', vector: newVector(32, 5) }, environment);
    expect(again.messages).toEqual(sent.messages);
    const reminded = await stepClient(reloaded, { kind: 'message', bytes }, environment);
    expect(reminded.messages).toEqual(sent.messages);
  });

  it('has no use for an update before its neighbours are known', async () => {
    const cast = castOf({ size: 4 });
    const { clients } = await start(cast);
    const { environment, update } = cast.devices[0]!;
    expect(
      await refusalOf(() => stepClient(clients[0]!, { kind: 'update', vector: update }, environment)),
    ).toBe('out-of-phase');
  });

  it.each([16, 32] as const)('sends words that say nothing about it (%i bits)', async (ring) => {
    for (const value of [0, 1, 0xffff]) {
      const cast = castOf({ size: 4, terms: { ring, length: 8192 } });
      cast.devices[0]!.update.fill(value);
      const { clients } = await reach(cast, 'uploads');
      const client = clients[0]!;
      if (client.phase !== 'uploads') throw new Error(client.phase);
      const counts = new Float64Array(256);
      for (const byte of client.masked) counts[byte]!++;
      const expected = client.masked.length / 256;
      const chiSquare = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
      // 255 degrees of freedom: 5 standard deviations around the mean.
      expect(chiSquare).toBeGreaterThan(255 - 5 * Math.sqrt(510));
      expect(chiSquare).toBeLessThan(255 + 5 * Math.sqrt(510));
    }
  });
});

describe('masks', () => {
  it('of two devices that trained from different models do not cancel', async () => {
    const { crypto } = castOf({ size: 3 }).server;
    const binding: Binding = {
      group: 'grp_one',
      context: new Uint8Array(32).fill(1),
      modelDigest: new Uint8Array(32).fill(2),
      rosterRoot: new Uint8Array(32).fill(3),
      graphSeed: new Uint8Array(32).fill(4),
    };
    const [shared, low, high] = [5, 6, 7].map((value) => new Uint8Array(32).fill(value)) as [
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ]; // three
    const key = async (change: Partial<Binding>) =>
      toHex(await pairMaskKey(shared, { ...binding, ...change }, low, high, crypto));
    const same = await key({});
    expect(await key({})).toBe(same);
    const other = new Uint8Array(32).fill(9);
    for (const change of [
      { modelDigest: other },
      { context: other },
      { rosterRoot: other },
      { graphSeed: other },
      { group: 'grp_two' },
    ]) {
      expect(await key(change)).not.toBe(same);
    }
    expect(toHex(await pairMaskKey(shared, binding, high, low, crypto))).not.toBe(same);
  });

  it('are never agreed on with a device that heard other terms', async () => {
    const honest = castOf({ size: 4 });
    const other = castOf({ size: 4, terms: { modelDigest: new Uint8Array(32).fill(0x99) } });
    const opened = await open(honest);
    const stranger = await joinGroup(other.termBytes, other.devices[1]!.environment);
    const event = eventOf(honest.devices[1]!, stranger.messages[0]!);
    expect(await refusalOf(() => stepServer(opened.state, event, honest.server))).toBe('wrong-group');
  });
});

describe('a device before the survivors', () => {
  const cast = castOf({ size: 7 });
  const all = async () => {
    const { state, bytes } = await before(cast, 'signing');
    if (state.phase !== 'uploads') throw new Error(state.phase);
    return { state, bytes };
  };
  const setOf = (size: number, without: readonly number[]) =>
    Array.from({ length: size }, (_, at) => !without.includes(at));

  it('refuses a set without itself, or of too few', async () => {
    const { state } = await all();
    const others = [0, 1, 2, 3, 4, 5, 6].filter((at) => at !== state.index);
    const send = (without: readonly number[], policy = {}) =>
      hears(cast, state, encodeSurvivors(state.context, setOf(7, without)), policy);
    expect(await send([])).toBe('accepted');
    expect(await send([state.index])).toBe('self-not-survivor');
    expect(await send(others.slice(0, 1))).toBe('accepted');
    expect(await send(others.slice(0, 1), { minimum: 7 })).toBe('too-few-survivors');
    expect(await send(others.slice(0, 3))).toBe('too-few-survivors');
    expect(await send(others.slice(0, 2))).toBe('survivor-isolated');
  });

  it('refuses a set over other members, and bits behind the last', async () => {
    const { state, bytes } = await all();
    expect(await hears(cast, state, encodeSurvivors(state.context, setOf(6, [])))).toBe('malformed');
    const padded = bytes.slice();
    padded[padded.length - 1]! |= 0x80;
    expect(await hears(cast, state, padded)).toBe('malformed');
  });

  it('refuses another set for ever, and signs the same one again with the same signature', async () => {
    const { state, bytes } = await all();
    const { environment } = cast.devices[0]!;
    const signed = await stepClient(state, { kind: 'message', bytes }, environment);
    const other = encodeSurvivors(state.context, setOf(7, [state.index === 0 ? 1 : 0]));
    const reloaded = loadClientState(saveClientState(signed.state));
    expect((await stepClient(reloaded, { kind: 'message', bytes }, environment)).messages).toEqual(
      signed.messages,
    );
    expect(await hears(cast, reloaded, other)).toBe('second-survivors');
    const answered = (await reach(cast, 'unmasking')).clients[0]!;
    expect(answered.phase).toBe('unmasking');
    expect(await hears(cast, loadClientState(saveClientState(answered)), other)).toBe('second-survivors');
  });

  it('refuses a survivor whose share never came: no mask is shared with it', async () => {
    const fresh = await before(cast, 'uploads');
    const inbox = decodeInbox(fresh.bytes, fresh.state.context);
    const hidden = inbox.boxes[0]!.from;
    const { state } = await answer(
      cast.devices[0]!,
      fresh.state,
      encodeInbox(fresh.state.context, { ...inbox, boxes: inbox.boxes.slice(1) }),
    );
    expect(state.phase).toBe('uploads');
    expect(await hears(cast, state, encodeSurvivors(state.context, setOf(7, [])))).toBe(
      'survivor-without-shares',
    );
    expect(await hears(cast, state, encodeSurvivors(state.context, setOf(7, [hidden])))).toBe('accepted');
  });

  it('refuses to have anyone isolated in a drawn graph: all its neighbours declared dropped', async () => {
    const drawn = castOf(sparse);
    const { state, moment } = await before(drawn, 'signing');
    if (moment.server.phase !== 'signing' || state.phase !== 'uploads') throw new Error(state.phase);
    const { graph, threshold } = moment.server;
    const victim = graph.findIndex(
      (neighbours, at) => at !== state.index && !neighbours.includes(state.index),
    );
    const cut = graph[victim]!.slice(0, graph[victim]!.length - threshold + 1);
    expect(await hears(drawn, state, encodeSurvivors(state.context, setOf(66, cut)))).toBe(
      'survivor-isolated',
    );
  });

  it('refuses survivors in two parts', async () => {
    const graph = [0, 1].flatMap((part) =>
      Array.from({ length: 4 }, (_, at) =>
        [0, 1, 2, 3].filter((other) => other !== at).map((other) => 4 * part + other),
      ),
    );
    const check = (survivors: boolean[]) =>
      refusalOf(() => {
        checkSurvivors(survivors, 0, graph, { degree: 3, threshold: 2 }, 3, () => true);
      });
    expect(await check(setOf(8, []))).toBe('survivors-not-connected');
    expect(await check(setOf(8, [4, 5]))).toBe('survivor-isolated');
  });
});

describe('a device before the signatures', () => {
  const cast = castOf({ size: 6 });
  const all = async () => {
    // Device 5 shares, and drops out before its upload.
    const moment = await reach(cast, 'uploads');
    const signing = await phase(cast, moment, [0, 1, 2, 3, 4]);
    const ahead = await phase({ ...cast }, signing, signing.alive);
    const state = signing.clients[0]!;
    if (state.phase !== 'signing' || ahead.server.phase !== 'unmasking') throw new Error(state.phase);
    const bytes = nextFor(cast, ahead);
    return { state, bytes, list: decodeSignatures(bytes, state.context), server: ahead.server };
  };

  it('refuses fewer than two thirds of the roster', async () => {
    const { state, list } = await all();
    expect(list).toHaveLength(4);
    expect(await hears(cast, state, encodeSignatures(state.context, list))).toBe('accepted');
    expect(await hears(cast, state, encodeSignatures(state.context, list.slice(1)))).toBe(
      'too-few-signatures',
    );
  });

  it('refuses one signature counted twice', async () => {
    const { state, list } = await all();
    const twice = [list[0]!, list[0]!, ...list.slice(2)];
    expect(await hears(cast, state, encodeSignatures(state.context, twice))).toBe('malformed');
  });

  it('refuses forged signatures, and those of others than survivors', async () => {
    const { state, list, server } = await all();
    const forged = list.map((entry, at) =>
      at === 2 ? { ...entry, signature: turned(entry.signature, 9) } : entry,
    );
    expect(await hears(cast, state, encodeSignatures(state.context, forged))).toBe('signature-forged');
    const dropped = server.survivors.indexOf(false);
    const outside = [...list.slice(1), { from: dropped, signature: list[0]!.signature }].sort(
      (a, b) => a.from - b.from,
    );
    expect(await hears(cast, state, encodeSignatures(state.context, outside))).toBe('signature-outsider');
    const nobody = [...list, { from: 6, signature: list[0]!.signature }];
    expect(await hears(cast, state, encodeSignatures(state.context, nobody))).toBe('signature-outsider');
  });

  it('refuses true signatures of another set', async () => {
    const { state, list, server } = await all();
    const everyone = server.survivors.map(() => true);
    const { group, modelDigest } = cast.terms;
    const { context, rosterRoot, graphSeed } = state;
    const payload = await survivorsPayload(
      { group, modelDigest, context, rosterRoot, graphSeed },
      everyone,
      cast.server.crypto,
    );
    const others = await Promise.all(
      list.map(async ({ from }) => {
        const device = cast.devices.find(({ name }) => name === server.names[from])!;
        return { from, signature: await device.environment.identity.sign(payload) };
      }),
    );
    expect(await hears(cast, state, encodeSignatures(context, others))).toBe('signature-forged');
  });

  it('gives one share for each neighbour, of the self-mask or of the mask key, and keeps none', async () => {
    const { state, bytes, server } = await all();
    const { environment } = cast.devices[0]!;
    const { state: answered, messages } = await stepClient(state, { kind: 'message', bytes }, environment);
    const { from, shares } = decodeUnmask(messages[0]!.bytes, state.context);
    expect(from).toBe(state.index);
    expect(shares.map(({ owner }) => owner)).toEqual(server.graph[from]);
    for (const { owner, kind, share } of shares) {
      expect(kind).toBe(server.survivors[owner] ? secretKind.selfMask : secretKind.maskKey);
      const held = state.held.find((candidate) => candidate.owner === owner)!;
      expect(toHex(share)).toBe(toHex(kind === secretKind.selfMask ? held.selfMask : held.maskKey));
      const other = kind === secretKind.selfMask ? held.maskKey : held.selfMask;
      expect(textOf(saveClientState(answered))).not.toContain(toHex(other));
    }
    expect(await stepClient(answered, { kind: 'message', bytes }, environment)).toEqual({
      state: answered,
      messages,
    });
  });

  it('does not answer before it has seen the survivors', async () => {
    const { bytes } = await all();
    const moment = await reach(cast, 'uploads');
    expect(await hears(cast, moment.clients[0]!, bytes)).toBe('out-of-phase');
  });
});

describe('a server that says two things', () => {
  it('gets two thirds of the signatures for one set at most, and so never both secrets of a device', async () => {
    const cast = castOf({ size: 6 });
    const moment = await reach(cast, 'uploads');
    const { state } = await before(cast, 'signing');
    const victim =
      moment.server.phase === 'uploads' ? moment.server.names.indexOf(cast.devices[5]!.name) : -1;
    const sets = [[], [victim]].map((without) =>
      encodeSurvivors(
        state.context,
        Array.from({ length: 6 }, (_, at) => !without.includes(at)),
      ),
    );
    const signed = await Promise.all(
      [0, 1, 2, 3, 4].map(async (number) => {
        const { messages } = await stepClient(
          moment.clients[number]!,
          { kind: 'message', bytes: sets[number % 2]! },
          cast.devices[number]!.environment,
        );
        return messages;
      }),
    );
    // 3 of 6 for the one and 2 of 6 for the other: 4 are needed.
    expect(signed.flat()).toHaveLength(5);
    const step = await Promise.all(
      [0, 1, 2, 3, 4].map((number) =>
        refusalOf(async () => {
          const { state: after } = await stepClient(
            moment.clients[number]!,
            { kind: 'message', bytes: sets[number % 2]! },
            cast.devices[number]!.environment,
          );
          const device = cast.devices[number]!;
          return stepClient(after, { kind: 'message', bytes: sets[(number + 1) % 2]! }, device.environment);
        }),
      ),
    );
    expect(step).toEqual(Array(5).fill('second-survivors'));
  });
});

describe('a device that is reloaded', () => {
  it.each([{ size: 5 }, sparse])(
    'in every phase goes on as if nothing had happened (%o)',
    async (options) => {
      const cast = castOf(options);
      const seen = new Set<ClientPhase>();
      const reload = (state: ClientState | undefined) => {
        if (state === undefined) return undefined;
        seen.add(state.phase);
        return loadClientState(saveClientState(state));
      };
      let moment = await start(cast);
      while (moment.server.phase !== 'summed') {
        const clients = moment.clients.map(reload);
        const after = await phase(cast, { ...moment, clients }, moment.alive);
        // What is left behind is erased, and does no harm to what follows.
        clients.forEach((old, at) => {
          const next = after.clients[at];
          if (old !== undefined && next !== undefined) eraseSuperseded(old, next);
        });
        moment = after;
      }
      const { sum, counted } = openSum(cast, moment.server);
      expect(counted).toHaveLength(options.size);
      expect(sum).toEqual(plainSum(cast, counted));
      expect([...seen]).toEqual(
        options.size > 64
          ? ['keys', 'reveals', 'shares', 'uploads', 'signing', 'unmasking']
          : ['keys', 'shares', 'uploads', 'signing', 'unmasking'],
      );
    },
  );

  it('before it had stored a step says the same bytes when it takes the step again', async () => {
    const cast = castOf({ size: 4 });
    for (const wanted of ['shares', 'uploads', 'signing', 'unmasking'] as const) {
      const { state, bytes } = await before(cast, wanted);
      const stored = saveClientState(state);
      const first = await answer(cast.devices[0]!, state, bytes);
      const second = await answer(cast.devices[0]!, loadClientState(stored), bytes);
      expect(second).toEqual(first);
    }
  });

  it('has no secret of its own left once it has uploaded', async () => {
    const cast = castOf({ size: 4 });
    const { state, bytes } = await before(cast, 'uploads');
    if (state.phase !== 'shares') throw new Error(state.phase);
    const secrets = [state.seed, state.maskSecret, state.shareSecret];
    const names = secrets.map(toHex);
    const { state: after } = await answer(cast.devices[0]!, state, bytes);
    const text = textOf(saveClientState(after));
    for (const name of names) expect(text).not.toContain(name);
    expect(textOf(saveClientState(state))).toContain(names[0]);
    eraseSuperseded(state, after);
    expect(secrets.every((secret) => secret.every((byte) => byte === 0))).toBe(true);
    expect(after).toEqual(loadClientState(saveClientState(after)));
  });

  it('from damaged bytes is refused', () => {
    for (const bytes of [
      Uint8Array.of(),
      Uint8Array.of(9, 0, 0, 0, 1),
      Uint8Array.of(2, 0, 0, 0, 123, 125),
      Uint8Array.of(4, 0, 0, 0, 110, 117, 108, 108),
    ]) {
      expect(() => loadClientState(bytes)).toThrow(StoredStateError);
    }
  });
});

describe('the phases of a device', () => {
  it('follow the table, and an end is an end', async () => {
    const cast = castOf({ size: 3 });
    let moment = await start(cast);
    let last: ClientPhase = 'keys';
    while (moment.server.phase !== 'summed') {
      moment = await phase(cast, moment, moment.alive);
      const next = moment.clients[0]!.phase;
      // Inbox and update are taken in one go here.
      const steps: readonly string[] =
        next === 'uploads' ? clientTransitions.masking : clientTransitions[last];
      expect(steps).toContain(next);
      last = next;
    }
    const ended = moment.clients[0]!;
    expect(ended).toMatchObject({ phase: 'ended', outcome: 'summed' });
    expect(lastMessages(ended)).toEqual([]);
    const { bytes } = await before(cast, 'signing');
    expect(await hears(cast, ended, bytes)).toBe('out-of-phase');
  });
});
