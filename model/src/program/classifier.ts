import type { Graph, Value } from '../graph/graph.ts';
import { lowerModel } from '../graph/lower.ts';
import type { Model } from '../ir/model.ts';
import { lowerLoss } from '../ops/losses.ts';
import type { LoweringContext } from '../ops/operation.ts';
import type { RowLeaves } from './rows.ts';

export function rowLeaves(graph: Graph, model: Model, name: string, capacity: number): RowLeaves {
  const perRow = lossesPerRow(model);
  return {
    x: graph.leaf(`${name}/x`, [capacity, ...model.inputShape]),
    labels: graph.leaf(`${name}/labels`, [capacity, ...model.labelShape]),
    weights: graph.leaf(`${name}/weights`, [capacity * perRow]),
    capacity,
    perRow,
  };
}

/** Classes are judged label by label, values example by example. */
export function lossesPerRow({ labelKind, labelSize }: Model): number {
  return labelKind === 'class' ? labelSize : 1;
}

/** What a model says of some rows: what it predicts (logits of classes), each loss, and their weighted sum. */
export interface Classified {
  readonly prediction: Value;
  readonly losses: Value;
  readonly loss: Value;
}

export function classify(
  graph: Graph,
  model: Model,
  parameters: ReadonlyMap<string, Value>,
  { x, labels, weights }: RowLeaves,
  context: LoweringContext,
): Classified {
  const prediction = lowerModel(graph, model, parameters, x, context);
  const losses = lowerLoss(graph, model.loss, prediction, labels);
  return { prediction, losses, loss: graph.dot(losses, weights) };
}
