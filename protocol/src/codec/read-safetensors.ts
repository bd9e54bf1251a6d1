import { EncodingError } from './encoding-error.ts';
import { repeatedMember } from './repeated-member.ts';
import { SafetensorsError } from './safetensors-error.ts';
import { arrayTypes, elementCount, widthOf, type Dtype, type Tensor } from './tensor.ts';
import { isWellFormed, utf8Decode } from './utf8.ts';
import { headerUnit, reservedNames } from './write-safetensors.ts';

export interface SafetensorsLimits {
  /** Longest header that is parsed; 1 MiB unless given. */
  maxHeaderBytes?: number;
  /** Most tensors; as many as the header names unless given. */
  maxTensors?: number;
}

export interface SafetensorsFile {
  /** By name, in the order of their bytes. */
  tensors: Map<string, Tensor>;
  metadata: Readonly<Record<string, string>> | undefined;
}

interface Entry {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: number[];
  readonly begin: number;
  readonly end: number;
}

/**
 * Reads a safetensors file that may come from anyone: every byte must be accounted for exactly once. Values that lie
 * aligned in memory are views of `bytes`; the others are copied.
 *
 * Throws {@link SafetensorsError} and nothing else, whatever the bytes.
 */
export function readSafetensors(bytes: Uint8Array, limits: SafetensorsLimits = {}): SafetensorsFile {
  const { maxHeaderBytes = 2 ** 20, maxTensors = Number.POSITIVE_INFINITY } = limits;
  const start = headerUnit + headerLength(bytes, maxHeaderBytes);
  const { __metadata__: metadata, ...members } = parseHeader(bytes.subarray(headerUnit, start));
  const names = Object.keys(members);
  if (names.length > maxTensors) {
    throw new SafetensorsError(
      'too-many-tensors',
      `The file holds ${names.length} tensors; at most ${maxTensors} are expected.`,
    );
  }
  const entries = names.map((name) => readEntry(name, members[name]));
  entries.sort((left, right) => left.begin - right.begin || left.end - right.end);
  checkCoverage(entries, bytes.length - start);
  return {
    tensors: new Map(entries.map((entry) => [entry.name, tensorAt(entry, bytes, start)])),
    metadata: metadata === undefined ? undefined : readMetadata(metadata),
  };
}

function headerLength(bytes: Uint8Array, maxHeaderBytes: number): number {
  if (bytes.length < headerUnit) {
    throw new SafetensorsError(
      'header-truncated',
      `The file has ${bytes.length} bytes; the header's length alone takes 8.`,
    );
  }
  const length = new DataView(bytes.buffer, bytes.byteOffset, headerUnit).getBigUint64(0, true);
  if (length > BigInt(maxHeaderBytes)) {
    throw new SafetensorsError(
      'header-too-large',
      `The header claims ${length.toString()} bytes; at most ${maxHeaderBytes} are read.`,
    );
  }
  if (length > BigInt(bytes.length - headerUnit)) {
    throw new SafetensorsError(
      'header-truncated',
      `The header claims ${length.toString()} bytes; the file has ${bytes.length - headerUnit} after its length.`,
    );
  }
  return Number(length);
}

function parseHeader(bytes: Uint8Array): Record<string, unknown> {
  const text = decodeHeader(bytes);
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch {
    throw new SafetensorsError('header-not-json', 'The header is not JSON.');
  }
  if (!isObject(header) || !text.startsWith('{')) {
    throw new SafetensorsError(
      'header-not-object',
      'The header is JSON, but not an object that starts at its first byte.',
    );
  }
  const repeated = repeatedMember(text);
  if (repeated !== undefined) {
    throw new SafetensorsError(
      'duplicate-name',
      `The header has the name "${repeated}" twice in one object.`,
      repeated,
    );
  }
  return header;
}

function decodeHeader(bytes: Uint8Array): string {
  try {
    return utf8Decode(bytes);
  } catch (error) {
    if (!(error instanceof EncodingError)) throw error;
    throw new SafetensorsError('header-not-utf8', `The header is not text: ${error.message}`);
  }
}

function readEntry(name: string, value: unknown): Entry {
  if (reservedNames.includes(name) || !isWellFormed(name)) {
    throw new SafetensorsError('invalid-name', `A tensor cannot be named ${JSON.stringify(name)}.`, name);
  }
  if (!isObject(value) || Object.keys(value).length !== 3) {
    throw new SafetensorsError(
      'invalid-entry',
      `Tensor "${name}" is not described by dtype, shape and data_offsets.`,
      name,
    );
  }
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== 'string' || !isDtype(dtype)) {
    throw new SafetensorsError(
      'unknown-dtype',
      `Tensor "${name}" has the dtype ${JSON.stringify(dtype)}; known are ${Object.keys(arrayTypes).join(', ')}.`,
      name,
    );
  }
  const count = Array.isArray(shape) ? elementCount(shape) : undefined;
  const length = (count ?? Number.NaN) * widthOf(dtype);
  if (!Number.isSafeInteger(length)) {
    throw new SafetensorsError(
      'invalid-shape',
      `Tensor "${name}" has no usable shape; whole numbers are expected whose product in bytes is below 2^53.`,
      name,
    );
  }
  const [begin, end, ...more] = Array.isArray(offsets) ? (offsets as unknown[]) : [];
  if (!isOffset(begin) || !isOffset(end) || end < begin || more.length > 0) {
    throw new SafetensorsError(
      'invalid-offsets',
      `Tensor "${name}" has no usable data_offsets; [begin, end] with begin <= end is expected.`,
      name,
    );
  }
  if (end - begin !== length) {
    throw new SafetensorsError(
      'wrong-length',
      `Tensor "${name}" spans ${end - begin} bytes; its shape and dtype want ${length}.`,
      name,
    );
  }
  return { name, dtype, shape: shape as number[], begin, end }; // elementCount checked every dimension
}

/** Entries, sorted by where they begin, must cover `length` bytes exactly once. */
function checkCoverage(entries: readonly Entry[], length: number): void {
  let covered = 0;
  for (const { name, begin, end } of entries) {
    if (begin > covered) {
      throw new SafetensorsError(
        'gap',
        `Bytes ${covered} to ${begin}, before tensor "${name}", belong to no tensor.`,
        name,
      );
    }
    if (begin < covered) {
      throw new SafetensorsError(
        'overlap',
        `Tensor "${name}" begins at byte ${begin}, inside the one before it.`,
        name,
      );
    }
    if (end > length) {
      throw new SafetensorsError(
        'data-truncated',
        `Tensor "${name}" ends at byte ${end}; the file has ${length} of values.`,
        name,
      );
    }
    covered = end;
  }
  if (covered < length) {
    throw new SafetensorsError(
      'trailing-bytes',
      `The last ${length - covered} bytes of the file belong to no tensor.`,
    );
  }
}

function tensorAt({ name, dtype, shape, begin, end }: Entry, bytes: Uint8Array, start: number): Tensor {
  const width = widthOf(dtype);
  const aligned = (bytes.byteOffset + start + begin) % width === 0;
  const memory = aligned
    ? bytes.subarray(start + begin, start + end)
    : bytes.slice(start + begin, start + end);
  const data = new arrayTypes[dtype](memory.buffer as ArrayBuffer, memory.byteOffset, (end - begin) / width); // or shared
  return { name, dtype, shape, data } as Tensor; // the array type is that of the dtype
}

function readMetadata(value: unknown): Record<string, string> {
  if (!isObject(value))
    throw new SafetensorsError('invalid-metadata', 'The metadata is not an object of texts.');
  for (const [key, text] of Object.entries(value)) {
    if (key === '__proto__' || typeof text !== 'string') {
      throw new SafetensorsError(
        'invalid-metadata',
        `The metadata "${key}" is not a text under a usable name.`,
      );
    }
  }
  return value as Record<string, string>; // every value was just checked
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isDtype(text: string): text is Dtype {
  return Object.hasOwn(arrayTypes, text);
}

function isOffset(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
