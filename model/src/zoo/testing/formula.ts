import type { Model, ModelParameter } from '../../ir/model.ts';
import type { Batch } from '../../program/program.ts';
import { layoutOf, type Params } from '../../parameters/layout.ts';

/**
 * Values by formula, so that golden fixtures carry results alone: the twin of cluster/src/starling_cluster/formula.py,
 * which states it. `count` multiples of 2^-24 in [0, 1) that belong to a name of ASCII letters.
 */
export function unit(name: string, count: number): Float64Array {
  let start = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) start = Math.imul(start ^ name.charCodeAt(i), 0x01000193);
  return Float64Array.from({ length: count }, (_, i) => {
    let h = start + Math.imul(i, 0x9e3779b9);
    h ^= h >>> 16;
    h = Math.imul(h, 0x7feb352d);
    h ^= h >>> 15;
    h = Math.imul(h, 0x846ca68b);
    h ^= h >>> 16;
    return (h >>> 8) / 2 ** 24;
  });
}

/** Parameters by formula, statistics included. */
export function parametersByFormula(model: Model): Params {
  const layout = layoutOf(model);
  const values = new Float32Array(layout.size);
  for (const parameter of model.parameters) {
    const { offset } = layout.entries.find(({ name }) => name === parameter.id)!; // a layout has all parameters
    values.set(unit(parameter.id, parameter.size).map(initialValue(parameter)), offset);
  }
  return { layout, values };
}

function initialValue({ init }: ModelParameter): (u: number) => number {
  if (init.kind === 'uniform') {
    const bound = 1 / Math.sqrt(init.fan);
    return (u) => (2 * u - 1) * bound;
  }
  if (init.kind === 'ones' || init.kind === 'inputInverseSd') return (u) => 1 + (2 * u - 1) / 4;
  return (u) => (2 * u - 1) / 8;
}

/** Rows by formula: features are called `<name>/x`, labels `<name>/y`. */
export function rowsByFormula(model: Model, name: string, count: number): Batch {
  const [features, label] = model.ir.inputs;
  const xs = unit(`${name}/x`, count * model.inputSize);
  const ys = unit(`${name}/y`, count * model.labelSize);
  const { vocabulary } = model;
  const x =
    vocabulary !== undefined && features.dtype === 'i32'
      ? Int32Array.from(xs, (u) => Math.floor(u * vocabulary))
      : Float32Array.from(xs, (u) => 2 * u - 1);
  if (label.dtype === 'i32')
    return { x, y: Int32Array.from(ys, (u) => Math.floor(u * model.classes)), count };
  const binary = model.ir.loss.op === 'binaryCrossEntropy';
  return { x, y: Float32Array.from(ys, (u) => (binary ? Math.floor(2 * u) : 2 * u - 1)), count };
}
