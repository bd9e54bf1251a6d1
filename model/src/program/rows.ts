import type { Value } from '../graph/graph.ts';
import type { Model } from '../ir/model.ts';
import type { Executable } from '../plan/executable.ts';
import { ExamplesMismatch } from './errors.ts';
import type { Batch } from './program.ts';

/** The leaves through which rows enter a graph. Padding rows have weight 0, so they change nothing. */
export interface RowLeaves {
  readonly x: Value;
  readonly labels: Value;
  readonly weights: Value;
}

/** How many rows a batch has. */
export function rowCountOf(batch: Batch): number {
  return batch.rows ? batch.rows.length : batch.count;
}

/**
 * Checks rows before any of them is used, so that the kernels can trust sizes and labels.
 * @throws ExamplesMismatch When arrays are too short, a row is out of range, a label is no class, or there is no row.
 */
export function checkRows(model: Model, batch: Batch): void {
  const { x, y, count, rows } = batch;
  if (rowCountOf(batch) === 0) throw new ExamplesMismatch('There are no rows; at least one is needed.');
  if (x.length < count * model.inputSize || y.length < count)
    throw new ExamplesMismatch(
      `${count} rows of ${model.inputSize} values were announced; x has ${x.length} values and y ${y.length} labels.`,
    );
  for (let i = 0; i < rowCountOf(batch); i++) {
    const row = rows ? rows[i] : i;
    if (!Number.isInteger(row) || row < 0 || row >= count)
      throw new ExamplesMismatch(`Row ${row} was asked for; the examples have ${count} rows.`);
    if (!(y[row] >= 0 && y[row] < model.classes))
      throw new ExamplesMismatch(
        `Row ${row} has the label ${y[row]}; expected a class from 0 to ${model.classes - 1}.`,
      );
  }
}

/** Writes rows `from` to `to` of a batch, each with the same weight, and pads what is left of the capacity. */
export function writeRows(
  executable: Executable,
  leaves: RowLeaves,
  batch: Batch,
  from: number,
  to: number,
  weight: number,
): void {
  const x = executable.place(leaves.x);
  const labels = executable.place(leaves.labels);
  const weights = executable.place(leaves.weights);
  const size = leaves.x.size / leaves.labels.size;
  const many = to - from;
  for (let i = 0; i < many; i++) {
    const row = batch.rows ? batch.rows[from + i] : from + i;
    x?.set(batch.x.subarray(row * size, (row + 1) * size), i * size);
    if (labels) labels[i] = batch.y[row];
  }
  x?.fill(0, many * size);
  labels?.fill(0, many);
  weights?.fill(weight, 0, many);
  weights?.fill(0, many);
}
