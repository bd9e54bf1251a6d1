/// <reference types="node" />
import { createHash, hkdfSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { concatBytes, fromHex, sha256, toHex, utf8Encode } from '@starling/protocol';
import nacl from 'tweetnacl';
import { describe, expect, it } from 'vitest';
import { tweetnaclProvider } from '../crypto/tweetnacl.ts';
import { degreeFor } from '../groups/degree.ts';
import { randomGraph } from '../groups/graph.ts';
import { merkleProof } from '../groups/merkle.ts';
import { encodeEntry } from '../groups/roster.ts';
import { javaScriptMasks } from '../masks/index.ts';
import { slowStream } from '../masks/testing/chacha20.ts';
import { interpolateAtZero } from '../shamir/testing/slow.ts';
import { castOf, openSum, phase, plainSum, start, type Moment } from '../testing/group.ts';
import { seededBytes } from '../testing/toy-crypto.ts';
import { lastMessages } from './client-machine.ts';
import { survivorsPayload } from './transcript.ts';

/**
 * Test vectors of SA-1 (secure/vectors/sa1.json): one group of five, the last of which shares and drops out, with all its
 * messages; and graphs. Written by the first test where the file is missing (or with `vitest -u`), compared by it
 * otherwise; read by the second as another implementation would, with the primitives of Node.js and slow references.
 */
const file = new URL('../../vectors/sa1.json', import.meta.url);

const hexOf = (value: unknown): unknown => {
  if (value instanceof Uint8Array) return toHex(value);
  if (value instanceof Uint32Array || value instanceof Uint16Array) return [...value];
  if (Array.isArray(value)) return value.map(hexOf);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, hexOf(part)]));
};

async function groupVector(ring: 16 | 32) {
  const cast = castOf({
    size: 5,
    terms: { ring, length: 40, group: `grp_vector_${ring}` },
    cryptoOf: (name) => tweetnaclProvider(seededBytes(`vector ${ring} ${name}`)),
    identityOf: (seed) => nacl.sign.keyPair.fromSeed(seed).publicKey,
  });
  const moments: Moment[] = [await start(cast)];
  const speaking = [
    [0, 1, 2, 3, 4],
    [0, 1, 2, 3, 4],
    [0, 1, 2, 3],
    [0, 1, 2, 3],
    [0, 1, 2, 3],
  ];
  for (const numbers of speaking) moments.push(await phase(cast, moments.at(-1)!, numbers));
  const [keys, shares, uploads, signing, unmasking, summed] = moments.map(({ server, clients }) => ({
    server,
    clients,
  }));
  const frozen = uploads!.server;
  if (
    frozen.phase !== 'uploads' ||
    summed!.server.phase !== 'summed' ||
    unmasking!.server.phase !== 'unmasking'
  ) {
    throw new Error('The group did not end in a sum.');
  }
  /** Devices by their place in the roster. */
  const order = frozen.names.map((name) => cast.devices.findIndex((device) => device.name === name));
  const said = (moment: typeof keys) =>
    order
      .map((number) => moment!.clients[number])
      .map((state) => (state ? lastMessages(state)[0]?.bytes : undefined) ?? null);
  const { survivors } = unmasking!.server;
  const binding = {
    ...{ group: cast.terms.group, context: frozen.context, modelDigest: cast.terms.modelDigest },
    ...{ rosterRoot: frozen.rosterRoot, graphSeed: frozen.graphSeed },
  };
  const { sum, counted } = openSum(cast, summed!.server);
  expect(sum).toEqual(plainSum(cast, counted));
  return {
    terms: cast.terms,
    messageTerms: cast.termBytes,
    context: frozen.context,
    members: order.map((number, index) => {
      const state = keys!.clients[number]!;
      if (state.phase !== 'keys') throw new Error(state.phase);
      return {
        index,
        identitySeed: seededBytes(`identity ${number}`)(32),
        maskSecret: state.maskSecret,
        shareSecret: state.shareSecret,
        update: cast.devices[number]!.update,
      };
    }),
    messageKeys: said(keys),
    rosterRoot: frozen.rosterRoot,
    proofOfMember1: await merkleProof(frozen.entries.map(encodeEntry), 1, cast.server.crypto),
    graphSeed: frozen.graphSeed,
    threshold: frozen.threshold,
    messageShares: said(shares),
    messageUpload: said(uploads),
    masked: order.map((number) => {
      const state = uploads!.clients[number]!;
      return state.phase === 'uploads' ? state.masked : null;
    }),
    survivors: survivors.flatMap((is, index) => (is ? [index] : [])),
    survivorsPayload: await survivorsPayload(binding, survivors, cast.server.crypto),
    messageSignature: said(signing).map((bytes, index) => (survivors[index] ? bytes : null)),
    messageUnmask: said(unmasking).map((bytes, index) => (survivors[index] ? bytes : null)),
    masksToApply: summed!.server.work,
    sum,
  };
}

function graphVector(size: number, corrupt: number, dropOut: number) {
  const { degree, threshold } = degreeFor(size, corrupt, dropOut, 40, 20);
  const seed = fromHex(sha256(utf8Encode(`graph of ${size}`)));
  const graph = randomGraph(size, degree, seed, javaScriptMasks());
  return {
    ...{ size, corrupt, dropOut, privacyBits: 40, correctnessBits: 20, degree, threshold, seed },
    neighboursOfMember0: graph[0],
    // SHA-256 of all lists as JSON: [[1,2],[0,3],...]
    digest: sha256(utf8Encode(JSON.stringify(graph))),
  };
}

describe('the test vectors', () => {
  it('are what this implementation does', async () => {
    const vectors = {
      about:
        'SA-1 version 1; see docs/secure-aggregation.md. Bytes in hexadecimal, members by their place in the roster.',
      groups: [await groupVector(32), await groupVector(16)],
      graphs: [graphVector(100, 0.1, 0.1), graphVector(300, 0.1, 0.2), graphVector(1000, 0.05, 0.05)],
    };
    const text = JSON.stringify(hexOf(vectors), undefined, 1).replace(
      /\[\s+(\d[\d,\s]*)\]/g,
      (_, numbers: string) => `[${numbers.replace(/\s+/g, ' ').trim()}]`,
    );
    await expect(`${text}\n`).toMatchFileSnapshot(file.pathname);
  });

  it('are what the specification says, by another way', () => {
    const { groups } = JSON.parse(readFileSync(file, 'utf8')) as { groups: Vector[] };
    expect(groups).toHaveLength(2);
    for (const group of groups) checkGroup(group);
  });
});

interface Vector {
  terms: { group: string; modelDigest: string; ring: 16 | 32; length: number };
  messageTerms: string;
  context: string;
  members: { identitySeed: string; maskSecret: string; shareSecret: string; update: number[] }[];
  messageKeys: string[];
  rosterRoot: string;
  proofOfMember1: string[];
  graphSeed: string;
  threshold: number;
  messageShares: string[];
  masked: (string | null)[];
  survivors: number[];
  survivorsPayload: string;
  messageSignature: (string | null)[];
  messageUnmask: (string | null)[];
  masksToApply: { key: string; sign: number }[];
  sum: number[];
}

/** Reads a vector with nothing of this implementation but ChaCha20 and Shamir's scheme as the books write them. */
function checkGroup(vector: Vector): void {
  const hash = (...parts: Uint8Array[]) =>
    new Uint8Array(
      createHash('sha256')
        .update(concatBytes(...parts))
        .digest(),
    );
  const tag = (text: string) => concatBytes(utf8Encode(text), Uint8Array.of(0));
  const { members, terms, threshold } = vector;
  const { ring, length } = terms;
  const context = hash(tag('starling/sa1/terms'), fromHex(vector.messageTerms));
  expect(toHex(context)).toBe(vector.context);

  // KEYS: version, type, context, entry.
  const entries = vector.messageKeys.map((text) => fromHex(text).subarray(34));
  const part = (index: number, from: number, to: number) => entries[index]!.slice(from, to);
  const identity = (index: number) => part(index, 0, 32);
  members.forEach((member, index) => {
    const keyPair = nacl.sign.keyPair.fromSeed(fromHex(member.identitySeed));
    expect(toHex(identity(index))).toBe(toHex(keyPair.publicKey));
    expect(toHex(part(index, 32, 64))).toBe(toHex(nacl.scalarMult.base(fromHex(member.maskSecret))));
    expect(toHex(part(index, 64, 96))).toBe(toHex(nacl.scalarMult.base(fromHex(member.shareSecret))));
    const payload = concatBytes(
      ...[tag('starling/v1/sa1-keys'), context, identity(index)],
      ...[Uint8Array.of(1), part(index, 32, 64), Uint8Array.of(2), part(index, 64, 96), part(index, 96, 128)],
    );
    expect(nacl.sign.detached.verify(payload, part(index, 128, 192), identity(index))).toBe(true);
  });
  expect(entries.map((_, index) => toHex(identity(index))).sort()).toEqual(
    entries.map((_, index) => toHex(identity(index))),
  );

  // Five leaves: ((0 1) (2 3)) 4.
  const leaf = (index: number) => hash(Uint8Array.of(0), entries[index]!);
  const node = (left: Uint8Array, right: Uint8Array) => hash(Uint8Array.of(1), left, right);
  const root = node(node(node(leaf(0), leaf(1)), node(leaf(2), leaf(3))), leaf(4));
  expect(toHex(root)).toBe(vector.rosterRoot);
  expect(vector.proofOfMember1).toEqual([leaf(0), node(leaf(2), leaf(3)), leaf(4)].map(toHex));
  const seed = hash(tag('starling/sa1/graph'), root);
  expect(toHex(seed)).toBe(vector.graphSeed);
  expect(threshold).toBe(3); // floor(2 * 4 / 3) + 1

  const derive = (role: string, secret: Uint8Array, first: number, second: number, ...more: number[]) => {
    const info = concatBytes(
      ...[tag(`starling/sa1/${role}`), Uint8Array.of(terms.group.length), utf8Encode(terms.group), context],
      ...[fromHex(terms.modelDigest), root, identity(first), identity(second), Uint8Array.from(more)],
    );
    return new Uint8Array(hkdfSync('sha256', secret, seed, info, 32));
  };
  const holders = (owner: number) => [0, 1, 2, 3, 4].filter((member) => member !== owner);
  const point = (owner: number, holder: number) => holders(owner).indexOf(holder) + 1;

  // SHARES: header, from (2), commitment (32), count (2), boxes of 80. Every receiver opens its box.
  const opened = members.map((_, owner) => {
    const bytes = fromHex(vector.messageShares[owner]!);
    expect([...bytes.subarray(34, 36)]).toEqual([owner, 0]);
    return holders(owner).map((holder, at) => {
      const shared = nacl.scalarMult(fromHex(members[holder]!.shareSecret), part(owner, 64, 96));
      const key = derive('share', shared, owner, holder, point(owner, holder));
      const plain = nacl.secretbox.open(bytes.subarray(70 + 80 * at, 150 + 80 * at), new Uint8Array(24), key);
      expect(plain).not.toBeNull();
      return { holder, point: at + 1, selfMask: plain!.slice(0, 32), maskKey: plain!.slice(32) };
    });
  });
  const secretsOf = members.map((member, owner) => {
    const rebuilt = (name: 'selfMask' | 'maskKey') => {
      const used = opened[owner]!.slice(-threshold);
      return Uint8Array.from({ length: 32 }, (_, at) =>
        interpolateAtZero(used.map((share) => ({ point: share.point, value: share[name][at]! }))),
      );
    };
    expect(toHex(rebuilt('maskKey'))).toBe(member.maskSecret);
    const selfMask = rebuilt('selfMask');
    const commitment = hash(tag('starling/sa1/self-mask'), context, identity(owner), selfMask);
    expect(toHex(commitment)).toBe(vector.messageShares[owner]!.slice(72, 136));
    return { selfMask };
  });

  // Masked words, and the sum.
  const modulus = 2n ** BigInt(ring);
  const word = (key: Uint8Array, at: number): bigint => {
    const stream = slowStream(key, 0, length);
    return BigInt(ring === 32 ? stream[at]! : (stream[at >>> 1]! >>> (16 * (at % 2))) & 0xffff);
  };
  const pairKey = (low: number, high: number) =>
    derive('pair', nacl.scalarMult(fromHex(members[low]!.maskSecret), part(high, 32, 64)), low, high);
  for (const index of vector.survivors) {
    const selfKey = derive('self', secretsOf[index]!.selfMask, index, index);
    const masked = members[index]!.update.map((value, at) => {
      let masking = BigInt(value) + word(selfKey, at);
      for (const other of holders(index)) {
        const mask = word(index < other ? pairKey(index, other) : pairKey(other, index), at);
        masking += index < other ? mask : -mask;
      }
      return BigInt.asUintN(ring, masking);
    });
    const bytes = masked.map((value) => {
      const text = value.toString(16).padStart(ring / 4, '0');
      return toHex(fromHex(text).reverse());
    });
    expect(bytes.join('')).toBe(vector.masked[index]);
  }
  const plain = Array.from({ length }, (_, at) =>
    Number(vector.survivors.reduce((sum, index) => sum + BigInt(members[index]!.update[at]!), 0n) % modulus),
  );
  expect(vector.sum).toEqual(plain);

  // The survivors' signatures, and what is taken away.
  const dropped = [0, 1, 2, 3, 4].find((index) => !vector.survivors.includes(index))!;
  const bits = vector.survivors.reduce((byte, index) => byte | (1 << index), 0);
  const payload = concatBytes(
    ...[tag('starling/v1/sa1-survivors'), context, root, seed, fromHex(terms.modelDigest)],
    hash(Uint8Array.of(5, 0, bits)),
  );
  expect(toHex(payload)).toBe(vector.survivorsPayload);
  for (const index of vector.survivors) {
    const signature = fromHex(vector.messageSignature[index]!).subarray(36);
    expect(nacl.sign.detached.verify(payload, signature, identity(index))).toBe(true);
    // UNMASK: header, from, count, then owner (2), kind (1), share (32).
    const unmask = fromHex(vector.messageUnmask[index]!);
    holders(index).forEach((owner, at) => {
      const share = opened[owner]![point(owner, index) - 1]!;
      const expected = owner === dropped ? [owner, 0, 2, ...share.maskKey] : [owner, 0, 1, ...share.selfMask];
      expect([...unmask.subarray(38 + 35 * at, 73 + 35 * at)]).toEqual(expected);
    });
  }
  const taken = [
    ...vector.survivors.map((index) => ({
      key: derive('self', secretsOf[index]!.selfMask, index, index),
      sign: -1,
    })),
    ...vector.survivors.map((index) =>
      index < dropped
        ? { key: pairKey(index, dropped), sign: -1 }
        : { key: pairKey(dropped, index), sign: 1 },
    ),
  ].map(({ key, sign }) => `${toHex(key)} ${sign}`);
  expect(vector.masksToApply.map(({ key, sign }) => `${key} ${sign}`).sort()).toEqual(taken.sort());
}
