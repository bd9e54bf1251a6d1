import { concatBytes, fromHex, sha256, toHex, utf8Encode } from '@starling/protocol';
import { describe, expect, it } from 'vitest';
import { seededBytes, toyCrypto } from '../testing/toy-crypto.ts';
import { isInTree, merkleProof, merkleRoot } from './merkle.ts';
import {
  commitTo,
  decodeEntry,
  encodeEntry,
  graphSeed,
  rosterProblem,
  rosterRoot,
  sortEntries,
  type RosterEntry,
} from './roster.ts';

const crypto = toyCrypto(seededBytes('roster'));
const random = seededBytes('entries');
const entry = (): RosterEntry => decodeEntry(random(192));

describe('a Merkle tree', () => {
  // Vectors of Certificate Transparency (RFC 6962): https://github.com/google/certificate-transparency
  const leaves = [
    '',
    '00',
    '10',
    '2021',
    '3031',
    '40414243',
    '5051525354555657',
    '606162636465666768696a6b6c6d6e6f',
  ].map((text) => fromHex(text));
  it.each([
    [1, '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d'],
    [2, 'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125'],
    [3, 'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77'],
    [4, 'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7'],
    [5, '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4'],
    [6, '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef'],
    [7, 'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c'],
    [8, '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328'],
  ])('over %i leaves has the root of RFC 6962', async (count, root) => {
    expect(toHex(await merkleRoot(leaves.slice(0, count), crypto))).toBe(root);
  });

  it('proves each leaf at its place, and nothing else', async () => {
    for (let size = 1; size <= 9; size++) {
      const list = Array.from({ length: size }, (_, at) => Uint8Array.of(at));
      const root = await merkleRoot(list, crypto);
      for (let index = 0; index < size; index++) {
        const proof = await merkleProof(list, index, crypto);
        const holds = (at: number, leaf: Uint8Array, path = proof) =>
          isInTree(root, size, at, leaf, path, crypto);
        expect(await holds(index, list[index]!)).toBe(true);
        expect(await holds(index, Uint8Array.of(99))).toBe(false);
        if (size > 1) expect(await holds((index + 1) % size, list[index]!)).toBe(false);
        expect(await holds(index, list[index]!, [...proof, root])).toBe(false);
        if (proof.length > 0) expect(await holds(index, list[index]!, proof.slice(1))).toBe(false);
        expect(await holds(size, list[index]!)).toBe(false);
      }
    }
    await expect(merkleProof([Uint8Array.of(1)], 1, crypto)).rejects.toThrow(RangeError);
    await expect(merkleRoot([], crypto)).rejects.toThrow(RangeError);
  });
});

describe('a roster', () => {
  it('has one order and one encoding', () => {
    const entries = [entry(), entry(), entry()];
    const sorted = sortEntries(entries);
    expect(sortEntries([...entries].reverse())).toEqual(sorted);
    expect(rosterProblem(sorted)).toBeUndefined();
    expect(rosterProblem([...sorted].reverse())).toBe('roster-order');
    expect(rosterProblem([sorted[0]!, sorted[0]!])).toBe('roster-order');
    for (const one of sorted) expect(decodeEntry(encodeEntry(one))).toEqual(one);
    expect(() => decodeEntry(new Uint8Array(191))).toThrow(RangeError);
  });

  it('takes no key twice, in whatever role', () => {
    const [first, second] = sortEntries([entry(), entry()]) as [RosterEntry, RosterEntry]; // two
    expect(rosterProblem([first, { ...second, maskKey: first.maskKey }])).toBe('duplicate-key');
    expect(rosterProblem([first, { ...second, shareKey: first.maskKey }])).toBe('duplicate-key');
    expect(rosterProblem([{ ...first, shareKey: first.maskKey }, second])).toBe('duplicate-key');
  });

  it('has another root for any change, and another graph for any root or nonce', async () => {
    const entries = sortEntries([entry(), entry(), entry()]);
    const root = await rosterRoot(entries, crypto);
    expect(await rosterRoot(entries.slice(1), crypto)).not.toEqual(root);
    const [nonce, other] = [random(32), random(32)];
    const seed = await graphSeed(root, [nonce, nonce, nonce], crypto);
    expect(toHex(seed)).toBe(
      sha256(concatBytes(utf8Encode('starling/sa1/graph\0'), root, nonce, nonce, nonce)),
    );
    expect(await graphSeed(root, [nonce, other, nonce], crypto)).not.toEqual(seed);
    expect(await graphSeed(nonce, [nonce, nonce, nonce], crypto)).not.toEqual(seed);
  });

  it('fixes a nonce for one device of one group', async () => {
    const [nonce, context, identity] = [random(32), random(32), random(32)];
    const fixed = await commitTo(nonce, context, identity, crypto);
    expect(await commitTo(random(32), context, identity, crypto)).not.toEqual(fixed);
    expect(await commitTo(nonce, random(32), identity, crypto)).not.toEqual(fixed);
    expect(await commitTo(nonce, context, random(32), crypto)).not.toEqual(fixed);
  });
});
