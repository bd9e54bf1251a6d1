import { Graph, type Value } from '../../graph/graph.ts';
import type { Model } from '../../ir/model.ts';
import type { Params } from '../../parameters/layout.ts';
import { evaluate } from '../../testing/reference.ts';

/** What a model says of `rows` rows, straight from the definition of each primitive, in float64. */
export function referenceOutput(model: Model, { layout, values }: Params, x: Float32Array): Float64Array {
  const graph = new Graph();
  const leaves = new Map<Value, Float32Array>();
  const byId = new Map<string, Value>();
  const leaf = (id: string, shape: readonly number[], content: Float32Array) => {
    const value = graph.leaf(id, shape);
    byId.set(id, value);
    leaves.set(value, content);
  };
  const features = model.ir.inputs.find(({ role }) => role === 'features')!; // every model has one
  leaf(features.id, [x.length / model.inputSize, ...model.inputShape], x);
  for (const { name, shape, offset, size } of layout.entries)
    leaf(name, shape, values.subarray(offset, offset + size));
  const mask = () => {
    throw new Error('Inference draws no masks.');
  };
  for (const { id, inputs, operation } of model.nodes) {
    const operands = inputs.map((input) => byId.get(input)!); // the parser lets no id through that is not defined above
    byId.set(id, operation.lower(graph, operands, { training: false, mask }));
  }
  const [output] = evaluate([byId.get(model.ir.loss.in[0])!], leaves); // an id that the parser found
  return output;
}

/** The largest difference, relative to the largest value expected. */
export function relativeError(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (found.length !== expected.length) return Infinity;
  const wanted = Array.from(expected);
  const scale = Math.max(...wanted.map(Math.abs));
  return Math.max(...wanted.map((value, i) => Math.abs(found[i] - value))) / scale;
}
