import { PackError } from './pack-error.ts';
import { storedAs, type PackArray, type PackIndex } from './pack-index.ts';
import { quoted } from './quoted.ts';

/** How many rows the users of a pack have together. */
export function rowTotal(index: PackIndex): number {
  return index.users.reduce((total, user) => total + user.count, 0);
}

/**
 * Checks that arrays lie inside the file without sharing bytes, and that users follow one another and cover all rows.
 * @throws PackError with the code of the first rule that is broken.
 */
export function checkLayout(index: PackIndex, path: string): void {
  for (const array of index.arrays) checkArray(array, index.data.bytes, path);
  checkOverlap(index.arrays, path);
  checkUsers(index, path);
}

function checkArray(array: PackArray, fileBytes: number, path: string): void {
  const name = quoted(array.name);
  const width = storedAs[array.dtype].BYTES_PER_ELEMENT;
  const expected = array.shape.reduce((product, axis) => product * axis, width);
  if (array.byteOffset % 8 !== 0)
    throw new PackError(
      'pack-array-alignment',
      path,
      `array ${name} begins at byte ${array.byteOffset}; expected a multiple of 8. Write the pack again with padding between arrays.`,
    );
  if (array.byteLength !== expected)
    throw new PackError(
      'pack-array-length',
      path,
      `array ${name} has ${array.byteLength} bytes; shape ${array.shape.join(' x ')} of ${array.dtype} needs ${expected}. Correct its shape, dtype or byteLength.`,
    );
  if (array.byteOffset + array.byteLength > fileBytes)
    throw new PackError(
      'pack-array-bounds',
      path,
      `array ${name} ends at byte ${array.byteOffset + array.byteLength}, and data.bin has ${fileBytes}. Fetch the pack again.`,
    );
  const lastAxis = array.shape.slice(1).at(-1) ?? 1;
  for (const [field, list] of [
    ['scale', array.scale],
    ['offset', array.offset],
    ['channels', array.channels ?? []],
  ] as const)
    if (list.length > 1 && list.length !== lastAxis)
      throw new PackError(
        'pack-array-scale',
        path,
        `array ${name} has ${list.length} entries in ${field}, and its rows have ${lastAxis} on their last axis. Give one for all or one for each.`,
      );
}

function checkOverlap(arrays: readonly PackArray[], path: string): void {
  const inOrder = arrays.filter((a) => a.byteLength > 0).sort((a, b) => a.byteOffset - b.byteOffset);
  inOrder.forEach((array, i) => {
    const before = inOrder[i - 1];
    if (before !== undefined && before.byteOffset + before.byteLength > array.byteOffset)
      throw new PackError(
        'pack-array-overlap',
        path,
        `arrays ${quoted(before.name)} and ${quoted(array.name)} share bytes; expected each on bytes of its own. Correct byteOffset.`,
      );
  });
}

function checkUsers(index: PackIndex, path: string): void {
  const seen = new Set<string>();
  let next = 0;
  for (const user of index.users) {
    if (seen.has(user.id))
      throw new PackError(
        'pack-user-duplicate',
        path,
        `user ${quoted(user.id)} is listed twice; expected each person once. Give every user an id of its own.`,
      );
    seen.add(user.id);
    if (user.offset !== next)
      throw new PackError(
        'pack-user-rows',
        path,
        `user ${quoted(user.id)} begins at row ${user.offset}; expected row ${next}, where the user before ends. List users in the order of their rows.`,
      );
    next += user.count;
  }
  const labels = index.arrays.find((array) => array.name === 'y');
  const rows = labels?.shape[0];
  if (rows !== undefined && rows !== next)
    throw new PackError(
      'pack-user-rows',
      path,
      `the users have ${next} rows together, and "y" has ${rows}; expected every row to belong to one user. Correct users[].`,
    );
  if (labels === undefined && !index.arrays.some((array) => array.shape[0] === next))
    throw new PackError(
      'pack-user-rows',
      path,
      `the users have ${next} rows together, and no array has as many; expected one array at least whose first axis is the users' rows. Correct users[].`,
    );
}
