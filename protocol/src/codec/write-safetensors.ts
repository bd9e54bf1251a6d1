import { compareBytes } from './bytes.ts';
import { EncodingError } from './encoding-error.ts';
import { SafetensorsError } from './safetensors-error.ts';
import { bytesOf, elementCount, widthOf, type Tensor } from './tensor.ts';
import { isWellFormed, utf8Encode } from './utf8.ts';

/** Names that are not tensors: the format's own member, and the one that is special to JavaScript objects. */
export const reservedNames: readonly string[] = ['__metadata__', '__proto__'];

/** Length of the field that holds the header's length, and what the header is padded to. */
export const headerUnit = 8;

/** A tensor with its name in UTF-8, by which tensors are sorted alike in every language. */
export interface NamedTensor {
  readonly tensor: Tensor;
  readonly name: Uint8Array;
}

/**
 * Writes tensors (and texts as metadata) as a safetensors file (https://github.com/huggingface/safetensors, format 0.x):
 * u64 header length, JSON header padded with spaces to 8 bytes, values. Canonical: wider dtypes first, then by name
 * in UTF-8; metadata sorted by key. Equal input gives equal bytes, and every value lies aligned in the file.
 *
 * Throws {@link SafetensorsError} `duplicate-name`, `invalid-name`, `invalid-shape`, `wrong-length` or `invalid-metadata`.
 */
export function writeSafetensors(
  tensors: readonly Tensor[],
  metadata?: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  const ordered = checkedTensors(tensors).sort(
    (left, right) =>
      widthOf(right.tensor.dtype) - widthOf(left.tensor.dtype) || compareBytes(left.name, right.name),
  );
  const members = metadata === undefined ? [] : [`"__metadata__":${writeMetadata(metadata)}`];
  let length = 0;
  for (const { tensor } of ordered) {
    const { name, dtype, shape, data } = tensor;
    const entry = { dtype, shape, data_offsets: [length, length + data.byteLength] };
    members.push(`${JSON.stringify(name)}:${JSON.stringify(entry)}`);
    length += data.byteLength;
  }
  const header = utf8Encode(`{${members.join(',')}}`);
  const start = headerUnit + Math.ceil(header.length / headerUnit) * headerUnit;
  const file = new Uint8Array(start + length);
  new DataView(file.buffer).setBigUint64(0, BigInt(start - headerUnit), true);
  file.fill(0x20, headerUnit, start);
  file.set(header, headerUnit);
  let at = start;
  for (const { tensor } of ordered) {
    file.set(bytesOf(tensor), at);
    at += tensor.data.byteLength;
  }
  return file;
}

/** Checks names and lengths of tensors that are to travel together. Throws {@link SafetensorsError}. */
export function checkedTensors(tensors: Iterable<Tensor>): NamedTensor[] {
  const seen = new Set<string>();
  return Array.from(tensors, (tensor) => {
    const { name, shape, data } = tensor;
    if (seen.has(name))
      throw new SafetensorsError('duplicate-name', `Two tensors are named "${name}".`, name);
    seen.add(name);
    const count = elementCount(shape);
    if (count === undefined) {
      throw new SafetensorsError(
        'invalid-shape',
        `Tensor "${name}" has the shape [${shape.join(', ')}]; whole numbers whose product is below 2^53 are expected.`,
        name,
      );
    }
    if (count !== data.length) {
      throw new SafetensorsError(
        'wrong-length',
        `Tensor "${name}" has ${data.length} values; its shape [${shape.join(', ')}] wants ${count}.`,
        name,
      );
    }
    return { tensor, name: encodeName(name) };
  });
}

function encodeName(name: string): Uint8Array {
  if (reservedNames.includes(name)) {
    throw new SafetensorsError('invalid-name', `"${name}" is reserved; give the tensor another name.`, name);
  }
  try {
    return utf8Encode(name);
  } catch (error) {
    if (!(error instanceof EncodingError)) throw error;
    throw new SafetensorsError('invalid-name', `A tensor's name cannot be written: ${error.message}`, name);
  }
}

function writeMetadata(metadata: Readonly<Record<string, string>>): string {
  const members = Object.entries(metadata).map(([key, value]) => {
    const text = `${JSON.stringify(key)}:${JSON.stringify(value)}`;
    if (key === '__proto__' || !isWellFormed(key) || !isWellFormed(value)) {
      throw new SafetensorsError(
        'invalid-metadata',
        `The metadata ${text} cannot be written; rename or re-encode it.`,
      );
    }
    return { text, key: utf8Encode(key) };
  });
  members.sort((left, right) => compareBytes(left.key, right.key));
  return `{${members.map(({ text }) => text).join(',')}}`;
}
