import type { Value } from '../graph/graph.ts';
import type { Model } from '../ir/model.ts';
import type { Places } from '../plan/executable.ts';
import { ExamplesMismatch } from './errors.ts';
import type { Batch } from './program.ts';

/** The leaves through which rows enter a graph. Padding rows have weight 0, so they change nothing. */
export interface RowLeaves {
  readonly x: Value;
  readonly labels: Value;
  /** One for each loss. */
  readonly weights: Value;
  readonly capacity: number;
  /** Losses of one row. */
  readonly perRow: number;
}

/** How many rows a batch has. */
export function rowCountOf(batch: Batch): number {
  return batch.rows ? batch.rows.length : batch.count;
}

/**
 * Checks rows before any of them is used, so that the kernels can trust sizes, labels and token ids.
 * @throws ExamplesMismatch When arrays are too short, a row is out of range, a label is no class, a token not in the
 *   vocabulary, or there is no row.
 */
export function checkRows(model: Model, batch: Batch): void {
  const { x, y, count, rows } = batch;
  const { inputSize, labelSize } = model;
  if (!Number.isInteger(count) || count < 0)
    throw new ExamplesMismatch(`The examples have a count of ${count}; expected a whole number of rows.`);
  if (rowCountOf(batch) === 0) throw new ExamplesMismatch('There are no rows; at least one is needed.');
  if (x.length < count * inputSize || y.length < count * labelSize)
    throw new ExamplesMismatch(
      `${count} rows of ${inputSize} values and ${labelSize} labels were announced; x has ${x.length} values and y ${y.length} labels.`,
    );
  for (let i = 0; i < rowCountOf(batch); i++) {
    const row = rows ? rows[i] : i;
    if (!Number.isInteger(row) || row < 0 || row >= count)
      throw new ExamplesMismatch(`Row ${row} was asked for; the examples have ${count} rows.`);
    if (model.labelKind === 'class') checkClasses(model, y, row);
    else checkTargets(model, y, row);
    if (model.vocabulary !== undefined) checkTokens(model, model.vocabulary, x, row);
  }
}

function checkClasses({ classes, labelSize }: Model, y: Batch['y'], row: number): void {
  for (let k = row * labelSize; k < (row + 1) * labelSize; k++)
    if (!(y[k] >= 0 && y[k] < classes && Number.isInteger(y[k])))
      throw new ExamplesMismatch(
        `Row ${row} has the label ${y[k]}; expected a class from 0 to ${classes - 1}.`,
      );
}

function checkTargets({ labelSize, loss }: Model, y: Batch['y'], row: number): void {
  const isShare = loss.op === 'binaryCrossEntropy';
  for (let k = row * labelSize; k < (row + 1) * labelSize; k++)
    if (!Number.isFinite(y[k]) || (isShare && (y[k] < 0 || y[k] > 1)))
      throw new ExamplesMismatch(
        `Row ${row} has the target ${y[k]}; expected ${isShare ? 'a number from 0 to 1' : 'a finite number'}.`,
      );
}

function checkTokens({ inputSize }: Model, vocabulary: number, x: Batch['x'], row: number): void {
  for (let k = row * inputSize; k < (row + 1) * inputSize; k++)
    if (!(x[k] >= 0 && x[k] < vocabulary && Number.isInteger(x[k])))
      throw new ExamplesMismatch(
        `Row ${row} has the token ${x[k]}; expected an id from 0 to ${vocabulary - 1}.`,
      );
}

/**
 * Checks what a trainer is asked for.
 * @returns How many rows the step has.
 * @throws ExamplesMismatch, RangeError For more rows than `most`, or a rate that is negative or not finite in float32.
 */
export function checkStep(model: Model, batch: Batch, most: number, rate: number): number {
  checkRows(model, batch);
  const count = rowCountOf(batch);
  if (count > most)
    throw new RangeError(`A step of ${count} rows was asked for; the trainer takes at most ${most}.`);
  if (!(rate >= 0 && Number.isFinite(Math.fround(rate))))
    throw new RangeError(`The rate is ${rate}; expected 0 or more, and finite in float32.`);
  return count;
}

/** Writes rows `from` to `to` of a batch, each loss with the same weight, and pads what is left of the capacity. */
export function writeRows(
  executable: Places,
  leaves: RowLeaves,
  batch: Batch,
  from: number,
  to: number,
  weight: number,
): void {
  const x = executable.place(leaves.x);
  const labels = executable.place(leaves.labels);
  const weights = executable.place(leaves.weights);
  const { capacity, perRow } = leaves;
  const [size, labelSize] = [leaves.x.size / capacity, leaves.labels.size / capacity];
  const many = to - from;
  for (let i = 0; i < many; i++) {
    const row = batch.rows ? batch.rows[from + i] : from + i;
    if (x) copyRow(batch.x, row, x, i, size);
    if (labels) copyRow(batch.y, row, labels, i, labelSize);
  }
  x?.fill(0, many * size);
  labels?.fill(0, many * labelSize);
  weights?.fill(weight, 0, many * perRow);
  weights?.fill(0, many * perRow);
}

function copyRow(
  from: Float32Array | Int32Array,
  row: number,
  to: Float32Array,
  at: number,
  size: number,
): void {
  for (let k = 0, f = row * size, t = at * size; k < size; k++) to[t + k] = from[f + k];
}
