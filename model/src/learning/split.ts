import type { Model } from '../ir/model.ts';
import { ExamplesMismatch } from '../program/errors.ts';
import type { Examples } from '../program/program.ts';

/** From here on a person's rows are query, whatever the share of the support. */
const queryFrom = 0.5;

/**
 * Cuts a person's examples into a support set to adapt on and a query set to be judged on. With recordings, recording r
 * of R is support when r / R < share and query when r / R >= 0.5; without, the same holds for the i-th of the n rows of each
 * class in stored order, or of all rows where an example has no one class. So the query is the same for every share, and overlapping windows never stand on both sides.
 * @param share - Above 0 and at most 0.5.
 * @throws RangeError For another share.
 */
export function splitSupport(
  examples: Examples,
  classes: Model | number,
  share: number,
): { support: Examples; query: Examples } {
  const { support, query } = splitRows(
    examples,
    typeof classes === 'number' ? classes : strataOf(classes),
    share,
  );
  return { support: pick(examples, support), query: pick(examples, query) };
}

/** How many classes rows are cut by: 0 where a row has several labels, or values. */
export function strataOf({ labelKind, labelSize, classes }: Model): number {
  return labelKind === 'class' && labelSize === 1 ? classes : 0;
}

/** Row numbers of both sides, in stored order. */
export interface Split {
  readonly support: Int32Array;
  readonly query: Int32Array;
}

/** The same cut as row numbers. */
export function splitRows(examples: Examples, classes: number, share: number): Split {
  if (!(share > 0 && share <= queryFrom))
    throw new RangeError(`The share of the support is ${share}; expected above 0 and at most ${queryFrom}.`);
  const place = examples.recording
    ? placeOfRecording(examples.recording, examples.count)
    : classes > 0
      ? placeInClass(examples, classes)
      : Float64Array.from({ length: examples.count }, (_, row) => row / examples.count);
  const where = (belongs: (place: number) => boolean) =>
    Int32Array.from({ length: examples.count }, (_, row) => row).filter((row) => belongs(place[row]));
  return { support: where((at) => at < share), query: where((at) => at >= queryFrom) };
}

/** r / R for each row, R being one more than the highest recording. */
function placeOfRecording(recording: Int32Array, count: number): Float64Array {
  let last = 0;
  for (let row = 0; row < count; row++) last = Math.max(last, recording[row]);
  return Float64Array.from({ length: count }, (_, row) => recording[row] / (last + 1));
}

/** i / n for each row, i counted inside its class. */
function placeInClass({ y, count }: Examples, classes: number): Float64Array {
  const sizes = new Int32Array(classes);
  for (let row = 0; row < count; row++) {
    if (!(y[row] >= 0 && y[row] < classes))
      throw new ExamplesMismatch(
        `Row ${row} has the label ${y[row]}; expected a class from 0 to ${classes - 1}.`,
      );
    sizes[y[row]]++;
  }
  const seen = new Int32Array(classes);
  return Float64Array.from({ length: count }, (_, row) => seen[y[row]]++ / sizes[y[row]]);
}

function pick({ x, y, count }: Examples, rows: Int32Array): Examples {
  return {
    x: pickRows(x, rowSize(x, count), rows),
    y: pickRows(y, rowSize(y, count), rows),
    count: rows.length,
  };
}

/** Values of one row of arrays that hold `count` rows and nothing else. */
function rowSize({ length }: Examples['x'], count: number): number {
  if (count === 0) return 0;
  if (length % count !== 0)
    throw new ExamplesMismatch(
      `${count} rows were announced, and ${length} values are no whole number for each; hand over arrays without spare room.`,
    );
  return length / count;
}

function pickRows<Values extends Float32Array | Int32Array>(
  values: Values,
  size: number,
  rows: Int32Array,
): Values {
  const picked = new (values.constructor as new (length: number) => Values)(rows.length * size);
  rows.forEach((row, i) => {
    picked.set(values.subarray(row * size, (row + 1) * size), i * size);
  });
  return picked;
}
