import { concatBytes, toHex } from '@starling/protocol';
import { describe, expect, it } from 'vitest';
import { sortEntries, type RosterEntry } from '../groups/roster.ts';
import { answer, castOf, phase, reach, start, type Cast } from '../testing/group.ts';
import { refusalOf, turned } from '../testing/refusals.ts';
import { before, nextFor, sparse } from '../testing/stand.ts';
import { joinGroup, stepClient } from './client-machine.ts';
import { checkSurvivors, type DevicePolicy } from './client-rules.ts';
import { saveClientState, type ClientState } from './client-state.ts';
import {
  decodeInbox,
  decodeKeys,
  decodeNonces,
  decodeRoster,
  decodeSignatures,
  encodeInbox,
  encodeKeys,
  encodeNonces,
  encodeRoster,
  encodeSignatures,
  encodeSurvivors,
} from './messages.ts';
import type { RefusalCode } from './refusal.ts';
import { keysPayload, survivorsPayload } from './transcript.ts';

/**
 * What a server may try on a device, a row each. The device refuses it by this code and stands as it stood; what an honest
 * server would have said in its place is answered.
 */
interface Scene {
  readonly cast: Cast;
  /** Where the device stands; nothing before it has joined. */
  readonly state?: ClientState;
  /** What an honest server says now. */
  readonly bytes: Uint8Array;
}

interface Lie {
  readonly bytes?: Uint8Array;
  /** The message comes later: the device stands here. */
  readonly state?: ClientState;
  /** What the device insists on, other than the rest of the group. */
  readonly policy?: Partial<DevicePolicy>;
}

type Row<S> = readonly [lie: string, code: RefusalCode, change: (scene: S) => Lie | Promise<Lie>];

function refuses<S extends Scene>(about: string, scene: () => Promise<S>, rows: readonly Row<S>[]): void {
  describe(`a device that is told, about ${about},`, () => {
    let made: Promise<S> | undefined;
    it.each(rows)('%s, refuses: %s', async (_, code, change) => {
      const stand = await (made ??= scene());
      const { environment } = stand.cast.devices[0]!;
      const hears = (state: ClientState | undefined, bytes: Uint8Array, policy: Partial<DevicePolicy> = {}) =>
        refusalOf(() => {
          const own = { ...environment, policy: { ...environment.policy, ...policy } };
          return state ? stepClient(state, { kind: 'message', bytes }, own) : joinGroup(bytes, own);
        });
      expect(await hears(stand.state, stand.bytes)).toBe('accepted');
      const lie = await change(stand);
      const state = lie.state ?? stand.state;
      const stood = state && toHex(saveClientState(state));
      expect(await hears(state, lie.bytes ?? stand.bytes, lie.policy)).toBe(code);
      expect(state && toHex(saveClientState(state))).toBe(stood);
    });
  });
}

const other = new Uint8Array(32).fill(9);

refuses(
  'the terms',
  () => {
    const cast = castOf({ size: 4 });
    return Promise.resolve({ cast, bytes: cast.termBytes });
  },
  [
    ['a task that it did not approve', 'task-not-pinned', () => ({ policy: { taskDigest: other } })],
    ['a base model that it did not train from', 'model-mismatch', () => ({ policy: { modelDigest: other } })],
    ['sums of fewer updates than it allows', 'minimum-too-low', () => ({ policy: { minimum: 4 } })],
    [
      'fewer corrupt members than it fears',
      'assumption-too-weak',
      () => ({ policy: { corruptPermille: 101 } }),
    ],
    ['fewer bits of privacy than it wants', 'assumption-too-weak', () => ({ policy: { privacyBits: 41 } })],
    ['another version', 'wrong-version', ({ bytes }) => ({ bytes: turned(bytes, 0) })],
    ['another message in their place', 'wrong-type', ({ bytes }) => ({ bytes: turned(bytes, 1) })],
    ['a byte too many', 'malformed', ({ bytes }) => ({ bytes: concatBytes(bytes, Uint8Array.of(0)) })],
    ['a byte too few', 'malformed', ({ bytes }) => ({ bytes: bytes.subarray(0, -1) })],
    ['a ring of 33 bits', 'malformed', ({ bytes }) => ({ bytes: turned(bytes, -13) })],
  ],
);

/** Device 0 before the roster of a complete graph of five. */
async function beforeRoster() {
  const cast = castOf({ size: 5 });
  const { state, bytes } = await before(cast, 'shares');
  const entries = decodeRoster(bytes, state.context);
  const isOwn = ({ identity }: RosterEntry) => toHex(identity) === cast.devices[0]!.name;
  const others = entries.filter((entry) => !isOwn(entry));
  const roster = (list: readonly RosterEntry[]) => ({ bytes: encodeRoster(state.context, list) });
  /** The roster with one entry of another member changed. */
  const changed = (entry: RosterEntry, change: Partial<RosterEntry>) =>
    roster(entries.map((each) => (each === entry ? { ...each, ...change } : each)));
  /** An entry as its owner would sign it: the signature of the toy can be made by anyone. */
  const signed = async (entry: RosterEntry, change: Partial<RosterEntry>): Promise<RosterEntry> => {
    const both = { ...entry, ...change };
    const half = await cast.server.crypto.sha256(
      concatBytes(both.identity, keysPayload(state.context, both)),
    );
    return { ...both, signature: concatBytes(half, half) };
  };
  return { cast, state, bytes, entries, others, isOwn, roster, changed, signed };
}

refuses('the roster', beforeRoster, [
  ['fewer members than it allows', 'group-too-small', () => ({ policy: { minimum: 6 } })],
  ['more members than its sums have room for', 'group-too-large', () => ({ policy: { maximum: 4 } })],
  ['members out of order', 'roster-order', ({ roster, entries }) => roster([...entries].reverse())],
  ['a member twice', 'roster-order', ({ roster, entries }) => roster([entries[0]!, ...entries])],
  ['a group without itself', 'own-entry-missing', ({ roster, others }) => roster(others)],
  [
    'another key of its own than it sent',
    'own-entry-changed',
    ({ changed, entries, isOwn }) => {
      const own = entries.find(isOwn)!;
      return changed(own, { maskKey: turned(own.maskKey, 0) });
    },
  ],
  [
    'a mask key of the server for that of a member',
    'key-forged',
    (s) => s.changed(s.others[0]!, { maskKey: other }),
  ],
  [
    'a share key of the server for that of a member',
    'key-forged',
    (s) => s.changed(s.others[0]!, { shareKey: other }),
  ],
  ['another nonce fixed for a member', 'key-forged', (s) => s.changed(s.others[0]!, { commitment: other })],
  [
    'keys that nobody signed',
    'key-forged',
    (s) => s.changed(s.others[0]!, { signature: new Uint8Array(64) }),
  ],
  [
    'keys that were signed for each other’s role',
    'key-forged',
    (s) => {
      const { maskKey, shareKey } = s.others[0]!;
      return s.changed(s.others[0]!, { maskKey: shareKey, shareKey: maskKey });
    },
  ],
  [
    'keys that were signed for another group',
    'key-forged',
    async ({ cast, entries, isOwn, roster }) => {
      const second = await start(castOf({ size: 5, terms: { group: 'grp_two' } }));
      const replayed = second.clients.map((client) => {
        if (client?.phase !== 'keys') throw new Error('no keys');
        return decodeKeys(client.keys, client.context);
      });
      const own = entries.find(isOwn)!;
      return roster(
        sortEntries(replayed.map((entry) => (toHex(entry.identity) === cast.devices[0]!.name ? own : entry))),
      );
    },
  ],
  [
    'a member that it does not know',
    'unknown-identity',
    ({ cast }) => ({ policy: { knows: (identity) => toHex(identity) !== cast.devices[3]!.name } }),
  ],
  [
    'one key for two members',
    'duplicate-key',
    async ({ others, entries, roster, signed }) => {
      const copied = await signed(others[1]!, { maskKey: others[0]!.maskKey });
      return roster(entries.map((entry) => (entry === others[1] ? copied : entry)));
    },
  ],
  ...(['maskKey', 'shareKey'] as const).map((role): Row<Awaited<ReturnType<typeof beforeRoster>>> => [
    `a ${role} of small order`,
    'weak-key',
    async ({ others, entries, roster, signed }) => {
      const weak = await signed(others[0]!, { [role]: new Uint8Array(32) });
      return roster(entries.map((entry) => (entry === others[0] ? weak : entry)));
    },
  ]),
  [
    'another group after the first',
    'second-roster',
    async ({ cast, state, bytes, entries, isOwn, roster }) => {
      const first = await stepClient(state, { kind: 'message', bytes }, cast.devices[0]!.environment);
      const smaller = entries.filter((entry, at) => at !== 0 || isOwn(entry)).slice(0, 4);
      return { ...roster(smaller), state: first.state };
    },
  ],
  [
    'the members of another group',
    'wrong-group',
    ({ state, entries }) => ({ bytes: encodeRoster(turned(state.context, 3), entries) }),
  ],
  ['one byte more', 'malformed', ({ bytes }) => ({ bytes: concatBytes(bytes, Uint8Array.of(0)) })],
  ['one byte less', 'malformed', ({ bytes }) => ({ bytes: bytes.subarray(0, -1) })],
  ['nothing', 'malformed', () => ({ bytes: Uint8Array.of() })],
  ['the words of another version', 'wrong-version', ({ bytes }) => ({ bytes: turned(bytes, 0) })],
  ['a message that does not exist', 'wrong-type', () => ({ bytes: Uint8Array.of(1, 99) })],
  [
    'what only devices say',
    'wrong-type',
    ({ state, entries }) => ({ bytes: encodeKeys(state.context, entries[0]!) }),
  ],
]);

describe('a device that is told of a group that no graph serves', () => {
  it('refuses: no-degree', async () => {
    const cast = castOf({ size: 70, terms: { corruptPermille: 600, dropOutPermille: 400 } });
    const { clients } = await start(cast);
    const state = clients[0]!;
    const entries = sortEntries(
      clients.map((client) => {
        if (client?.phase !== 'keys') throw new Error('no keys');
        return decodeKeys(client.keys, client.context);
      }),
    );
    const event = { kind: 'message', bytes: encodeRoster(state.context, entries) } as const;
    expect(await refusalOf(() => stepClient(state, event, cast.devices[0]!.environment))).toBe('no-degree');
  });
});

refuses(
  'the nonces of a drawn graph',
  async () => {
    const cast = castOf(sparse);
    const { state, bytes } = await before(cast, 'shares');
    const nonces = decodeNonces(bytes, state.context);
    const forged = nonces.map((nonce, at) => (at === 7 ? turned(nonce, 0) : nonce));
    return { cast, state, bytes, nonces, forged: encodeNonces(state.context, forged) };
  },
  [
    ['one that was not fixed before', 'nonce-mismatch', ({ forged }) => ({ bytes: forged })],
    [
      'one too few',
      'nonce-mismatch',
      ({ state, nonces }) => ({ bytes: encodeNonces(state.context, nonces.slice(1)) }),
    ],
    [
      'others after the first: another draw',
      'second-nonces',
      async ({ cast, state, bytes, forged }) => {
        const first = await stepClient(state, { kind: 'message', bytes }, cast.devices[0]!.environment);
        return { bytes: forged, state: first.state };
      },
    ],
  ],
);

async function beforeInbox() {
  const cast = castOf({ size: 6 });
  const { state, bytes, moment } = await before(cast, 'uploads');
  const { server } = moment;
  if (state.phase !== 'shares' || server.phase !== 'uploads') throw new Error(state.phase);
  const inbox = decodeInbox(bytes, state.context);
  const boxes = (list: typeof inbox.boxes) => ({
    bytes: encodeInbox(state.context, { ...inbox, boxes: list }),
  });
  return { cast, state, bytes, server, inbox, boxes, index: state.index };
}

refuses('its shares', beforeInbox, [
  [
    'one that was changed on the way',
    'share-not-opened',
    ({ inbox: { boxes: list }, boxes }) =>
      boxes([{ ...list[0]!, box: turned(list[0]!.box, 40) }, ...list.slice(1)]),
  ],
  [
    'two in each other’s name',
    'share-not-opened',
    ({ inbox: { boxes: list }, boxes }) =>
      boxes([{ ...list[0]!, box: list[1]!.box }, { ...list[1]!, box: list[0]!.box }, ...list.slice(2)]),
  ],
  [
    'one that was meant for another member',
    'share-not-opened',
    ({ inbox: { boxes: list }, boxes, server, index }) => {
      const { from } = list[0]!;
      const place = server.graph[from]!.findIndex((to) => to !== index);
      return boxes([{ from, box: server.shares[from]!.boxes[place]! }, ...list.slice(1)]);
    },
  ],
  [
    'its own, sent back',
    'share-not-opened',
    ({ inbox: { boxes: list }, boxes, server, index }) => {
      const { from } = list[0]!;
      const own = server.shares[index]!.boxes[server.graph[index]!.indexOf(from)]!;
      return boxes([{ from, box: own }, ...list.slice(1)]);
    },
  ],
  [
    'those of another group of the same devices',
    'share-not-opened',
    async ({ state }) => {
      const second = await before(castOf({ size: 6, terms: { group: 'grp_two' } }), 'uploads');
      const replayed = decodeInbox(second.bytes, second.state.context);
      return { bytes: encodeInbox(state.context, replayed) };
    },
  ],
  [
    'one from itself',
    'not-a-neighbour',
    ({ inbox: { boxes: list }, boxes, index }) =>
      boxes([...list, { from: index, box: list[0]!.box }].sort((a, b) => a.from - b.from)),
  ],
  [
    'one from nobody',
    'not-a-neighbour',
    ({ inbox: { boxes: list }, boxes }) => boxes([...list, { from: 6, box: list[0]!.box }]),
  ],
  ['one twice', 'malformed', ({ inbox: { boxes: list }, boxes }) => boxes([list[0]!, ...list])],
  [
    'all, out of order',
    'malformed',
    ({ inbox: { boxes: list }, boxes }) => boxes([...list.slice(1), list[0]!]),
  ],
  [
    'fewer than rebuild a secret',
    'too-few-shares',
    ({ inbox: { boxes: list }, boxes }) => boxes(list.slice(0, 3)),
  ],
  [
    'those of another member',
    'share-not-opened',
    ({ state, inbox }) => ({ bytes: encodeInbox(state.context, { ...inbox, to: (inbox.to + 1) % 6 }) }),
  ],
  [
    'fewer after all of them',
    'second-inbox',
    async ({ cast, state, bytes, inbox, boxes }) => {
      const first = await stepClient(state, { kind: 'message', bytes }, cast.devices[0]!.environment);
      return { ...boxes(inbox.boxes.slice(0, 4)), state: first.state };
    },
  ],
]);

const setOf = (size: number, without: readonly number[]) =>
  Array.from({ length: size }, (_, at) => !without.includes(at));

async function beforeSurvivors() {
  const cast = castOf({ size: 7 });
  const { state, bytes } = await before(cast, 'signing');
  if (state.phase !== 'uploads') throw new Error(state.phase);
  const others = [0, 1, 2, 3, 4, 5, 6].filter((at) => at !== state.index);
  const without = (...members: number[]) => ({
    bytes: encodeSurvivors(state.context, setOf(7, members)),
  });
  return { cast, state, bytes, others, without };
}

refuses('the survivors', beforeSurvivors, [
  ['that it is none', 'self-not-survivor', ({ state, without }) => without(state.index)],
  [
    'fewer than it allows',
    'too-few-survivors',
    ({ others, without }) => ({ ...without(others[0]!), policy: { minimum: 7 } }),
  ],
  ['fewer than two thirds', 'too-few-survivors', ({ others, without }) => without(...others.slice(0, 3))],
  [
    'so few that nobody has neighbours enough',
    'survivor-isolated',
    ({ others, without }) => without(...others.slice(0, 2)),
  ],
  [
    'a set over other members',
    'malformed',
    ({ state }) => ({ bytes: encodeSurvivors(state.context, setOf(6, [])) }),
  ],
  [
    'one more behind the last member',
    'malformed',
    ({ bytes }) => {
      const padded = bytes.slice();
      padded[padded.length - 1]! |= 0x80;
      return { bytes: padded };
    },
  ],
  [
    'one whose share never came: no mask is shared with it',
    'survivor-without-shares',
    async ({ cast, without }) => {
      const fresh = await before(cast, 'uploads');
      const inbox = decodeInbox(fresh.bytes, fresh.state.context);
      const fewer = encodeInbox(fresh.state.context, { ...inbox, boxes: inbox.boxes.slice(1) });
      const { state } = await answer(cast.devices[0]!, fresh.state, fewer);
      return { ...without(), state };
    },
  ],
  [
    'another set after it has signed',
    'second-survivors',
    async ({ cast, state, bytes, others, without }) => {
      const signed = await stepClient(state, { kind: 'message', bytes }, cast.devices[0]!.environment);
      return { ...without(others[0]!), state: signed.state };
    },
  ],
  [
    'another set after it has given its shares: both secrets of a member',
    'second-survivors',
    async ({ cast, others, without }) => {
      const { clients } = await reach(cast, 'unmasking');
      return { ...without(others[0]!), state: clients[0]! };
    },
  ],
]);

refuses(
  'the survivors of a drawn graph',
  async () => {
    const cast = castOf(sparse);
    const { state, bytes, moment } = await before(cast, 'signing');
    if (moment.server.phase !== 'signing' || state.phase !== 'uploads') throw new Error(state.phase);
    const { graph, threshold } = moment.server;
    return { cast, state, bytes, graph, threshold };
  },
  [
    [
      'that the neighbours of one are not among them',
      'survivor-isolated',
      ({ state, graph, threshold }) => {
        const victim = graph.findIndex(
          (neighbours, at) => at !== state.index && !neighbours.includes(state.index),
        );
        const cut = graph[victim]!.slice(0, graph[victim]!.length - threshold + 1);
        return { bytes: encodeSurvivors(state.context, setOf(66, cut)) };
      },
    ],
  ],
);

describe('a device that is told of survivors in two parts', () => {
  it('refuses: survivors-not-connected', async () => {
    const graph = [0, 1].flatMap((part) =>
      Array.from({ length: 4 }, (_, at) =>
        [0, 1, 2, 3].filter((member) => member !== at).map((member) => 4 * part + member),
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

/** Device 5 shared, and dropped out before its upload. */
async function beforeSignatures() {
  const cast = castOf({ size: 6 });
  const signing = await phase(cast, await reach(cast, 'uploads'), [0, 1, 2, 3, 4]);
  const { server } = await phase(cast, signing, signing.alive);
  const state = signing.clients[0]!;
  if (state.phase !== 'signing' || server.phase !== 'unmasking') throw new Error(state.phase);
  const bytes = nextFor(cast, { ...signing, server });
  const list = decodeSignatures(bytes, state.context);
  const signatures = (those: typeof list) => ({ bytes: encodeSignatures(state.context, those) });
  return { cast, state, bytes, server, list, signatures };
}

refuses('the signatures', beforeSignatures, [
  [
    'fewer than two thirds of the group’s',
    'too-few-signatures',
    ({ list, signatures }) => signatures(list.slice(1)),
  ],
  [
    'one of them twice',
    'malformed',
    ({ list, signatures }) => signatures([list[0]!, list[0]!, ...list.slice(2)]),
  ],
  [
    'one that is forged',
    'signature-forged',
    ({ list, signatures }) =>
      signatures(
        list.map((entry, at) => (at === 2 ? { ...entry, signature: turned(entry.signature, 9) } : entry)),
      ),
  ],
  [
    'one of a member that is no survivor',
    'signature-outsider',
    ({ list, signatures, server }) => {
      const from = server.survivors.indexOf(false);
      const outside = [...list.slice(1), { from, signature: list[0]!.signature }];
      return signatures(outside.sort((a, b) => a.from - b.from));
    },
  ],
  [
    'one of nobody',
    'signature-outsider',
    ({ list, signatures }) => signatures([...list, { from: 6, signature: list[0]!.signature }]),
  ],
  [
    'true ones, of another set',
    'signature-forged',
    async ({ cast, state, server, list, signatures }) => {
      const { group, modelDigest } = cast.terms;
      const { context, rosterRoot, graphSeed } = state;
      const payload = await survivorsPayload(
        { group, modelDigest, context, rosterRoot, graphSeed },
        server.survivors.map(() => true),
        cast.server.crypto,
      );
      return signatures(
        await Promise.all(
          list.map(async ({ from }) => {
            const device = cast.devices.find(({ name }) => name === server.names[from])!;
            return { from, signature: await device.environment.identity.sign(payload) };
          }),
        ),
      );
    },
  ],
  [
    'all, before it has seen the survivors',
    'out-of-phase',
    async ({ cast }) => ({ state: (await reach(cast, 'uploads')).clients[0]! }),
  ],
]);
