import { expect } from 'vitest';
import { Graph, type Value } from '../../graph/graph.ts';
import { Fields } from '../../ir/fields.ts';
import { defaultLimits } from '../../ir/limits.ts';
import type { Shape } from '../../ir/schema.ts';
import { stream } from '../../random/streams.ts';
import { evaluate } from '../../testing/reference.ts';
import { operations } from '../index.ts';
import type { BoundOperation, LoweringContext } from '../operation.ts';

/** A tensor of a test: with a batch in front, or a parameter. */
export interface Tensor {
  readonly batch: boolean;
  readonly shape: readonly number[];
  readonly values: ArrayLike<number>;
}

/** Values that carry a batch, different for every name. */
export function rows(name: string, ...shape: number[]): Tensor {
  return { batch: true, shape, values: numbers(name, shape) };
}

export function weights(name: string, ...shape: number[]): Tensor {
  return { batch: false, shape, values: numbers(name, shape) };
}

function numbers(name: string, shape: readonly number[]): number[] {
  const random = stream(1, `test/${name}`);
  return tabulate(shape, () => 2 * random.nextFloat() - 1);
}

export function at({ shape, values }: Tensor, ...index: number[]): number {
  return values[index.reduce((place, i, axis) => place * shape[axis] + i, 0)];
}

/** A value for every index of a shape, the last axis fastest. */
export function tabulate(shape: readonly number[], f: (...index: number[]) => number): number[] {
  const [length, ...inner] = shape;
  if (shape.length === 0) return [f()];
  return Array.from({ length }, (_, i) => tabulate(inner, (...rest) => f(i, ...rest))).flat();
}

export function sum(length: number, f: (i: number) => number): number {
  let total = 0;
  for (let i = 0; i < length; i++) total += f(i);
  return total;
}

export function bound(op: string, attributes: object = {}): BoundOperation {
  const fields = new Fields(attributes, 'attrs', defaultLimits);
  const operation = operations.get(op)!.bind(fields);
  fields.end();
  return operation;
}

export const evaluation: LoweringContext = {
  training: false,
  mask: () => {
    throw new Error('Only training draws masks.');
  },
};

/** Lowers one op, runs it in float64, and holds the inferred shape against the lowered one. */
export function compute(op: string, attributes: object, inputs: readonly Tensor[]): Tensor {
  const operation = bound(op, attributes);
  const graph = new Graph();
  const leaves = inputs.map(({ shape }, i) => graph.leaf(`${i}`, shape));
  const y = operation.lower(graph, leaves, evaluation);
  const shapes = inputs.map(({ batch, shape }): Shape => (batch ? ['B', ...shape.slice(1)] : shape));
  const inferred = operation.infer(shapes);
  expect(y.shape).toEqual(inferred.map((axis) => (axis === 'B' ? inputs[0].shape[0] : axis)));
  const given = new Map<Value, ArrayLike<number>>(leaves.map((leaf, i) => [leaf, inputs[i].values]));
  const [values] = evaluate([y], given);
  return { batch: true, shape: y.shape, values };
}

/** Compares with what the definition of an op gives for each index. */
export function expectEach(found: Tensor, wanted: (...index: number[]) => number, digits = 12): void {
  const values = tabulate(found.shape, wanted);
  expect(found.values.length).toBe(values.length);
  for (let i = 0; i < values.length; i++) expect(found.values[i]).toBeCloseTo(values[i], digits);
}
