import { PackError } from './pack-error.ts';
import { quoted } from './quoted.ts';

/** The types that a pack may store, as the typed arrays that lie on its bytes. All are little-endian, as those are. */
export const storedAs = {
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  float32: Float32Array,
  float64: Float64Array,
} as const;
export type Dtype = keyof typeof storedAs;
export type Stored =
  Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | Uint32Array | Float32Array | Float64Array;

/** One array of a pack: where it lies in `data.bin`, and how its stored numbers become values. */
export interface PackArray {
  readonly name: string;
  readonly dtype: Dtype;
  /** The first axis counts rows. */
  readonly shape: readonly number[];
  readonly byteOffset: number;
  readonly byteLength: number;
  /** value = stored * scale + offset; one number, or one for each entry of the last axis. */
  readonly scale: readonly number[];
  readonly offset: readonly number[];
  /** What the entries of the last axis are (`ax`, `gy`), when the pack says so. */
  readonly channels?: readonly string[];
  /** The unit of every value, or one for each entry of the last axis, when the pack says so. */
  readonly units?: readonly string[];
}

/** One person: rows `offset` to `offset + count` of every row-aligned array. */
export interface PackUser {
  readonly id: string;
  readonly offset: number;
  readonly count: number;
  readonly classCounts?: readonly number[];
  readonly fold?: number;
}

/** `index.json` after its fields were checked one by one; what they say together is checked in pack-layout. */
export interface PackIndex {
  readonly name: string;
  readonly title: string;
  /** Class names in the order of their codes; empty where the pack has none. */
  readonly classes: readonly string[];
  /** The label code that means "nobody said what this is". */
  readonly unlabelled?: number;
  readonly sampleRateHz?: number;
  readonly arrays: readonly PackArray[];
  readonly users: readonly PackUser[];
  readonly data: { readonly bytes: number; readonly sha256: string };
}

type Fields = Readonly<Record<string, unknown>>;

/**
 * Checks the fields of a parsed `index.json` (fedpack, version 1). Fields that are not known are left alone.
 * @throws PackError `pack-format`, `pack-version`, `pack-field` or `pack-array-dtype`.
 */
export function parseIndex(json: unknown, path: string): PackIndex {
  if (!isFields(json) || json['format'] !== 'fedpack')
    throw new PackError(
      'pack-format',
      path,
      'index.json must be an object with "format": "fedpack". Is this the directory of a pack?',
    );
  if (json['version'] !== 1)
    throw new PackError(
      'pack-version',
      path,
      `index.json has version ${shown(json['version'])}, and this program reads version 1. Use a newer program or convert the pack.`,
    );
  const read = new FieldReader(path);
  const name = read.text(json, 'name', 'index');
  return {
    name,
    title: json['title'] === undefined ? name : read.text(json, 'title', 'index'),
    classes: json['classes'] === undefined ? [] : read.names(json, 'classes', 'index'),
    ...optional('unlabelled', json['unlabelled'], () => read.whole(json, 'unlabelled', 'index')),
    ...optional('sampleRateHz', json['sampleRateHz'], () => read.number(json, 'sampleRateHz', 'index')),
    arrays: Object.entries(read.object(json, 'arrays', 'index')).map(([key, entry]) =>
      arrayEntry(read, key, entry),
    ),
    users: read.list(json, 'users', 'index').map((entry, i) => userEntry(read, entry, `users[${i}]`)),
    data: dataFile(read, json),
  };
}

function arrayEntry(read: FieldReader, name: string, entry: unknown): PackArray {
  const where = `arrays.${quoted(name)}`;
  if (!isFields(entry)) throw read.wrong(where, 'an object', entry);
  const dtype = entry['dtype'];
  if (!isDtype(dtype))
    throw new PackError(
      'pack-array-dtype',
      read.path,
      `${where}.dtype is ${shown(dtype)}; expected one of ${Object.keys(storedAs).join(', ')}.`,
    );
  const shape = read.list(entry, 'shape', where);
  if (shape.length === 0 || !shape.every(isWhole) || shape.slice(1).includes(0))
    throw read.wrong(`${where}.shape`, 'a list of one or more whole numbers (0 for the rows only)', shape);
  return {
    name,
    dtype,
    shape,
    byteOffset: read.whole(entry, 'byteOffset', where),
    byteLength: read.whole(entry, 'byteLength', where),
    scale: entry['scale'] === undefined ? [1] : read.numbers(entry, 'scale', where),
    offset: entry['offset'] === undefined ? [0] : read.numbers(entry, 'offset', where),
    ...optional('channels', entry['channels'], () => read.names(entry, 'channels', where)),
    ...optional('units', entry['units'], () => read.texts(entry, 'units', where)),
  };
}

function userEntry(read: FieldReader, entry: unknown, where: string): PackUser {
  if (!isFields(entry)) throw read.wrong(where, 'an object', entry);
  return {
    id: read.text(entry, 'id', where),
    offset: read.whole(entry, 'offset', where),
    count: read.whole(entry, 'count', where),
    ...optional('fold', entry['fold'], () => read.whole(entry, 'fold', where)),
    ...optional('classCounts', entry['classCounts'], () => {
      const counts = read.list(entry, 'classCounts', where);
      if (counts.every(isWhole)) return counts;
      throw read.wrong(`${where}.classCounts`, 'a list of whole numbers', counts);
    }),
  };
}

/** The entry of `files[]` for data.bin. Other files of a pack (its README) are for people and not read. */
function dataFile(read: FieldReader, json: Fields): PackIndex['data'] {
  const entries = read
    .list(json, 'files', 'index')
    .filter((entry) => isFields(entry) && entry['path'] === 'data.bin');
  const entry = entries[0];
  if (entries.length !== 1 || !isFields(entry))
    throw new PackError(
      'pack-field',
      read.path,
      `index.files lists data.bin ${entries.length} times; expected one entry with its path, bytes and sha256.`,
    );
  const sha256 = read.text(entry, 'sha256', 'files[data.bin]');
  if (!/^[0-9a-f]{64}$/.test(sha256))
    throw read.wrong('files[data.bin].sha256', '64 lower-case hexadecimal digits', sha256);
  return { bytes: read.whole(entry, 'bytes', 'files[data.bin]'), sha256 };
}

/** Reads one field of one object, or says which field of which object is wrong. */
class FieldReader {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  wrong(where: string, expected: string, value: unknown): PackError {
    return new PackError(
      'pack-field',
      this.path,
      `${where} must be ${expected}, and is ${shown(value)}. Correct index.json or fetch the pack again.`,
    );
  }

  text(fields: Fields, key: string, where: string): string {
    const value = fields[key];
    if (typeof value === 'string' && value.length > 0 && value.length <= 500) return value;
    throw this.wrong(`${where}.${key}`, 'a text of 1 to 500 characters', value);
  }

  whole(fields: Fields, key: string, where: string): number {
    const value = fields[key];
    if (isWhole(value)) return value;
    throw this.wrong(`${where}.${key}`, 'a whole number, zero or more', value);
  }

  number(fields: Fields, key: string, where: string): number {
    const value = fields[key];
    if (isFiniteNumber(value)) return value;
    throw this.wrong(`${where}.${key}`, 'a number', value);
  }

  /** One number or a list of them, as a list. */
  numbers(fields: Fields, key: string, where: string): readonly number[] {
    const value = fields[key];
    const list: readonly unknown[] = Array.isArray(value) ? value : [value];
    if (list.length > 0 && list.every(isFiniteNumber)) return list;
    throw this.wrong(`${where}.${key}`, 'a number or a list of numbers', value);
  }

  /** Different, non-empty texts. */
  names(fields: Fields, key: string, where: string): readonly string[] {
    const list = this.list(fields, key, where);
    const isName = (entry: unknown): entry is string => typeof entry === 'string' && entry.length > 0;
    if (list.every(isName) && new Set(list).size === list.length) return list;
    throw this.wrong(`${where}.${key}`, 'a list of different, non-empty texts', list);
  }

  /** One text or a list of them, as a list. */
  texts(fields: Fields, key: string, where: string): readonly string[] {
    const value = fields[key];
    const list: readonly unknown[] = Array.isArray(value) ? value : [value];
    if (list.length > 0 && list.every((entry) => typeof entry === 'string')) return list;
    throw this.wrong(`${where}.${key}`, 'a text or a list of texts', value);
  }

  list(fields: Fields, key: string, where: string): readonly unknown[] {
    const value = fields[key];
    if (Array.isArray(value)) return value;
    throw this.wrong(`${where}.${key}`, 'a list', value);
  }

  object(fields: Fields, key: string, where: string): Fields {
    const value = fields[key];
    if (isFields(value)) return value;
    throw this.wrong(`${where}.${key}`, 'an object', value);
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isDtype(value: unknown): value is Dtype {
  return typeof value === 'string' && Object.hasOwn(storedAs, value);
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isFiniteNumber(value: unknown): value is number {
  return Number.isFinite(value);
}

function optional<Key extends string, Value>(
  key: Key,
  raw: unknown,
  read: () => Value,
): Partial<Record<Key, Value>> {
  return raw === undefined ? {} : ({ [key]: read() } as Partial<Record<Key, Value>>); // the key is the one given
}

function shown(value: unknown): string {
  if (value === undefined) return 'missing';
  if (typeof value === 'string') return quoted(value);
  return quoted(JSON.stringify(value)).slice(1, -1);
}
