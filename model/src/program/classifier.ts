import type { Graph, Value } from '../graph/graph.ts';
import { lowerModel } from '../graph/lower.ts';
import type { Model } from '../ir/model.ts';
import type { RowLeaves } from './rows.ts';

export function rowLeaves(graph: Graph, model: Model, name: string, capacity: number): RowLeaves {
  return {
    x: graph.leaf(`${name}/x`, [capacity, ...model.inputShape]),
    labels: graph.leaf(`${name}/labels`, [capacity]),
    weights: graph.leaf(`${name}/weights`, [capacity]),
  };
}

/** What a model says of some rows: logits, the loss of each row, and their weighted sum. */
export interface Classified {
  readonly logits: Value;
  readonly losses: Value;
  readonly loss: Value;
}

export function classify(
  graph: Graph,
  model: Model,
  parameters: ReadonlyMap<string, Value>,
  { x, labels, weights }: RowLeaves,
): Classified {
  const logits = lowerModel(graph, model, parameters, x);
  const losses = graph.crossEntropy(logits, labels);
  return { logits, losses, loss: graph.dot(losses, weights) };
}
