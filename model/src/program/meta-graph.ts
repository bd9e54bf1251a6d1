import { gradient } from '../graph/gradient.ts';
import type { Graph, Value } from '../graph/graph.ts';
import type { Model } from '../ir/model.ts';
import { ratePrefix } from '../ir/parse-parameters.ts';
import { layoutOf } from '../parameters/layout.ts';
import { classify, rowLeaves, type Classified } from './classifier.ts';
import { inference } from './masks.ts';
import { ParameterLeaves } from './parameter-leaves.ts';
import type { RowLeaves } from './rows.ts';

/** What one meta-program is compiled for. */
export interface MetaShape {
  readonly supportCapacity: number;
  readonly queryCapacity: number;
  readonly innerSteps: number;
  readonly learnedRates: boolean;
  readonly order: 1 | 2;
}

export interface MetaGraph {
  readonly parameters: ParameterLeaves;
  readonly support: RowLeaves;
  readonly query: RowLeaves;
  /** One rate for all weights; nothing needs it with learned rates. */
  readonly rate: Value;
  /** The support before each inner step. */
  readonly inner: readonly Classified[];
  /** The query after the inner steps. */
  readonly after: Classified;
  /** Of the query loss: weights in the order of the layout, then rates where they are learned. */
  readonly gradients: readonly Value[];
}

/**
 * The gradient of the query loss through an inner loop of full-batch SGD on the support, as one graph.
 * Second order differentiates through the inner steps (MAML, Finn, Abbeel, Levine 2017, section 2.2; with a rate for
 * every weight Meta-SGD, Li, Zhou, Chen, Li 2017, section 3.1); first order takes the gradient at the adapted weights
 * (FOMAML, section 5.2 of the former).
 */
export function buildMetaGraph(graph: Graph, model: Model, shape: MetaShape): MetaGraph {
  const parameters = new ParameterLeaves(graph, layoutOf(model, { learnedRates: shape.learnedRates }));
  const support = rowLeaves(graph, model, 'support', shape.supportCapacity);
  const query = rowLeaves(graph, model, 'query', shape.queryCapacity);
  const rate = graph.leaf('inner-rate', [1]);
  const stepOf = (id: string, from: Value, slope: Value) =>
    shape.learnedRates
      ? graph.subtract(from, graph.multiply(slope, parameters.byName.get(`${ratePrefix}${id}`)!)) // such a layout has a rate for every weight
      : graph.descend(from, slope, rate);
  const adapting = model.parameters.filter(({ adapts }) => adapts).map(({ id }) => id);
  const inner: Classified[] = [];
  const weights = new Map(parameters.byName);
  for (let step = 0; step < shape.innerSteps; step++) {
    const classified = classify(graph, model, weights, support, inference);
    inner.push(classified);
    const before = adapting.map((id) => weights.get(id)!); // every parameter has a leaf
    gradient(graph, classified.loss, before).forEach((slope, i) => {
      weights.set(adapting[i], stepOf(adapting[i], before[i], slope));
    });
  }
  const after = classify(graph, model, weights, query, inference);
  const trained = model.parameters.filter(({ statistic }) => statistic === undefined).map(({ id }) => id);
  const wrt =
    shape.order === 2
      ? [...parameters.ofRole('weight'), ...parameters.ofRole('rate')]
      : trained.map((id) => weights.get(id)!); // every parameter has a leaf
  return { parameters, support, query, rate, inner, after, gradients: gradient(graph, after.loss, wrt) };
}
