import { toHex } from '@starling/protocol';
import { describe, expect, it } from 'vitest';
import { castOf, eventOf, phase, reach } from '../testing/group.ts';
import { refusalOf, turned } from '../testing/refusals.ts';
import { at, sparse } from '../testing/stand.ts';
import type { ClientMessage } from './client-machine.ts';
import { lastMessages } from './client-machine.ts';
import {
  decodeKeys,
  decodeReveal,
  decodeShares,
  decodeSignature,
  decodeUnmask,
  decodeUpload,
  encodeEnd,
  encodeKeys,
  encodeReveal,
  encodeShares,
  encodeSignature,
  encodeUnmask,
  encodeUpload,
  secretKind,
} from './messages.ts';
import type { RefusalCode } from './refusal.ts';
import { stepServer, type ServerEvent } from './server-machine.ts';
import type { ServerState } from './server-state.ts';
import { keysPayload } from './transcript.ts';

/**
 * What a device may try on the server, a row each. The server refuses it by this code; the group stands as it stood, and takes
 * what the honest device says afterwards.
 */
type Stand = Awaited<ReturnType<typeof at>> & { readonly cast: ReturnType<typeof castOf> };

interface Lie {
  /** In the name of device 0, or of another. */
  readonly message: Partial<ClientMessage>;
  readonly as?: number;
  readonly state?: ServerState;
}

type Row<S> = readonly [lie: string, code: RefusalCode, change: (scene: S) => Lie | Promise<Lie>];

function refuses<S extends Stand>(about: string, scene: () => Promise<S>, rows: readonly Row<S>[]): void {
  describe(`a server that gets, as ${about},`, () => {
    let made: Promise<S> | undefined;
    it.each(rows)('%s, refuses: %s', async (_, code, change) => {
      const stand = await (made ??= scene());
      const { message, as = 0, state = stand.server } = await change(stand);
      expect(await stand.hears(as, message, state)).toBe(code);
      expect(await stand.hears(0)).toBe('accepted');
    });
  });
}

async function stand(cast: ReturnType<typeof castOf>, wanted: ServerState['phase']) {
  return { cast, ...(await at(cast, wanted)) };
}

/** The phase is closed with devices that have spoken. */
async function closed({ cast, after }: Stand, ...numbers: number[]): Promise<ServerState> {
  return (await stepServer(await after(...numbers), { kind: 'close' }, cast.server)).state;
}

async function beforeKeys() {
  const scene = await stand(castOf({ size: 4 }), 'keys');
  const { says, server, cast } = scene;
  const entry = decodeKeys(says(0).bytes, server.context);
  const { identity } = cast.devices[0]!.environment;
  const keys = (change: object) => ({
    message: { bytes: encodeKeys(server.context, { ...entry, ...change }) },
  });
  const signed = async (change: object) => {
    const signature = await identity.sign(keysPayload(server.context, { ...entry, ...change }));
    return keys({ ...change, signature });
  };
  return { ...scene, entry, keys, signed };
}
const other = new Uint8Array(32);

refuses('keys', beforeKeys, [
  ['those of another device', 'wrong-sender', ({ says }) => ({ message: says(1) })],
  ['some that it did not sign', 'key-forged', ({ keys, entry }) => keys({ maskKey: entry.shareKey })],
  ['a mask key of small order', 'weak-key', ({ signed }) => signed({ maskKey: other })],
  ['a share key of small order', 'weak-key', ({ signed }) => signed({ shareKey: other })],
  ['one key for both roles', 'duplicate-key', ({ signed, entry }) => signed({ shareKey: entry.maskKey })],
  [
    'a key of another member',
    'duplicate-key',
    async ({ signed, says, server, after }) => {
      const { maskKey } = decodeKeys(says(1).bytes, server.context);
      return { ...(await signed({ maskKey })), state: await after(1) };
    },
  ],
  [
    'others than before',
    'conflicting-message',
    async ({ signed, after }) => ({ ...(await signed({ commitment: other })), state: await after(0) }),
  ],
  [
    'those for another group',
    'wrong-group',
    ({ says }) => ({ message: { bytes: turned(says(0).bytes, 20) } }),
  ],
  [
    'the first, after the roster was fixed',
    'not-in-roster',
    async (scene) => ({ message: {}, as: 3, state: await closed(scene, 0, 1, 2) }),
  ],
  [
    'others, after the roster was fixed',
    'late',
    async (scene) => ({ ...scene.keys({ commitment: other }), state: await closed(scene, 0, 1, 2) }),
  ],
  [
    'its shares, before anyone can have any',
    'out-of-phase',
    async ({ cast }) => ({ message: (await at(cast, 'shares')).says(0) }),
  ],
  [
    'what only a server says',
    'wrong-type',
    ({ server }) => ({ message: { bytes: encodeEnd(server.context, 'summed') } }),
  ],
]);

describe('a server that gets keys of a device that it did not invite', () => {
  it('refuses: not-invited', async () => {
    const { says, server, cast } = await beforeKeys();
    const event: ServerEvent = { kind: 'message', from: 'ff'.repeat(32), bytes: says(0).bytes };
    expect(await refusalOf(() => stepServer(server, event, cast.server))).toBe('not-invited');
  });
});

refuses(
  'nonce',
  async () => {
    const scene = await stand(castOf(sparse), 'reveals');
    const { from, nonce } = decodeReveal(scene.says(0).bytes, scene.server.context);
    const forged = { bytes: encodeReveal(scene.server.context, from, turned(nonce, 0)) };
    return { ...scene, forged };
  },
  [
    ['one that it did not fix before', 'nonce-mismatch', ({ forged }) => ({ message: forged })],
    ['that of another device', 'wrong-sender', ({ says }) => ({ message: says(1) })],
    [
      'another than before',
      'conflicting-message',
      async ({ forged, after }) => ({ message: forged, state: await after(0) }),
    ],
  ],
);

refuses(
  'shares',
  async () => {
    const scene = await stand(castOf({ size: 6 }), 'shares');
    const { context } = scene.server;
    const shares = decodeShares(scene.says(0).bytes, context);
    const boxes = (list: readonly Uint8Array[]) => ({
      message: { bytes: encodeShares(context, { ...shares, boxes: list }) },
    });
    return { ...scene, shares, boxes };
  },
  [
    ['too few', 'wrong-share-count', ({ boxes, shares }) => boxes(shares.boxes.slice(1))],
    ['too many', 'wrong-share-count', ({ boxes, shares }) => boxes([...shares.boxes, shares.boxes[0]!])],
    [
      'others than before',
      'conflicting-message',
      async ({ boxes, shares, after }) => ({
        ...boxes([...shares.boxes].reverse()),
        state: await after(0),
      }),
    ],
    ['those of another device', 'wrong-sender', ({ says }) => ({ message: says(1) })],
    [
      'the first, after the window',
      'late',
      async (scene) => ({ message: {}, as: 5, state: await closed(scene, 0, 1, 2, 3, 4) }),
    ],
    [
      'an update instead, and no shares at all',
      'late',
      async (scene) => {
        const state = await closed(scene, 0, 1, 2, 3, 4);
        if (state.phase !== 'uploads') throw new Error(state.phase);
        const from = state.names.indexOf(scene.cast.devices[5]!.name);
        const body = new Uint8Array(4 * scene.cast.terms.length);
        const header = { from, ring: 32, length: scene.cast.terms.length, digest: other } as const;
        return { message: { bytes: encodeUpload(state.context, header), body }, as: 5, state };
      },
    ],
  ],
);

refuses(
  'update',
  async () => {
    const scene = await stand(castOf({ size: 6 }), 'uploads');
    const { bytes, body } = scene.says(0);
    const header = decodeUpload(bytes, scene.server.context);
    const changed = (change: object) => ({
      message: { bytes: encodeUpload(scene.server.context, { ...header, ...change }) },
    });
    return { ...scene, body: body!, changed };
  },
  [
    ['words of another ring', 'wrong-ring', ({ changed }) => changed({ ring: 16 })],
    ['another length than the group’s', 'wrong-length', ({ changed }) => changed({ length: 8 })],
    ['fewer words than it says', 'wrong-length', ({ body }) => ({ message: { body: body.subarray(4) } })],
    ['other words than it says', 'digest-mismatch', ({ body }) => ({ message: { body: turned(body, 0) } })],
    ['that of another device', 'wrong-sender', ({ says }) => ({ message: says(1) })],
    [
      'another than before',
      'conflicting-message',
      async ({ changed, after }) => ({ ...changed({ digest: other }), state: await after(0) }),
    ],
    [
      'the first, after the survivors were fixed',
      'late',
      async (scene) => ({ message: {}, as: 5, state: await closed(scene, 0, 1, 2, 3, 4) }),
    ],
  ],
);

refuses(
  'signature',
  async () => {
    const cast = castOf({ size: 6 });
    const uploads = await stand(cast, 'uploads');
    const state = await closed(uploads, 0, 1, 2, 3, 4);
    const scene = await stand(cast, 'signing');
    const { from, signature } = decodeSignature(scene.says(0).bytes, scene.server.context);
    const changed = (change: object) => ({
      message: { bytes: encodeSignature(scene.server.context, { from, signature, ...change }) },
    });
    return { ...scene, uploads: uploads.server, state, signature, changed };
  },
  [
    [
      'the first, before there is a set to sign',
      'out-of-phase',
      ({ uploads }) => ({ message: {}, state: uploads }),
    ],
    [
      'one of another text',
      'signature-forged',
      ({ changed, signature }) => changed({ signature: turned(signature, 1) }),
    ],
    ['that of another device', 'wrong-sender', ({ says }) => ({ message: says(1) })],
    [
      'one of a device whose update is not in the sum',
      'not-a-survivor',
      ({ cast, state, changed }) => {
        if (!('names' in state)) throw new Error(state.phase);
        return { ...changed({ from: state.names.indexOf(cast.devices[5]!.name) }), as: 5, state };
      },
    ],
  ],
);

/** Seven devices, the last of which drops out after it has shared: the others are about to give their last shares. */
async function beforeUnmask() {
  const cast = castOf({ size: 7 });
  const signing = await phase(cast, await reach(cast, 'uploads'), [0, 1, 2, 3, 4, 5]);
  const { server, clients } = await phase(cast, signing, signing.alive);
  if (server.phase !== 'unmasking') throw new Error(server.phase);
  const says = (number: number): ClientMessage => lastMessages(clients[number]!)[0]!;
  const hears = (number: number, change: Partial<ClientMessage> = {}, state: ServerState = server) =>
    refusalOf(() =>
      stepServer(state, eventOf(cast.devices[number]!, { ...says(number), ...change }), cast.server),
    );
  const after = async (number: number): Promise<ServerState> =>
    (await stepServer(server, eventOf(cast.devices[number]!, says(number)), cast.server)).state;
  const unmask = decodeUnmask(says(0).bytes, server.context);
  const changed = (change: object) => ({
    message: { bytes: encodeUnmask(server.context, { ...unmask, ...change }) },
  });
  return { cast, server, clients, says, hears, after, changed, ...unmask };
}

refuses('last shares', beforeUnmask, [
  [
    'the other secret of a neighbour',
    'wrong-shares',
    ({ changed, shares }) => {
      const { selfMask, maskKey } = secretKind;
      const flip = (kind: number) => (kind === selfMask ? maskKey : selfMask);
      return changed({
        shares: shares.map((share, place) => (place === 1 ? { ...share, kind: flip(share.kind) } : share)),
      });
    },
  ],
  ['one too few', 'wrong-shares', ({ changed, shares }) => changed({ shares: shares.slice(1) })],
  [
    'one of its own secrets too',
    'wrong-shares',
    ({ changed, shares, from }) =>
      changed({
        shares: [...shares, { ...shares[0]!, owner: from }].sort((a, b) => a.owner - b.owner),
      }),
  ],
  ['one twice', 'malformed', ({ changed, shares }) => changed({ shares: [shares[0]!, ...shares] })],
  ['those of another device', 'wrong-sender', ({ changed, from }) => changed({ from: (from + 1) % 7 })],
  [
    'others than before',
    'conflicting-message',
    async ({ changed, shares, after }) => ({
      ...changed({
        shares: shares.map((share, place) =>
          place === 0 ? { ...share, share: turned(share.share, 0) } : share,
        ),
      }),
      state: await after(0),
    }),
  ],
]);

describe('a server that has refused everything', () => {
  it('still sums what honest devices said', async () => {
    const { server, says, cast } = await beforeUnmask();
    let state: ServerState = server;
    for (const number of [0, 1, 2, 3, 4, 5]) {
      const forged = { bytes: turned(says(number).bytes, 20) };
      expect(
        await refusalOf(() => stepServer(state, eventOf(cast.devices[number]!, forged), cast.server)),
      ).toBe('wrong-group');
      ({ state } = await stepServer(state, eventOf(cast.devices[number]!, says(number)), cast.server));
    }
    expect(state.phase).toBe('summed');
    expect(toHex(state.context)).toBe(toHex(server.context));
  });
});
