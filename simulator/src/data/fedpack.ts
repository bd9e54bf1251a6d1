/**
 * fedpack, version 1: the data of many people in two files. `data.bin` holds little-endian arrays, `index.json` says
 * what is where and which rows are whose. Everything is checked once, when a pack is opened; after that it is trusted.
 */
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PackError } from './pack-error.ts';
import {
  parseIndex,
  storedAs,
  type PackArray,
  type PackIndex,
  type PackUser,
  type Stored,
} from './pack-index.ts';
import { checkLayout, rowTotal } from './pack-layout.ts';
import { quoted, quotedList } from './quoted.ts';

const maxIndexBytes = 64 * 2 ** 20;
/** What one read of a file can return. */
const maxDataBytes = 2 ** 31 - 1;

export type PackParts = readonly [index: PackIndex, data: SharedArrayBuffer, path: string];

/** An opened pack: people, arrays, and the numbers behind them. */
export class Pack {
  /** The directory it was read from, or `memory:NAME`. */
  readonly path: string;
  readonly name: string;
  readonly title: string;
  readonly classes: readonly string[];
  readonly unlabelled: number | undefined;
  readonly sampleRateHz: number | undefined;
  readonly users: readonly PackUser[];
  readonly arrays: ReadonlyMap<string, PackArray>;
  /** Rows of all users together: the first axis of every row-aligned array. */
  readonly rows: number;
  /** SHA-256 of data.bin, in hexadecimal. */
  readonly sha256: string;
  readonly #usersById: ReadonlyMap<string, PackUser>;
  readonly #index: PackIndex;
  readonly #data: SharedArrayBuffer;

  /** Takes an index and data that were checked against each other: use `openPack` or `packFrom`. */
  constructor(index: PackIndex, data: SharedArrayBuffer, path: string) {
    this.#index = index;
    this.path = path;
    this.name = index.name;
    this.title = index.title;
    this.classes = index.classes;
    this.unlabelled = index.unlabelled;
    this.sampleRateHz = index.sampleRateHz;
    this.users = index.users;
    this.arrays = new Map(index.arrays.map((array) => [array.name, array]));
    this.rows = rowTotal(index);
    this.sha256 = index.data.sha256;
    this.#usersById = new Map(index.users.map((user) => [user.id, user]));
    this.#data = data;
  }

  /** What the constructor takes, for another thread: the numbers are not copied on the way. */
  get parts(): PackParts {
    return [this.#index, this.#data, this.path];
  }

  /** @throws PackError `pack-unknown-user`. */
  user(id: string): PackUser {
    const user = this.#usersById.get(id);
    if (user !== undefined) return user;
    throw new PackError(
      'pack-unknown-user',
      this.path,
      `there is no user ${quoted(id)}; it has ${quotedList(this.users.map((other) => other.id))}.`,
    );
  }

  /** @throws PackError `pack-unknown-array`. */
  array(name: string): PackArray {
    const array = this.arrays.get(name);
    if (array !== undefined) return array;
    throw new PackError(
      'pack-unknown-array',
      this.path,
      `there is no array ${quoted(name)}; it has ${quotedList([...this.arrays.keys()])}.`,
    );
  }

  /** Whether row r of an array belongs to the user who has row r. */
  isRowAligned(array: PackArray): boolean {
    return array.shape[0] === this.rows;
  }

  /**
   * The arrays that a model can learn from, in the order of the index: row-aligned, with a vector, a window or an
   * image in each row. (Labels and book-keeping have one number a row.)
   */
  featureArrays(): readonly PackArray[] {
    return [...this.arrays.values()].filter((array) => this.isRowAligned(array) && array.shape.length >= 2);
  }

  /** The numbers of some rows as they lie in the file: a view, not a copy. Rows must be inside the array. */
  stored(array: PackArray, firstRow: number, rows: number): Stored {
    const width = array.shape.slice(1).reduce((product, axis) => product * axis, 1);
    const { BYTES_PER_ELEMENT: bytes } = storedAs[array.dtype];
    const view: new (data: ArrayBufferLike, offset: number, length: number) => Stored = storedAs[array.dtype];
    return new view(this.#data, array.byteOffset + firstRow * width * bytes, rows * width);
  }

  /** The values of some rows, row-major: stored * scale + offset, computed in float64 and rounded once. */
  values(array: PackArray, firstRow: number, rows: number): Float32Array {
    const stored = this.stored(array, firstRow, rows);
    const values = new Float32Array(stored.length);
    const { scale, offset } = array;
    for (let i = 0; i < values.length; i++)
      values[i] = stored[i]! * scale[i % scale.length]! + offset[i % offset.length]!;
    return values;
  }
}

/**
 * Reads the pack in a directory and checks everything that it says about itself.
 * @throws PackError, with the code of the first thing that is wrong.
 */
export async function openPack(directory: string): Promise<Pack> {
  const index = parseJson(await readPackFile(directory, 'index.json', maxIndexBytes), directory);
  return packFrom(index, await readPackFile(directory, 'data.bin', maxDataBytes), directory);
}

/**
 * A pack from a parsed `index.json` and the bytes of `data.bin`, with the same checks as one on disk.
 * @throws PackError, with the code of the first thing that is wrong.
 */
export function packFrom(index: unknown, data: Uint8Array, path: string): Pack {
  const parsed = parseIndex(index, path);
  if (data.length !== parsed.data.bytes)
    throw new PackError(
      'pack-file-size',
      path,
      `data.bin has ${data.length} bytes; index.json says ${parsed.data.bytes}. The copy is incomplete: fetch the pack again.`,
    );
  const sha256 = createHash('sha256').update(data).digest('hex');
  if (sha256 !== parsed.data.sha256)
    throw new PackError(
      'pack-file-digest',
      path,
      `data.bin has SHA-256 ${sha256}; index.json says ${parsed.data.sha256}. The file was changed or damaged: fetch the pack again.`,
    );
  checkLayout(parsed, path);
  const ownBuffer = new SharedArrayBuffer(data.length); // at offset 0, so that typed arrays can lie on it
  new Uint8Array(ownBuffer).set(data);
  const pack = new Pack(parsed, ownBuffer, path);
  checkLabels(pack);
  return pack;
}

/** Labels are codes of `classes` (or the code for unlabelled), and every user has as many of each as it claims. */
function checkLabels(pack: Pack): void {
  const labels = pack.arrays.get('y');
  if (labels !== undefined && (labels.shape.length !== 1 || labels.dtype.startsWith('float')))
    throw new PackError(
      'pack-label',
      pack.path,
      'labels "y" must be one whole number a row. Write class codes as uint8 or uint16.',
    );
  for (const user of pack.users) {
    const codes = labels === undefined ? [] : pack.stored(labels, user.offset, user.count);
    const counts = new Array<number>(pack.classes.length).fill(0);
    for (const code of codes) {
      if (code === pack.unlabelled || pack.classes.length === 0) continue;
      if (counts[code] === undefined)
        throw new PackError(
          'pack-label',
          pack.path,
          `user ${quoted(user.id)} has a row labelled ${code}; expected a code from 0 to ${pack.classes.length - 1}. Correct "y" or list the class.`,
        );
      counts[code]++;
    }
    if (user.classCounts !== undefined && user.classCounts.join() !== counts.join())
      throw new PackError(
        'pack-class-counts',
        pack.path,
        `user ${quoted(user.id)} claims ${user.classCounts.join(', ')} rows of each class; "y" has ${counts.join(', ') || 'none'}. Correct classCounts, the user's rows or "y".`,
      );
  }
}

function parseJson(bytes: Uint8Array, directory: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new PackError(
      'pack-index-unreadable',
      directory,
      `index.json is not JSON in UTF-8 (${quoted((error as Error).message)}). Fetch the pack again.`,
    );
  }
}

async function readPackFile(directory: string, file: string, maxBytes: number): Promise<Uint8Array> {
  const path = join(directory, file);
  try {
    const { size } = await stat(path);
    if (size > maxBytes)
      throw new PackError(
        'pack-file-size',
        directory,
        `${file} has ${size} bytes; expected at most ${maxBytes}. Split the data into several packs.`,
      );
    return await readFile(path);
  } catch (error) {
    if (error instanceof PackError) throw error;
    throw new PackError(
      'pack-missing',
      directory,
      `${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown reason'}); expected a directory with index.json and data.bin. Check the path.`,
    );
  }
}
