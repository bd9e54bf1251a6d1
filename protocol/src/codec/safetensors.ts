import { utf8Decode, utf8Encode } from './bytes.ts';
import { Sha256Hasher, type Sha256 } from './digest.ts';

/** safetensors: u64 header length, JSON header, data; little-endian throughout. */
const views = {
  F64: Float64Array,
  I64: BigInt64Array,
  U64: BigUint64Array,
  F32: Float32Array,
  I32: Int32Array,
  U32: Uint32Array,
  F16: Uint16Array,
  BF16: Uint16Array,
  I16: Int16Array,
  U16: Uint16Array,
  I8: Int8Array,
  U8: Uint8Array,
  BOOL: Uint8Array,
} as const;

export type Dtype = keyof typeof views;
export type TensorData =
  | Float64Array
  | BigInt64Array
  | BigUint64Array
  | Float32Array
  | Int32Array
  | Uint32Array
  | Uint16Array
  | Int16Array
  | Int8Array
  | Uint8Array;

export interface Tensor {
  name: string;
  dtype: Dtype;
  shape: number[];
  /** Row-major values; F16 and BF16 as their 16 bits. */
  data: TensorData;
}

export type SafetensorsProblem =
  | 'header-too-large'
  | 'header-malformed'
  | 'entry-malformed'
  | 'layout'
  | 'too-many-tensors'
  | 'tensor-malformed';

/** A file that is not safetensors, or tensors that do not make one. */
export class SafetensorsError extends Error {
  override readonly name = 'SafetensorsError';
  readonly code: SafetensorsProblem;
  readonly tensor: string | undefined;

  constructor(code: SafetensorsProblem, message: string, tensor?: string) {
    super(tensor === undefined ? message : `Tensor ${JSON.stringify(tensor)}: ${message}`);
    this.code = code;
    this.tensor = tensor;
  }
}

const metadataName = '__metadata__';

/**
 * Writes tensors in canonical order (wider dtypes first, then by name), so the same tensors give the same bytes.
 * The header is padded with spaces to a multiple of 8. Throws {@link SafetensorsError}.
 */
export function writeSafetensors(tensors: readonly Tensor[], metadata?: Record<string, string>): Uint8Array {
  const sorted = [...tensors].sort(
    (a, b) => width(b.dtype) - width(a.dtype) || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0),
  );
  const header: Record<string, unknown> = metadata ? { [metadataName]: metadata } : {};
  let offset = 0;
  for (const { name, dtype, shape, data } of sorted) {
    if (name === '__proto__' || name === metadataName || Object.hasOwn(header, name)) {
      throw new SafetensorsError('tensor-malformed', 'the name is reserved or used twice', name);
    }
    const wanted = elements(shape, name) * width(dtype);
    if (data.byteLength !== wanted) {
      throw new SafetensorsError(
        'tensor-malformed',
        `has ${data.byteLength} bytes; its shape wants ${wanted}`,
        name,
      );
    }
    header[name] = { dtype, shape, data_offsets: [offset, offset + wanted] };
    offset += wanted;
  }
  const text = utf8Encode(JSON.stringify(header));
  const start = 8 + Math.ceil(text.length / 8) * 8;
  const file = new Uint8Array(start + offset).fill(0x20, 8, start);
  new DataView(file.buffer).setBigUint64(0, BigInt(start - 8), true);
  file.set(text, 8);
  let place = start;
  for (const { data } of sorted) {
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), place);
    place += data.byteLength;
  }
  return file;
}

export interface ReadLimits {
  maxHeaderBytes?: number;
  maxTensors?: number;
}

interface Entry {
  name: string;
  dtype: Dtype;
  shape: number[];
  start: number;
  end: number;
}

/**
 * Reads a file whose tensors lie one behind another without gap, overlap or rest, as the format demands. Data are
 * copied, so they never alias the file. Throws {@link SafetensorsError} on everything else.
 */
export function readSafetensors(
  file: Uint8Array,
  { maxHeaderBytes = 1 << 20, maxTensors = 65_536 }: ReadLimits = {},
): { tensors: Map<string, Tensor>; metadata: Record<string, string> | undefined } {
  if (file.length < 8)
    throw new SafetensorsError(
      'header-malformed',
      `The file has ${file.length} bytes; at least 8 were expected.`,
    );
  const declared = new DataView(file.buffer, file.byteOffset, 8).getBigUint64(0, true);
  if (declared > BigInt(maxHeaderBytes)) {
    throw new SafetensorsError(
      'header-too-large',
      `The header declares ${declared} bytes; at most ${maxHeaderBytes} are accepted.`,
    );
  }
  const start = 8 + Number(declared);
  if (start > file.length)
    throw new SafetensorsError('header-malformed', 'The header reaches past the end of the file.');
  const { entries, metadata } = readHeader(file.subarray(8, start));
  if (entries.length > maxTensors) {
    throw new SafetensorsError(
      'too-many-tensors',
      `The file has ${entries.length} tensors; at most ${maxTensors} are accepted.`,
    );
  }
  const tensors = new Map<string, Tensor>();
  let covered = 0;
  for (const { name, dtype, shape, start: from, end } of entries.sort(
    (a, b) => a.start - b.start || a.end - b.end,
  )) {
    if (from !== covered)
      throw new SafetensorsError('layout', `starts at ${from}; the data before end at ${covered}`, name);
    const wanted = elements(shape, name) * width(dtype);
    if (end - from !== wanted)
      throw new SafetensorsError('layout', `has ${end - from} bytes; its shape wants ${wanted}`, name);
    if (start + end > file.length)
      throw new SafetensorsError('layout', 'reaches past the end of the file', name);
    const copy = file.slice(start + from, start + end);
    tensors.set(name, { name, dtype, shape, data: new views[dtype](copy.buffer) });
    covered = end;
  }
  if (start + covered !== file.length) {
    throw new SafetensorsError(
      'layout',
      `The file has ${file.length - start - covered} bytes after its last tensor.`,
    );
  }
  return { tensors, metadata };
}

/**
 * Digest of a set of tensors, whatever the order and metadata of their file: SHA-256 over the tensors by name, each
 * as one line of JSON [name, dtype, shape] in UTF-8, a line feed, and its bytes (whose number the line implies).
 */
export function digestTensors(tensors: Iterable<Tensor>): Sha256 {
  const hasher = new Sha256Hasher();
  for (const { name, dtype, shape, data } of [...tensors].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    hasher.update(utf8Encode(`${JSON.stringify([name, dtype, shape])}\n`));
    hasher.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hasher.digest();
}

function readHeader(bytes: Uint8Array): { entries: Entry[]; metadata: Record<string, string> | undefined } {
  let header: unknown;
  let text: string;
  try {
    text = utf8Decode(bytes);
    header = JSON.parse(text);
  } catch {
    throw new SafetensorsError('header-malformed', 'The header is not JSON in UTF-8.');
  }
  if (!isObject(header)) throw new SafetensorsError('header-malformed', 'The header is not a JSON object.');
  const names = Object.keys(header);
  if (topLevelNames(text) !== names.length || Object.hasOwn(header, '__proto__')) {
    throw new SafetensorsError('header-malformed', 'The header names a tensor twice, or "__proto__".');
  }
  const metadata = header[metadataName];
  if (
    metadata !== undefined &&
    !(isObject(metadata) && Object.values(metadata).every((value) => typeof value === 'string'))
  ) {
    throw new SafetensorsError('header-malformed', 'The metadata are not an object of strings.');
  }
  const entries = names.filter((name) => name !== metadataName).map((name) => readEntry(name, header[name]));
  return { entries, metadata: metadata as Record<string, string> | undefined };
}

function readEntry(name: string, entry: unknown): Entry {
  const malformed = (what: string) => new SafetensorsError('entry-malformed', what, name);
  if (!isObject(entry)) throw malformed('its header entry is not an object');
  const { dtype, shape, data_offsets: offsets, ...rest } = entry;
  if (Object.keys(rest).length > 0) throw malformed('its header entry has unknown members');
  if (typeof dtype !== 'string' || !Object.hasOwn(views, dtype)) throw malformed('its dtype is unknown');
  if (!isCounts(shape) || shape.length > 16) throw malformed('its shape is not a list of whole numbers');
  if (!isCounts(offsets) || offsets.length !== 2) throw malformed('its offsets are not two whole numbers');
  const [start = 0, end = 0] = offsets;
  if (end < start) throw malformed('its offsets are out of order');
  return { name, dtype: dtype as Dtype, shape, start, end };
}

/** How many members the outermost object of this JSON text has; JSON.parse hides repeated ones. */
function topLevelNames(json: string): number {
  let depth = 0;
  let count = 0;
  for (let index = 0; index < json.length; index++) {
    const character = json[index];
    if (character === '"') {
      for (index++; json[index] !== '"'; index++) if (json[index] === '\\') index++;
    } else if (character === '{' || character === '[') depth++;
    else if (character === '}' || character === ']') depth--;
    else if (character === ':' && depth === 1) count++;
  }
  return count;
}

function elements(shape: readonly number[], name: string): number {
  const count = shape.reduce((product, size) => product * size, 1);
  if (!isCounts(shape) || !Number.isSafeInteger(count * 8)) {
    throw new SafetensorsError('entry-malformed', `its shape [${shape.join(', ')}] is too large`, name);
  }
  return count;
}

function width(dtype: Dtype): number {
  return views[dtype].BYTES_PER_ELEMENT;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);
}
