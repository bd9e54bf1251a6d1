import type { Pack } from './fedpack.ts';
import { PackError } from './pack-error.ts';
import type { PackArray, PackUser } from './pack-index.ts';
import { quoted, quotedList } from './quoted.ts';

/** What one person has to learn from. */
export interface Examples {
  /** Values, row-major: `count` rows of `inputShape`. */
  readonly x: Float32Array;
  /** Class codes, one a row. */
  readonly y: Int32Array;
  readonly count: number;
  /**
   * Which recording each row comes from, 0, 1, 2 … in order; only where the pack has a `group` array. Windows of one
   * recording overlap, so support and query must be cut between recordings.
   */
  readonly recording?: Int32Array;
}

export interface FeatureChoice {
  /** The array to learn from; without it the first feature array of the pack. */
  readonly array?: string;
}

/** One of several parts into which a user's labelled rows are dealt, like cards: rows `at`, `at + of`, `at + 2 of` … */
export interface Part {
  readonly at: number;
  readonly of: number;
}

/**
 * One user's labelled rows, or a part of them, in the order of the pack. Rows that nobody labelled are left out.
 * @throws PackError `pack-unknown-user`, `pack-no-labels`, `pack-no-features`, `pack-unknown-array` or `pack-not-finite`.
 */
export function examplesOf(
  pack: Pack,
  userId: string,
  choice: FeatureChoice & { readonly part?: Part } = {},
): Examples {
  const user = pack.user(userId);
  classesOf(pack);
  const features = featureArray(pack, choice);
  const codes = Int32Array.from(pack.stored(pack.array('y'), user.offset, user.count));
  const { at, of } = choice.part ?? { at: 0, of: 1 };
  const rows = [...codes.keys()]
    .filter((row) => codes[row] !== pack.unlabelled)
    .filter((_, i) => i % of === at);
  const x = rowsOf(pack, features, user, rows);
  if (!x.every(Number.isFinite))
    throw new PackError(
      'pack-not-finite',
      pack.path,
      `user ${quoted(userId)} has NaN or infinity in array ${quoted(features.name)}; expected finite values. Leave such rows out of the pack.`,
    );
  const y = Int32Array.from(rows, (row) => codes[row]!);
  const group = pack.arrays.get('group');
  if (group === undefined || !pack.isRowAligned(group)) return { x, y, count: rows.length };
  const groups = pack.stored(group, user.offset, user.count);
  return { x, y, count: rows.length, recording: ranks(rows.map((row) => groups[row]!)) };
}

/** How many rows of a user have a label. @throws PackError `pack-unknown-user`, `pack-unknown-array`. */
export function labelledRows(pack: Pack, userId: string): number {
  const user = pack.user(userId);
  const codes = Int32Array.from(pack.stored(pack.array('y'), user.offset, user.count));
  return codes.filter((code) => code !== pack.unlabelled).length;
}

/** The values of some of a user's rows: all at once where they are all. */
function rowsOf(pack: Pack, features: PackArray, user: PackUser, rows: readonly number[]): Float32Array {
  if (rows.length === user.count) return pack.values(features, user.offset, user.count);
  const width = features.shape.slice(1).reduce((product, axis) => product * axis, 1);
  const x = new Float32Array(rows.length * width);
  for (const [i, row] of rows.entries()) x.set(pack.values(features, user.offset + row, 1), i * width);
  return x;
}

/**
 * The shape of one row of the features, without the row axis: `[52]`, `[64, 6]`.
 * @throws PackError `pack-no-features` or `pack-unknown-array`.
 */
export function inputShape(pack: Pack, choice: FeatureChoice = {}): readonly number[] {
  return featureArray(pack, choice).shape.slice(1);
}

/**
 * The names of the classes; a label is a place in this list.
 * @throws PackError `pack-no-labels` when the pack has no labels or no names for them.
 */
export function classesOf(pack: Pack): readonly string[] {
  const missing = [
    ...(pack.arrays.has('y') ? [] : ['an array "y" with one label a row']),
    ...(pack.classes.length > 0 ? [] : ['the names of the classes in "classes"']),
  ];
  if (missing.length === 0) return pack.classes;
  throw new PackError(
    'pack-no-labels',
    pack.path,
    `it has no labels to learn: ${missing.join(' and ')} would be needed. Choose a pack made for classification.`,
  );
}

/** The array that examples are taken from. */
export function featureArray(pack: Pack, choice: FeatureChoice): PackArray {
  const usable = pack.featureArrays();
  const names = quotedList(usable.map((array) => array.name));
  if (choice.array === undefined) {
    const first = usable[0];
    if (first !== undefined) return first;
    throw new PackError(
      'pack-no-features',
      pack.path,
      `it has no features to learn from: no array has ${pack.rows} rows with a vector, a window or an image in each. Choose another pack.`,
    );
  }
  const chosen = pack.array(choice.array);
  if (usable.includes(chosen)) return chosen;
  throw new PackError(
    'pack-no-features',
    pack.path,
    `array ${quoted(choice.array)} has shape ${chosen.shape.join(' x ')}; features need ${pack.rows} rows (those of the users) of one or more axes. Usable here: ${names}.`,
  );
}

/** Replaces numbers by their place among the different ones: 3, 3, 7 becomes 0, 0, 1. */
function ranks(values: readonly number[]): Int32Array {
  const order = [...new Set(values)].sort((a, b) => a - b);
  const rankOf = new Map(order.map((value, rank) => [value, rank]));
  return Int32Array.from(values, (value) => rankOf.get(value)!);
}
