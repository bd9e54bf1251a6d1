/** Merkle trees over SHA-256 with leaves and nodes apart: RFC 6962, section 2.1. */
import { concatBytes, toHex } from '@starling/protocol';
import type { CryptoProvider } from '../crypto/provider.ts';

type Hash = Pick<CryptoProvider, 'sha256'>;

const leafTag = Uint8Array.of(0);
const nodeTag = Uint8Array.of(1);

/** The root over at least one leaf: 32 bytes. */
export async function merkleRoot(leaves: readonly Uint8Array[], crypto: Hash): Promise<Uint8Array> {
  if (leaves.length === 0) throw new RangeError('A tree has at least one leaf.');
  if (leaves.length === 1) return crypto.sha256(concatBytes(leafTag, leaves[0]!));
  const split = largestPowerBelow(leaves.length);
  const left = await merkleRoot(leaves.slice(0, split), crypto);
  const right = await merkleRoot(leaves.slice(split), crypto);
  return crypto.sha256(concatBytes(nodeTag, left, right));
}

/** The audit path of one leaf, from the leaf upwards (RFC 6962, section 2.1.1). */
export async function merkleProof(
  leaves: readonly Uint8Array[],
  index: number,
  crypto: Hash,
): Promise<Uint8Array[]> {
  if (!(index >= 0 && index < leaves.length)) {
    throw new RangeError(`Leaf ${index} is not one of ${leaves.length}.`);
  }
  if (leaves.length === 1) return [];
  const split = largestPowerBelow(leaves.length);
  const [near, far, within] =
    index < split
      ? [leaves.slice(0, split), leaves.slice(split), index]
      : [leaves.slice(split), leaves.slice(0, split), index - split];
  return [...(await merkleProof(near, within, crypto)), await merkleRoot(far, crypto)];
}

/** Whether `proof` shows that `leaf` stands at `index` of the `size` leaves under `root` (RFC 9162, section 2.1.3.2). */
export async function isInTree(
  root: Uint8Array,
  size: number,
  index: number,
  leaf: Uint8Array,
  proof: readonly Uint8Array[],
  crypto: Hash,
): Promise<boolean> {
  if (!(Number.isInteger(index) && index >= 0 && index < size)) return false;
  let [at, last] = [index, size - 1];
  let hash = await crypto.sha256(concatBytes(leafTag, leaf));
  for (const sibling of proof) {
    if (sibling.length !== 32 || last === 0) return false;
    if (at % 2 === 1 || at === last) {
      hash = await crypto.sha256(concatBytes(nodeTag, sibling, hash));
      while (at % 2 === 0 && at !== 0) {
        at = Math.floor(at / 2);
        last = Math.floor(last / 2);
      }
    } else {
      hash = await crypto.sha256(concatBytes(nodeTag, hash, sibling));
    }
    at = Math.floor(at / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 && toHex(hash) === toHex(root);
}

function largestPowerBelow(count: number): number {
  let power = 1;
  while (power * 2 < count) power *= 2;
  return power;
}
