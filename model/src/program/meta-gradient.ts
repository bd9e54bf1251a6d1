import { gradient } from '../graph/gradient.ts';
import { Graph, type Value } from '../graph/graph.ts';
import type { Model } from '../ir/model.ts';
import { ratePrefix } from '../ir/parse-parameters.ts';
import type { Backend } from '../kernels/backend.ts';
import { layoutOf, type Params } from '../parameters/layout.ts';
import { Executable } from '../plan/executable.ts';
import { classify, rowLeaves, type Classified } from './classifier.ts';
import { JudgementSum } from './judge-rows.ts';
import { ParameterLeaves } from './parameter-leaves.ts';
import type { MetaOutcome, MetaRequest } from './program.ts';
import { rowCountOf, writeRows, type RowLeaves } from './rows.ts';

/** What one meta-program is compiled for. */
export interface MetaShape {
  readonly supportCapacity: number;
  readonly queryCapacity: number;
  readonly innerSteps: number;
  readonly learnedRates: boolean;
  readonly order: 1 | 2;
}

/**
 * The gradient of the query loss through an inner loop of full-batch SGD on the support, as one graph.
 * Second order differentiates through the inner steps (MAML, Finn, Abbeel, Levine 2017, section 2.2; with a rate for
 * every weight Meta-SGD, Li, Zhou, Chen, Li 2017, section 3.1); first order takes the gradient at the adapted weights
 * (FOMAML, section 5.2 of the former).
 */
export class MetaGradient {
  readonly executable: Executable;
  readonly #parameters: ParameterLeaves;
  readonly #support: RowLeaves;
  readonly #query: RowLeaves;
  /** One rate for all weights; unused with learned rates. */
  readonly #rate: Value;
  readonly #inner: readonly Classified[];
  readonly #after: Classified;
  readonly #gradients: readonly Value[];

  constructor(model: Model, shape: MetaShape, backend: Backend) {
    const graph = new Graph();
    this.#parameters = new ParameterLeaves(graph, layoutOf(model, { learnedRates: shape.learnedRates }));
    this.#support = rowLeaves(graph, model, 'support', shape.supportCapacity);
    this.#query = rowLeaves(graph, model, 'query', shape.queryCapacity);
    this.#rate = graph.leaf('inner-rate', [1]);
    const names = model.parameters.filter(({ adapts }) => adapts).map(({ id }) => id);
    const inner: Classified[] = [];
    let adapted = this.#parameters.byName;
    for (let step = 0; step < shape.innerSteps; step++) {
      const classified = classify(graph, model, adapted, this.#support);
      inner.push(classified);
      adapted = this.#innerStep(graph, adapted, names, classified.loss, shape.learnedRates);
    }
    this.#inner = inner;
    this.#after = classify(graph, model, adapted, this.#query);
    const weights = model.parameters.filter(({ statistic }) => statistic === undefined).map(({ id }) => id);
    const wrt =
      shape.order === 2
        ? [...this.#parameters.ofRole('weight'), ...this.#parameters.ofRole('rate')]
        : weights.map((id) => adapted.get(id)!); // every weight has a value
    this.#gradients = gradient(graph, this.#after.loss, wrt);
    const outputs = [
      ...inner.map(({ losses }) => losses),
      this.#after.logits,
      this.#after.losses,
      ...this.#gradients,
    ];
    this.executable = new Executable(outputs, backend);
  }

  /** Writes the meta-gradient to `out`: weights, then rates where they are learned. */
  run(params: Params, { support, query, innerRate }: MetaRequest, out: Float32Array): MetaOutcome {
    this.#parameters.write(this.executable, params);
    if (innerRate !== 'learned') this.executable.place(this.#rate)?.fill(innerRate);
    const supportRows = rowCountOf(support);
    const queryRows = rowCountOf(query);
    writeRows(this.executable, this.#support, support, 0, supportRows, 1 / supportRows);
    writeRows(this.executable, this.#query, query, 0, queryRows, 1 / queryRows);
    this.executable.run();
    let offset = 0;
    for (const value of this.#gradients) {
      out.set(this.#read(value), offset);
      offset += value.size;
    }
    const judgement = new JudgementSum(query);
    judgement.add(this.#read(this.#after.logits), this.#read(this.#after.losses), queryRows);
    return {
      innerLosses: this.#inner.map(({ losses }) => mean(this.#read(losses), supportRows)),
      after: judgement.total(),
    };
  }

  /** The weights after one step: those that adapt move against their gradient. */
  #innerStep(
    graph: Graph,
    weights: ReadonlyMap<string, Value>,
    names: readonly string[],
    loss: Value,
    learnedRates: boolean,
  ): ReadonlyMap<string, Value> {
    const before = names.map((name) => weights.get(name)!); // every weight has a value
    const moved = new Map(weights);
    gradient(graph, loss, before).forEach((slope, i) => {
      const step = learnedRates
        ? graph.multiply(slope, weights.get(`${ratePrefix}${names[i]}`)!) // with learned rates every weight has one
        : graph.multiplyScalar(slope, this.#rate);
      moved.set(names[i], graph.subtract(before[i], step));
    });
    return moved;
  }

  #read(value: Value): Float32Array {
    return this.executable.place(value)!; // an output has a place
  }
}

function mean(values: Float32Array, many: number): number {
  let sum = 0;
  for (let i = 0; i < many; i++) sum += values[i];
  return sum / many;
}
