import { Graph, type Value } from '../graph/graph.ts';
import type { Model } from '../ir/model.ts';
import type { Backend } from '../kernels/backend.ts';
import { layoutOf, type Params } from '../parameters/layout.ts';
import { Executable } from '../plan/executable.ts';
import { classify, rowLeaves } from './classifier.ts';
import { JudgementSum } from './judge-rows.ts';
import { ParameterLeaves } from './parameter-leaves.ts';
import type { Batch, Judgement, Prediction } from './program.ts';
import { rowCountOf, writeRows, type RowLeaves } from './rows.ts';

/** The forward pass over one capacity of rows: logits, probabilities, and the loss of each row. */
export class Forward {
  readonly executable: Executable;
  readonly #capacity: number;
  readonly #parameters: ParameterLeaves;
  readonly #rows: RowLeaves;
  readonly #logits: Value;
  readonly #losses: Value;
  readonly #probabilities: Value;

  constructor(model: Model, capacity: number, backend: Backend) {
    const graph = new Graph();
    this.#capacity = capacity;
    this.#parameters = new ParameterLeaves(graph, layoutOf(model));
    this.#rows = rowLeaves(graph, model, 'batch', capacity);
    const { logits, losses } = classify(graph, model, this.#parameters.byName, this.#rows);
    this.#logits = logits;
    this.#losses = losses;
    this.#probabilities = graph.softmax(logits);
    this.executable = new Executable([logits, losses, this.#probabilities], backend);
  }

  evaluate(params: Params, batch: Batch): Judgement {
    const sum = new JudgementSum(batch);
    this.#passes(params, batch, (_, rows) => {
      sum.add(this.#read(this.#logits), this.#read(this.#losses), rows);
    });
    return sum.total();
  }

  predict(params: Params, batch: Batch): Prediction {
    const { count } = batch;
    const classes = this.#logits.size / this.#capacity;
    const logits = new Float32Array(count * classes);
    const probabilities = new Float32Array(count * classes);
    this.#passes(params, batch, (from, rows) => {
      logits.set(this.#read(this.#logits).subarray(0, rows * classes), from * classes);
      probabilities.set(this.#read(this.#probabilities).subarray(0, rows * classes), from * classes);
    });
    return { logits, probabilities, count, classes };
  }

  #passes(params: Params, batch: Batch, visit: (from: number, rows: number) => void): void {
    this.#parameters.write(this.executable, params);
    const count = rowCountOf(batch);
    for (let from = 0; from < count; from += this.#capacity) {
      const to = Math.min(count, from + this.#capacity);
      writeRows(this.executable, this.#rows, batch, from, to, 1);
      this.executable.run();
      visit(from, to - from);
    }
  }

  #read(value: Value): Float32Array {
    return this.executable.place(value)!; // an output has a place
  }
}
