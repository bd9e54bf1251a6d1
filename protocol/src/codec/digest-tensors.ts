import { compareBytes } from './bytes.ts';
import { Sha256Hasher, type Sha256 } from './digest.ts';
import { bytesOf, type Tensor } from './tensor.ts';
import { utf8Encode } from './utf8.ts';
import { checkedTensors } from './write-safetensors.ts';

/** Keeps this digest apart from any other use of SHA-256, and names the framing below. */
const domain = utf8Encode('starling/tensors/v1\0');

/**
 * The identity of a set of tensors: SHA-256 over the tensors themselves, so that it depends neither on the order in
 * a file nor on metadata. All integers are little-endian; tensors are sorted by their names in UTF-8:
 *
 *     "starling/tensors/v1" 0x00, u32 number of tensors, then for each
 *     u32 length of name, name, u32 length of dtype, dtype, u32 rank, u64 each dimension, u64 length of values, values
 *
 * Every part is preceded by its length, so no two sets share a byte sequence.
 * Throws SafetensorsError where the tensors could not be written to one file either.
 */
export function digestTensors(tensors: Iterable<Tensor>): Sha256 {
  const named = checkedTensors(tensors).sort((left, right) => compareBytes(left.name, right.name));
  const hasher = new Sha256Hasher().update(domain).update(u32(named.length));
  for (const { tensor, name } of named) {
    const dtype = utf8Encode(tensor.dtype);
    hasher.update(u32(name.length)).update(name).update(u32(dtype.length)).update(dtype);
    hasher.update(u32(tensor.shape.length));
    for (const dimension of tensor.shape) hasher.update(u64(dimension));
    hasher.update(u64(tensor.data.byteLength)).update(bytesOf(tensor));
  }
  return hasher.digest();
}

function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

function u64(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true);
  return bytes;
}
