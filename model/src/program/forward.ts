import { Graph, type Value } from '../graph/graph.ts';
import type { Model } from '../ir/model.ts';
import type { Backend } from '../kernels/backend.ts';
import { layoutOf, type Params } from '../parameters/layout.ts';
import { Executable } from '../plan/executable.ts';
import { classify, rowLeaves } from './classifier.ts';
import type { JudgementSum } from './judge-rows.ts';
import { inference } from './masks.ts';
import { ParameterLeaves } from './parameter-leaves.ts';
import type { Batch, Prediction } from './program.ts';
import { rowCountOf, writeRows, type RowLeaves } from './rows.ts';

type Predicted = Pick<Prediction, 'logits' | 'probabilities'>;

/** The forward pass over one capacity of rows: predictions, probabilities, and losses. */
export class Forward {
  readonly executable: Executable;
  readonly #capacity: number;
  readonly #parameters: ParameterLeaves;
  readonly #rows: RowLeaves;
  readonly #prediction: Value;
  readonly #losses: Value;
  readonly #probabilities: Value;

  constructor(model: Model, capacity: number, backend: Backend) {
    const graph = new Graph();
    this.#capacity = capacity;
    this.#parameters = new ParameterLeaves(graph, layoutOf(model));
    this.#rows = rowLeaves(graph, model, 'batch', capacity);
    const { prediction, losses } = classify(graph, model, this.#parameters.byName, this.#rows, inference);
    this.#prediction = prediction;
    this.#losses = losses;
    this.#probabilities = probabilitiesOf(graph, model, prediction);
    this.executable = new Executable([prediction, losses, this.#probabilities], backend);
  }

  /** Adds the rows of a batch to a judgement. */
  judge(params: Params, batch: Batch, sum: JudgementSum): void {
    this.#run(params, batch, (_, rows) => {
      sum.add(this.#read(this.#prediction), this.#read(this.#losses), rows);
    });
  }

  /** Writes what is predicted for each row, and how probable it is. */
  predict(params: Params, batch: Batch, out: Predicted): void {
    const perRow = this.#prediction.size / this.#capacity;
    this.#run(params, batch, (start, rows) => {
      out.logits.set(this.#read(this.#prediction).subarray(0, rows * perRow), start * perRow);
      out.probabilities.set(this.#read(this.#probabilities).subarray(0, rows * perRow), start * perRow);
    });
  }

  #run(params: Params, batch: Batch, visit: (from: number, rows: number) => void): void {
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

function probabilitiesOf(graph: Graph, { loss }: Model, prediction: Value): Value {
  if (loss.op === 'softmaxCrossEntropy') return graph.softmax(prediction);
  return loss.op === 'binaryCrossEntropy' ? graph.sigmoid(prediction) : prediction;
}
