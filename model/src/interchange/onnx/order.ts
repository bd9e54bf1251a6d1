import type { GraphWriter } from './graph-writer.ts';
import { identity, type Permutation } from './permutation.ts';

/** The order in which a value is stored, if its last axis comes last there; else the IR's own. */
export function lastAxisLast(graph: GraphWriter, id: string): Permutation {
  const order = graph.order(id);
  return order.at(-1) === order.length - 1 ? order : identity(order.length);
}

/** The order of what is left when some axes of the IR are taken away. */
export function without(order: Permutation, axes: readonly number[]): Permutation {
  const kept = order.filter((axis) => !axes.includes(axis));
  return kept.map((axis) => axis - axes.filter((gone) => gone < axis).length);
}
