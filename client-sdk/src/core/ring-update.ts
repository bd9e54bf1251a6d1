import { readSafetensors, weightTensor, type Assignment } from '@starling/protocol';
import { encodeForRing, ringLayout, type RingLayout, type RingVector } from '@starling/secure';

type Encoded = Pick<Assignment, 'blocks' | 'maxWeight' | 'secure'>;

/** How a contribution to this secure assignment lies on the ring. Throws SumOverflow: the server could not add it up. */
export function layoutOf({ blocks, maxWeight, secure }: Encoded): RingLayout {
  if (!secure) throw new TypeError('A clear assignment has no ring.');
  return ringLayout(blocks, { ring: secure.ring, maxWeight, maxCount: secure.largest });
}

/** An update file as the vector that is masked. */
export function ringUpdate(assignment: Encoded, file: Uint8Array): RingVector {
  const { tensors } = readSafetensors(file);
  const values = assignment.blocks.map(({ name }) => numbersOf(tensors.get(name)?.data));
  return encodeForRing(layoutOf(assignment), values, numbersOf(tensors.get(weightTensor)?.data)[0] ?? 0);
}

function numbersOf(data: ArrayLike<number> | ArrayLike<bigint> | undefined): ArrayLike<number> {
  if (data === undefined) throw new TypeError('The kept update lacks a block of its assignment.');
  return data as ArrayLike<number>; // the device wrote it: F32, F64 and U32 only
}
