import { Graph, type Value } from '../graph/graph.ts';
import type { Model } from '../ir/model.ts';
import type { Backend } from '../kernels/backend.ts';
import type { Params } from '../parameters/layout.ts';
import { Executable } from '../plan/executable.ts';
import { JudgementSum } from './judge-rows.ts';
import { buildMetaGraph, type MetaGraph, type MetaShape } from './meta-graph.ts';
import type { MetaOutcome, MetaRequest } from './program.ts';
import { rowCountOf, writeRows } from './rows.ts';

/** A compiled inner loop with its meta-gradient. */
export class MetaGradient {
  readonly #executable: Executable;
  readonly #meta: MetaGraph;
  readonly #model: Model;

  constructor(model: Model, shape: MetaShape, backend: Backend) {
    this.#model = model;
    this.#meta = buildMetaGraph(new Graph(), model, shape);
    const { inner, after, gradients } = this.#meta;
    const outputs = [...inner.map(({ losses }) => losses), after.prediction, after.losses, ...gradients];
    this.#executable = new Executable(outputs, backend);
  }

  /** Writes the meta-gradient to `out`: weights, then rates where they are learned. */
  run(params: Params, { support, query, innerRate }: MetaRequest, out: Float32Array): MetaOutcome {
    const { parameters, rate, inner, after, gradients } = this.#meta;
    parameters.write(this.#executable, params);
    if (innerRate !== 'learned') this.#executable.place(rate)?.fill(innerRate);
    const supportRows = rowCountOf(support);
    const { perRow } = this.#meta.query;
    const queryRows = rowCountOf(query);
    writeRows(this.#executable, this.#meta.support, support, 0, supportRows, 1 / (supportRows * perRow));
    writeRows(this.#executable, this.#meta.query, query, 0, queryRows, 1 / (queryRows * perRow));
    this.#executable.run();
    let offset = 0;
    for (const value of gradients) {
      out.set(this.#read(value), offset);
      offset += value.size;
    }
    const judgement = new JudgementSum(this.#model, query);
    judgement.add(this.#read(after.prediction), this.#read(after.losses), queryRows);
    return {
      innerLosses: inner.map(({ losses }) => mean(this.#read(losses), supportRows * perRow)),
      after: judgement.total(),
    };
  }

  #read(value: Value): Float32Array {
    return this.#executable.place(value)!; // an output has a place
  }
}

function mean(values: Float32Array, many: number): number {
  let sum = 0;
  for (let i = 0; i < many; i++) sum += values[i];
  return sum / many;
}
