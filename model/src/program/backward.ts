import { gradient } from '../graph/gradient.ts';
import { Graph, type Value } from '../graph/graph.ts';
import type { Model } from '../ir/model.ts';
import type { Backend } from '../kernels/backend.ts';
import { layoutOf, type Params } from '../parameters/layout.ts';
import { Executable } from '../plan/executable.ts';
import { classify, rowLeaves } from './classifier.ts';
import { inference } from './masks.ts';
import { ParameterLeaves } from './parameter-leaves.ts';
import type { Batch } from './program.ts';
import { rowCountOf, writeRows, type RowLeaves } from './rows.ts';

/** The gradient of the mean loss with respect to all weights, over one capacity of rows. */
export class Backward {
  readonly executable: Executable;
  readonly #capacity: number;
  readonly #parameters: ParameterLeaves;
  readonly #rows: RowLeaves;
  readonly #losses: Value;
  readonly #gradients: readonly Value[];

  constructor(model: Model, capacity: number, backend: Backend) {
    const graph = new Graph();
    this.#capacity = capacity;
    this.#parameters = new ParameterLeaves(graph, layoutOf(model));
    this.#rows = rowLeaves(graph, model, 'batch', capacity);
    const { losses, loss } = classify(graph, model, this.#parameters.byName, this.#rows, inference);
    this.#losses = losses;
    this.#gradients = gradient(graph, loss, this.#parameters.ofRole('weight'));
    this.executable = new Executable([losses, ...this.#gradients], backend);
  }

  /** Writes the gradient to `out`, in the order of the layout, and gives the mean loss. */
  gradient(params: Params, batch: Batch, out: Float32Array): number {
    this.#parameters.write(this.executable, params);
    const count = rowCountOf(batch);
    const { perRow } = this.#rows;
    const losses = this.executable.place(this.#losses)!; // an output has a place
    let loss = 0;
    for (let from = 0; from < count; from += this.#capacity) {
      const to = Math.min(count, from + this.#capacity);
      writeRows(this.executable, this.#rows, batch, from, to, 1 / (count * perRow));
      this.executable.run();
      for (let i = 0; i < (to - from) * perRow; i++) loss += losses[i];
      this.#collect(out, from > 0);
    }
    return loss / (count * perRow);
  }

  #collect(out: Float32Array, accumulate: boolean): void {
    let offset = 0;
    for (const value of this.#gradients) {
      const part = this.executable.place(value)!; // an output has a place
      if (accumulate) for (let i = 0; i < part.length; i++) out[offset + i] += part[i];
      else out.set(part, offset);
      offset += part.length;
    }
  }
}
