import { createHash } from 'node:crypto';
import { storedAs, type Dtype } from './pack-index.ts';
import { quoted } from './quoted.ts';

/** A pack to be made: everything that is not derived. */
export interface PackContents {
  readonly name: string;
  readonly title: string;
  readonly classes: readonly string[];
  /** In the order of their rows; offsets and class counts are computed. Other fields are kept as they are. */
  readonly users: readonly NewUser[];
  readonly arrays: readonly NewArray[];
  /** Further fields of index.json: licence, source, citation, split rule … */
  readonly about?: Readonly<Record<string, unknown>>;
}

export interface NewUser {
  readonly id: string;
  readonly count: number;
  readonly fold?: number;
}

export interface NewArray {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** As stored: the value divided by the scale. */
  readonly values: ArrayLike<number>;
  /** Further fields of the array's entry: scale, offset, channels, units, note. */
  readonly about?: Readonly<Record<string, unknown>>;
}

/** `index.json` (before it becomes text) and the bytes of `data.bin`. */
export interface EncodedPack {
  readonly index: Readonly<Record<string, unknown>>;
  readonly data: Uint8Array;
}

/**
 * Lays arrays out one after another on 8-byte boundaries and describes them.
 * @throws RangeError when an array does not have the values of its shape, or one does not fit its dtype.
 */
export function encodePack(contents: PackContents): EncodedPack {
  const arrays: Record<string, unknown> = {};
  let end = 0;
  const parts = contents.arrays.map((array) => {
    const bytes = encodeArray(array);
    const byteOffset = Math.ceil(end / 8) * 8;
    end = byteOffset + bytes.length;
    const { dtype, shape } = array;
    arrays[array.name] = { dtype, shape, byteOffset, byteLength: bytes.length, ...array.about };
    return { byteOffset, bytes };
  });
  const data = new Uint8Array(end);
  for (const { byteOffset, bytes } of parts) data.set(bytes, byteOffset);
  return {
    index: {
      format: 'fedpack',
      version: 1,
      name: contents.name,
      title: contents.title,
      classes: contents.classes,
      ...contents.about,
      arrays,
      users: describeUsers(contents),
      files: [{ path: 'data.bin', bytes: end, sha256: createHash('sha256').update(data).digest('hex') }],
    },
    data,
  };
}

function encodeArray(array: NewArray): Uint8Array {
  const count = array.shape.reduce((product, axis) => product * axis, 1);
  if (array.values.length !== count)
    throw new RangeError(
      `Array ${quoted(array.name)} of shape ${array.shape.join(' x ')} needs ${count} values, not ${array.values.length}.`,
    );
  const stored = storedAs[array.dtype].from(array.values);
  const wrong = array.dtype.startsWith('float') ? -1 : stored.findIndex((x, i) => x !== array.values[i]);
  if (wrong >= 0)
    throw new RangeError(
      `Array ${quoted(array.name)} has ${array.values[wrong]!} at place ${wrong}, which is no ${array.dtype}. Choose a scale or a wider dtype.`,
    );
  return new Uint8Array(stored.buffer);
}

function describeUsers(contents: PackContents): readonly object[] {
  const labels = contents.arrays.find((array) => array.name === 'y');
  let offset = 0;
  return contents.users.map((user) => {
    const first = offset;
    offset += user.count;
    if (labels === undefined) return { ...user, offset: first };
    const classCounts = contents.classes.map(() => 0);
    for (let row = first; row < offset; row++) {
      const code = labels.values[row];
      if (code !== undefined && classCounts[code] !== undefined) classCounts[code]++;
    }
    return { ...user, offset: first, classCounts };
  });
}
