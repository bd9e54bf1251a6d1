import { toHex } from '@starling/protocol';
import { describe, expect, it } from 'vitest';
import type { CryptoProvider } from '../crypto/provider.ts';
import {
  castOf,
  copyServer,
  eventOf,
  open,
  openSum,
  phase,
  plainSum,
  reach,
  stagedIn,
  start,
  type Cast,
  type Moment,
} from '../testing/group.ts';
import { refusalOf, turned } from '../testing/refusals.ts';
import { joinGroup, lastMessages, type ClientMessage } from './client-machine.ts';
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
import { pendingMessages, stepServer, type ServerEvent } from './server-machine.ts';
import { serverTransitions, type ServerState } from './server-state.ts';
import { keysPayload } from './transcript.ts';

const sparse = {
  size: 66,
  terms: { corruptPermille: 20, dropOutPermille: 20, privacyBits: 4, correctnessBits: 4 },
};

/** A group in which everyone's answers to `wanted` are ready, and none has arrived. */
async function at(cast: Cast, wanted: ServerState['phase']) {
  const { server, clients } = await reach(cast, wanted);
  const says = (number: number): ClientMessage => lastMessages(clients[number]!)[0]!;
  const hears = (number: number, change: Partial<ClientMessage> = {}, state = server) =>
    refusalOf(() =>
      stepServer(state, eventOf(cast.devices[number]!, { ...says(number), ...change }), cast.server),
    );
  const after = async (...numbers: number[]): Promise<ServerState> => {
    let state: ServerState = server;
    for (const number of numbers) {
      ({ state } = await stepServer(state, eventOf(cast.devices[number]!, says(number)), cast.server));
    }
    return state;
  };
  return { server, clients, says, hears, after };
}

describe('the server before keys', () => {
  it('refuses devices that were not invited, and keys in the name of others', async () => {
    const cast = castOf({ size: 4 });
    const { says, hears, server } = await at(cast, 'keys');
    expect(await hears(0)).toBe('accepted');
    expect(await hears(0, says(1))).toBe('wrong-sender');
    const event: ServerEvent = { kind: 'message', from: 'ff'.repeat(32), bytes: says(0).bytes };
    expect(await refusalOf(() => stepServer(server, event, cast.server))).toBe('not-invited');
  });

  it('refuses forged, weak and copied keys', async () => {
    const cast = castOf({ size: 4 });
    const { says, hears, server, after } = await at(cast, 'keys');
    const entry = decodeKeys(says(0).bytes, server.context);
    const { identity } = cast.devices[0]!.environment;
    const signed = async (change: object) => {
      const other = { ...entry, ...change };
      const signature = await identity.sign(keysPayload(server.context, other));
      return { bytes: encodeKeys(server.context, { ...other, signature }) };
    };
    expect(await hears(0, { bytes: encodeKeys(server.context, { ...entry, maskKey: entry.shareKey }) })).toBe(
      'key-forged',
    );
    expect(await hears(0, await signed({ maskKey: new Uint8Array(32) }))).toBe('weak-key');
    expect(await hears(0, await signed({ shareKey: new Uint8Array(32) }))).toBe('weak-key');
    expect(await hears(0, await signed({ shareKey: entry.maskKey }))).toBe('duplicate-key');
    const other = decodeKeys(says(1).bytes, server.context);
    expect(await hears(0, await signed({ maskKey: other.maskKey }), await after(1))).toBe('duplicate-key');
    expect(await hears(0, await signed({ commitment: new Uint8Array(32) }), await after(0))).toBe(
      'conflicting-message',
    );
    expect(await hears(0, {}, await after(0))).toBe('accepted');
  });

  it('refuses keys for another group, and after the roster was fixed', async () => {
    const cast = castOf({ size: 4 });
    const { hears, server, says, after } = await at(cast, 'keys');
    expect(await hears(0, { bytes: turned(says(0).bytes, 20) })).toBe('wrong-group');
    const { state } = await stepServer(await after(0, 1, 2), { kind: 'close' }, cast.server);
    expect(state.phase).toBe('shares');
    expect(await hears(3, {}, state)).toBe('not-in-roster');
    expect(await hears(0, {}, state)).toBe('accepted');
    const entry = decodeKeys(says(0).bytes, server.context);
    const other = encodeKeys(server.context, { ...entry, commitment: new Uint8Array(32) });
    expect(await hears(0, { bytes: other }, state)).toBe('late');
  });

  it('gives up below the minimum', async () => {
    const cast = castOf({ size: 4, terms: { minimum: 4 } });
    const { after } = await at(cast, 'keys');
    const step = await stepServer(await after(0, 1, 2), { kind: 'close' }, cast.server);
    expect(step.state).toMatchObject({ phase: 'aborted', reason: 'too-few-keys' });
    expect(step.messages.map(({ bytes }) => toHex(bytes))).toEqual(
      Array(4).fill(toHex(encodeEnd(step.state.context, 'too-few-keys'))),
    );
  });

  it('gives up where no graph serves the terms', async () => {
    const cast = castOf({ size: 70, terms: { corruptPermille: 600, dropOutPermille: 400 } });
    const moment = await start(cast);
    const { server } = await phase(cast, moment, moment.alive);
    expect(server).toMatchObject({ phase: 'aborted', reason: 'no-degree' });
  });
});

describe('the server before nonces', () => {
  it('refuses one that was not fixed, another than before, and one in the name of others', async () => {
    const cast = castOf(sparse);
    const { hears, says, server, after } = await at(cast, 'reveals');
    const { from, nonce } = decodeReveal(says(0).bytes, server.context);
    expect(await hears(0, { bytes: encodeReveal(server.context, from, turned(nonce, 0)) })).toBe(
      'nonce-mismatch',
    );
    expect(await hears(0, says(1))).toBe('wrong-sender');
    expect(await hears(0, {}, await after(0))).toBe('accepted');
    expect(
      await hears(0, { bytes: encodeReveal(server.context, from, turned(nonce, 0)) }, await after(0)),
    ).toBe('conflicting-message');
  });
});

describe('the server before shares', () => {
  it('refuses too many and too few boxes, others than before, and late ones', async () => {
    const cast = castOf({ size: 6 });
    const { hears, says, server, after } = await at(cast, 'shares');
    const shares = decodeShares(says(0).bytes, server.context);
    const send = (boxes: readonly Uint8Array[], state?: ServerState) =>
      hears(0, { bytes: encodeShares(server.context, { ...shares, boxes }) }, state);
    expect(await send(shares.boxes)).toBe('accepted');
    expect(await send(shares.boxes.slice(1))).toBe('wrong-share-count');
    expect(await send([...shares.boxes, shares.boxes[0]!])).toBe('wrong-share-count');
    expect(await send([...shares.boxes].reverse(), await after(0))).toBe('conflicting-message');
    expect(await hears(0, says(1))).toBe('wrong-sender');
    const { state } = await stepServer(await after(0, 1, 2, 3, 4), { kind: 'close' }, cast.server);
    expect(state.phase).toBe('uploads');
    expect(await hears(5, {}, state)).toBe('late');
    expect(await hears(0, {}, state)).toBe('accepted');
    const late = await stepServer(
      state,
      eventOf(cast.devices[5]!, { bytes: uploadOf(state, 5, cast), body: new Uint8Array(28) }),
      cast.server,
    ).catch((error: unknown) => error);
    expect(late).toMatchObject({ code: 'late' });
  });

  it('delivers to each the boxes that were made for it, and nothing else', async () => {
    const cast = castOf({ size: 5 });
    const { after, server } = await at(cast, 'shares');
    if (server.phase !== 'shares') throw new Error(server.phase);
    const step = await stepServer(await after(0, 1, 2, 3), { kind: 'close' }, cast.server);
    // Four of five shared: three boxes each, and the fifth gets none.
    expect(step.messages).toHaveLength(4);
    expect(new Set(step.messages.map(({ to }) => to)).has(cast.devices[4]!.name)).toBe(false);
    for (const { bytes } of step.messages) expect(bytes.length).toBe(34 + 4 + 3 * 82);
  });
});

function uploadOf(state: ServerState, number: number, cast: Cast): Uint8Array {
  if (!('entries' in state)) throw new Error(state.phase);
  const from = state.names.indexOf(cast.devices[number]!.name);
  return encodeUpload(state.context, {
    from,
    ring: 32,
    length: cast.terms.length,
    digest: new Uint8Array(32),
  });
}

describe('the server before uploads', () => {
  it('refuses words of another length, ring or digest, and others than before', async () => {
    const cast = castOf({ size: 5 });
    const { hears, says, server, after } = await at(cast, 'uploads');
    const { bytes, body } = says(0);
    const header = decodeUpload(bytes, server.context);
    const send = (change: object) =>
      hears(0, { bytes: encodeUpload(server.context, { ...header, ...change }) });
    expect(await send({ ring: 16 })).toBe('wrong-ring');
    expect(await send({ length: 7 })).toBe('wrong-length');
    expect(await hears(0, { body: body!.subarray(4) })).toBe('wrong-length');
    expect(await hears(0, { body: turned(body!, 0) })).toBe('digest-mismatch');
    expect(await hears(0, says(1))).toBe('wrong-sender');
    const once = await after(0);
    expect(
      await hears(
        0,
        { bytes: encodeUpload(server.context, { ...header, digest: new Uint8Array(32) }) },
        once,
      ),
    ).toBe('conflicting-message');
  });

  it('counts an update once, however often it comes, and reads it from any place in memory', async () => {
    const cast = castOf({ size: 5 });
    const { clients, server, says } = await at(cast, 'uploads');
    let state: ServerState = server;
    for (const number of [0, 0, 1, 1, 0, 2, 3]) {
      const { bytes, body } = says(number);
      const shifted = new Uint8Array(body!.length + 3);
      shifted.set(body!, 3);
      const event = eventOf(cast.devices[number]!, { bytes, body: shifted.subarray(3) });
      ({ state } = await stepServer(state, event, cast.server));
    }
    let moment: Moment = { server: state, clients, alive: [0, 1, 2, 3, 4] };
    while (moment.server.phase !== 'summed') moment = await phase(cast, moment, moment.alive);
    const { sum, counted } = openSum(cast, moment.server);
    expect(counted).toEqual([0, 1, 2, 3, 4]);
    expect(sum).toEqual(plainSum(cast, counted));
  });

  it('ends with nothing where an update breaks off while it is added', async () => {
    const cast = castOf({ size: 5 });
    const { says, server } = await at(cast, 'uploads');
    const { bytes, body } = says(0);
    const staged = stagedIn(body!);
    const breaks = function* () {
      yield body!.subarray(0, 4);
      throw new Error('The disk is gone.');
    };
    for (const read of [
      breaks,
      () => [body!.subarray(0, 8)],
      () => [body!.subarray(1)],
      () => [body!, body!.subarray(0, 1)],
      () => [body!, body!],
    ]) {
      const from = cast.devices[0]!.name;
      const { state, messages } = await stepServer(
        copyServer(server),
        { kind: 'upload', from, bytes, body: { ...staged, read } },
        cast.server,
      );
      expect(state).toMatchObject({ phase: 'aborted', reason: 'sum-spoiled' });
      expect('sum' in state).toBe(false);
      expect(messages).toHaveLength(5);
    }
  });

  it('refuses an update after the survivors were fixed without it', async () => {
    const cast = castOf({ size: 6 });
    const { hears, after } = await at(cast, 'uploads');
    const { state } = await stepServer(await after(0, 1, 2, 3, 4), { kind: 'close' }, cast.server);
    expect(state.phase).toBe('signing');
    expect(await hears(5, {}, state)).toBe('late');
    expect(await hears(0, {}, state)).toBe('accepted');
  });

  it('keeps one sum, and no update', async () => {
    const cast = castOf({ size: 20, terms: { length: 5000 } });
    const { after } = await at(cast, 'uploads');
    const state = await after(...Array.from({ length: 19 }, (_, number) => number));
    // 20,000 bytes of sum; all the rest together is less than two updates.
    expect(bytesIn(state)).toBeLessThan(3 * 20_000 + 20 * 19 * 82);
    expect(bytesIn((await stepServer(state, { kind: 'close' }, cast.server)).state)).toBeLessThan(2 * 20_000);
  });
});

/** Bytes of all binary values in a state. */
function bytesIn(value: unknown): number {
  if (ArrayBuffer.isView(value)) return value.byteLength;
  if (typeof value !== 'object' || value === null) return 0;
  return Object.values(value).reduce((sum: number, part) => sum + bytesIn(part), 0);
}

describe('the server before signatures', () => {
  it('refuses forged ones, and those of devices whose update is not in the sum', async () => {
    const cast = castOf({ size: 6 });
    const uploads = await at(cast, 'uploads');
    const { state } = await stepServer(await uploads.after(0, 1, 2, 3, 4), { kind: 'close' }, cast.server);
    const { says, server, hears } = await at(cast, 'signing');
    const { from, signature } = decodeSignature(says(0).bytes, server.context);
    const forged = encodeSignature(server.context, { from, signature: turned(signature, 1) });
    expect(await hears(0, { bytes: forged })).toBe('signature-forged');
    expect(await hears(0, says(1))).toBe('wrong-sender');
    expect(await hears(0)).toBe('accepted');
    const index =
      uploads.server.phase === 'uploads' ? uploads.server.names.indexOf(cast.devices[5]!.name) : -1;
    const outside: ServerEvent = {
      kind: 'message',
      from: cast.devices[5]!.name,
      bytes: encodeSignature(state.context, { from: index, signature }),
    };
    expect(await refusalOf(() => stepServer(state, outside, cast.server))).toBe('not-a-survivor');
  });

  it('gives up below two thirds', async () => {
    const cast = castOf({ size: 6 });
    const { after } = await at(cast, 'signing');
    const { state } = await stepServer(await after(0, 1, 2), { kind: 'close' }, cast.server);
    expect(state).toMatchObject({ phase: 'aborted', reason: 'too-few-signatures' });
  });
});

describe('the server before the last shares', () => {
  /** Six devices, the last of which drops out after it has shared. */
  const all = async () => {
    const cast = castOf({ size: 7 });
    const moment = await reach(cast, 'uploads');
    const signing = await phase(cast, moment, [0, 1, 2, 3, 4, 5]);
    const { server, clients } = await phase(cast, signing, signing.alive);
    if (server.phase !== 'unmasking') throw new Error(server.phase);
    const says = (number: number) => decodeUnmask(lastMessages(clients[number]!)[0]!.bytes, server.context);
    const hears = (number: number, change: object, state: ServerState = server) =>
      refusalOf(() =>
        stepServer(state, unmaskEvent(cast, state, number, { ...says(number), ...change }), cast.server),
      );
    return { cast, server, says, hears };
  };
  const unmaskEvent = (
    cast: Cast,
    state: ServerState,
    number: number,
    unmask: ReturnType<typeof decodeUnmask>,
  ): ServerEvent => ({
    kind: 'message',
    from: cast.devices[number]!.name,
    bytes: encodeUnmask(state.context, unmask),
  });

  it('refuses shares of the wrong kind, too few, too many, or for no neighbour', async () => {
    const { says, hears } = await all();
    const { shares, from } = says(0);
    expect(await hears(0, {})).toBe('accepted');
    const flipped = shares.map((share, at) =>
      at === 1
        ? { ...share, kind: share.kind === secretKind.selfMask ? secretKind.maskKey : secretKind.selfMask }
        : share,
    );
    expect(await hears(0, { shares: flipped })).toBe('wrong-shares');
    expect(await hears(0, { shares: shares.slice(1) })).toBe('wrong-shares');
    const own = [...shares, { ...shares[0]!, owner: from }].sort((a, b) => a.owner - b.owner);
    expect(await hears(0, { shares: own })).toBe('wrong-shares');
    expect(await hears(0, { shares: [shares[0]!, ...shares] })).toBe('malformed');
    expect(await hears(0, { from: (from + 1) % 7 })).toBe('wrong-sender');
  });

  it('refuses other shares than before', async () => {
    const { cast, server, says, hears } = await all();
    const { state } = await stepServer(server, unmaskEvent(cast, server, 0, says(0)), cast.server);
    const { shares } = says(0);
    expect(await hears(0, {}, state)).toBe('accepted');
    const other = shares.map((share, at) => (at === 0 ? { ...share, share: turned(share.share, 0) } : share));
    expect(await hears(0, { shares: other }, state)).toBe('conflicting-message');
  });

  it.each([0, 1, 2, 3, 4, 5])(
    'is not misled by wrong shares of device %i, when one can be spared',
    async (liar) => {
      const { cast, server, says } = await all();
      let state: ServerState = server;
      for (const number of [0, 1, 2, 3, 4, 5]) {
        const unmask = says(number);
        const shares = unmask.shares.map((share) =>
          // Each survivor has five neighbours left, and five shares are needed; the dropped one has six.
          number === liar && share.kind === secretKind.maskKey
            ? { ...share, share: turned(share.share, 3) }
            : share,
        );
        ({ state } = await stepServer(
          state,
          unmaskEvent(cast, server, number, { ...unmask, shares }),
          cast.server,
        ));
      }
      expect(openSum(cast, state).sum).toEqual(plainSum(cast, [0, 1, 2, 3, 4, 5]));
    },
  );

  it('gives up where no choice of shares gives the secret', async () => {
    const { cast, server, says } = await all();
    let state: ServerState = server;
    for (const number of [0, 1, 2, 3, 4, 5]) {
      const unmask = says(number);
      const shares = unmask.shares.map((share) =>
        number === 2 && share.kind === secretKind.selfMask
          ? { ...share, share: turned(share.share, 3) }
          : share,
      );
      ({ state } = await stepServer(
        state,
        unmaskEvent(cast, server, number, { ...unmask, shares }),
        cast.server,
      ));
    }
    expect(state).toMatchObject({ phase: 'aborted', reason: 'secret-not-rebuilt' });
  });
});

describe('a device that shares another secret than it masks with', () => {
  /** Toy cryptography that seals other plaintext than it was given. */
  const lying = (crypto: CryptoProvider, from: number): CryptoProvider => ({
    ...crypto,
    seal: (key, nonce, plain) =>
      crypto.seal(
        key,
        nonce,
        plain.map((byte, at) => (at >= from && at < from + 32 ? byte ^ 0xff : byte)),
      ),
  });

  it.each([
    ['its self-mask', 0, [0, 1, 2, 3, 4, 5], 'secret-not-rebuilt'],
    ['its mask key, and drops out', 32, [1, 2, 3, 4, 5], 'secret-not-rebuilt'],
  ])('(%s) makes the group abort', async (_, from, uploading, reason) => {
    const honest = castOf({ size: 6 });
    const liar = honest.devices[0]!;
    const devices = honest.devices.map((device) =>
      device === liar
        ? {
            ...device,
            environment: { ...device.environment, crypto: lying(device.environment.crypto, from) },
          }
        : device,
    );
    const cast: Cast = { ...honest, devices };
    let moment = await reach(cast, 'uploads');
    moment = await phase(cast, moment, uploading);
    while (moment.server.phase !== 'summed' && moment.server.phase !== 'aborted') {
      moment = await phase(cast, moment, moment.alive);
    }
    expect(moment.server).toMatchObject({ phase: 'aborted', reason });
  });
});

describe('the server', () => {
  it('moves only as the table says', async () => {
    for (const options of [{ size: 4 }, sparse]) {
      const cast = castOf(options);
      let moment = await start(cast);
      const seen: string[] = [moment.server.phase];
      while (moment.server.phase !== 'summed') {
        const from = moment.server.phase;
        moment = await phase(cast, moment, moment.alive);
        expect(serverTransitions[from]).toContain(moment.server.phase);
        seen.push(moment.server.phase);
      }
      expect(seen.includes('reveals')).toBe(options.size > 64);
    }
  });

  it.each(['keys', 'shares', 'uploads', 'signing', 'unmasking'] as const)(
    'can be stopped in phase "%s", and then says so to whoever speaks',
    async (wanted) => {
      const cast = castOf({ size: 4 });
      const { server, says } = await at(cast, wanted);
      const { state, messages } = await stepServer(server, { kind: 'cancel' }, cast.server);
      expect(state).toMatchObject({ phase: 'aborted', reason: 'cancelled' });
      expect(messages).toHaveLength(4);
      expect('sum' in state).toBe(false);
      const step = await stepServer(state, eventOf(cast.devices[1]!, says(1)), cast.server);
      expect(step.messages).toEqual([
        { to: cast.devices[1]!.name, bytes: encodeEnd(state.context, 'cancelled') },
      ]);
      expect((await stepServer(state, { kind: 'close' }, cast.server)).state).toBe(state);
    },
  );

  it.each(['keys', 'shares', 'uploads', 'signing', 'unmasking'] as const)(
    'says in phase "%s" to a device that lost the connection what it said before',
    async (wanted) => {
      const cast = castOf({ size: 4 });
      let step = await open(cast);
      while (step.state.phase !== wanted) {
        const moment = await reach(cast, step.state.phase);
        const { clients } = moment;
        for (const { number } of cast.devices) {
          if (step.state.phase !== moment.server.phase) break;
          step = await stepServer(
            number === 0 ? moment.server : step.state,
            eventOf(cast.devices[number]!, lastMessages(clients[number]!)[0]!),
            cast.server,
          );
        }
      }
      expect(step.messages.length).toBeGreaterThan(0);
      for (const message of step.messages) expect(pendingMessages(step.state, message.to)).toEqual([message]);
      expect(pendingMessages(step.state, 'ff'.repeat(32))).toEqual([]);
    },
  );

  it('refuses messages before their phase, and those that a server sends', async () => {
    const cast = castOf({ size: 4 });
    const { server } = await at(cast, 'keys');
    const later = await at(cast, 'signing');
    // The context is the same: it is the same group.
    expect(
      await refusalOf(() => stepServer(server, eventOf(cast.devices[0]!, later.says(0)), cast.server)),
    ).toBe('out-of-phase');
    const end = { bytes: encodeEnd(server.context, 'summed') };
    expect(await refusalOf(() => stepServer(server, eventOf(cast.devices[0]!, end), cast.server))).toBe(
      'wrong-type',
    );
    const uploads = await at(cast, 'uploads');
    expect(
      await refusalOf(() => stepServer(server, eventOf(cast.devices[0]!, uploads.says(0)), cast.server)),
    ).toBe('out-of-phase');
    expect((await joinGroup(cast.termBytes, cast.devices[0]!.environment)).state.phase).toBe('keys');
  });
});
