import { toHex } from '@starling/protocol';
import { describe, expect, it } from 'vitest';
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
} from '../testing/group.ts';
import { refusalOf } from '../testing/refusals.ts';
import { before, nextFor, sparse } from '../testing/stand.ts';
import { joinGroup, lastMessages, stepClient } from './client-machine.ts';
import {
  clientTransitions,
  eraseSuperseded,
  loadClientState,
  saveClientState,
  StoredStateError,
  type ClientPhase,
  type ClientState,
} from './client-state.ts';
import { decodeSignatures, decodeUnmask, encodeSurvivors, secretKind } from './messages.ts';
import { stepServer } from './server-machine.ts';
import { applyMasks, type MaskTerm } from './masking.ts';
import { pairMaskKey, type Binding } from './transcript.ts';
import { newVector } from './words.ts';

/** Every byte as one character. */
function textOf(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

function hears(cast: Cast, state: ClientState, bytes: Uint8Array) {
  const { environment } = cast.devices[0]!;
  return refusalOf(() => stepClient(state, { kind: 'message', bytes }, environment));
}

describe('a device that hears again what it has answered', () => {
  it.each([
    ['the roster', { size: 5 }, 'shares'],
    ['the nonces', sparse, 'shares'],
    ['the survivors', { size: 7 }, 'signing'],
  ] as const)('(%s) says the same again, also after it was reloaded', async (_, options, wanted) => {
    const cast = castOf(options);
    const { state, bytes } = await before(cast, wanted);
    const { environment } = cast.devices[0]!;
    const first = await stepClient(state, { kind: 'message', bytes }, environment);
    expect(first.messages).toHaveLength(1);
    expect(await stepClient(first.state, { kind: 'message', bytes }, environment)).toEqual(first);
    const reloaded = loadClientState(saveClientState(first.state));
    expect((await stepClient(reloaded, { kind: 'message', bytes }, environment)).messages).toEqual(
      first.messages,
    );
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
  const { crypto, masks } = castOf({ size: 3 }).server;
  const filled = (value: number) => new Uint8Array(32).fill(value);
  const binding: Binding = {
    group: 'grp_one',
    context: filled(1),
    modelDigest: filled(2),
    rosterRoot: filled(3),
    graphSeed: filled(4),
  };
  const [shared, low, high] = [filled(5), filled(6), filled(7)];
  const keyOf = (change: Partial<Binding>) =>
    pairMaskKey(shared, { ...binding, ...change }, low, high, crypto);

  it('of two devices that trained from different models do not cancel', async () => {
    const same = toHex(await keyOf({}));
    expect(toHex(await keyOf({}))).toBe(same);
    for (const change of [
      { modelDigest: filled(9) },
      { context: filled(9) },
      { rosterRoot: filled(9) },
      { graphSeed: filled(9) },
      { group: 'grp_two' },
    ]) {
      expect(toHex(await keyOf(change))).not.toBe(same);
    }
    expect(toHex(await pairMaskKey(shared, binding, high, low, crypto))).not.toBe(same);
  });

  it('of two devices that were told of different models leave noise, not a sum', async () => {
    const left = async (change: Partial<Binding>) => {
      const sum = newVector(32, 8192);
      const terms: MaskTerm[] = [
        { key: await keyOf({}), sign: 1 },
        { key: await keyOf(change), sign: -1 },
      ];
      applyMasks(masks, terms, sum);
      return sum;
    };
    expect((await left({})).every((word) => word === 0)).toBe(true);
    const noise = await left({ modelDigest: filled(9) });
    const bins = new Float64Array(256);
    for (const word of noise) bins[word >>> 24]!++;
    const expected = noise.length / 256;
    const chiSquare = bins.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    expect(Math.abs(chiSquare - 255)).toBeLessThan(5 * Math.sqrt(510));
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
