import type { Model } from '../ir/model.ts';
import type { LoweringContext } from '../ops/operation.ts';
import type { Graph, Value } from './graph.ts';

/**
 * Writes a model's nodes as primitives.
 * @param parameters - A value for each parameter, by its id: leaves, or what an inner step made of them.
 * @param x - Features [rows, …].
 * @returns What the loss judges: logits [rows, …, classes], or predicted values.
 */
export function lowerModel(
  graph: Graph,
  model: Model,
  parameters: ReadonlyMap<string, Value>,
  x: Value,
  context: LoweringContext,
): Value {
  const values = new Map(parameters);
  const features = model.ir.inputs.find((input) => input.role === 'features')!; // every model has one
  values.set(features.id, x);
  for (const { id, inputs, operation } of model.nodes) {
    const operands = inputs.map((input) => values.get(input)!); // the parser lets no id through that is not defined above
    values.set(id, operation.lower(graph, operands, context));
  }
  return values.get(model.ir.loss.in[0])!;
}
