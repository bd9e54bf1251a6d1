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
import { at, sparse } from '../testing/stand.ts';
import { lastMessages } from './client-machine.ts';
import { decodeUnmask, encodeEnd, encodeUnmask, secretKind } from './messages.ts';
import { pendingMessages, stepServer, type ServerEvent } from './server-machine.ts';
import { serverTransitions, type ServerState } from './server-state.ts';

describe('the server before keys', () => {
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

describe('the server before shares', () => {
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

describe('the server before uploads', () => {
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
});
