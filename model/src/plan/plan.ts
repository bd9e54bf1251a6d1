import { ancestors } from '../graph/gradient.ts';
import type { Value } from '../graph/graph.ts';
import type { Backend, KernelCall, Operand } from '../kernels/backend.ts';
import { FirstFitArena, type Arena } from './arena.ts';

/** A graph laid out in one arena: where each value lies, and the calls in their order. */
export interface Plan {
  readonly arenaFloats: number;
  readonly calls: readonly KernelCall[];
  /** Places of leaves and outputs; they hold their values when a run has ended. */
  readonly places: ReadonlyMap<Value, Operand>;
  readonly constants: readonly { readonly operand: Operand; readonly value: number }[];
}

/**
 * Lays out what `outputs` need. Leaves, constants and outputs keep their places; every other value gives its place back
 * after its last use, so the arena is known before any of it is allocated.
 */
export function planOf(
  outputs: readonly Value[],
  backend: Backend,
  arena: Arena = new FirstFitArena(),
): Plan {
  const order = ancestors(outputs);
  const places = new Map<Value, Operand>();
  const kept = new Set(outputs.map(storage));
  const constants: Plan['constants'][number][] = [];
  for (const value of order) {
    if (value.op !== 'leaf' && value.op !== 'constant') continue;
    const operand = operandOf(value, arena.take(value.size));
    places.set(value, operand);
    kept.add(value);
    if (value.op === 'constant')
      constants.push({ operand, value: (value as Value<'constant'>).attributes.value }); // by its op
  }
  const dying = deaths(order, kept);
  const calls: KernelCall[] = [];
  order.forEach((value, step) => {
    if (places.has(value)) return;
    const [first] = value.inputs;
    if (value.op === 'view') {
      places.set(value, operandOf(value, places.get(first)!.offset));
    } else {
      const { op, attributes } = value;
      const inputs = value.inputs.map((input) => places.get(input)!); // inputs come before in the order
      const output = operandOf(value, arena.take(value.size));
      places.set(value, output);
      const shapes = { inputs: inputs.map((input) => input.shape), output: output.shape };
      const size = backend.scratchSize({ op, attributes, shapes });
      const scratch = { offset: size > 0 ? arena.take(size) : 0, size, shape: [size] };
      calls.push({ op, inputs, output, scratch, attributes });
      if (size > 0) arena.giveBack(scratch.offset, size);
    }
    for (const dead of dying.get(step) ?? []) arena.giveBack(places.get(dead)!.offset, dead.size);
  });
  return { arenaFloats: arena.peak, calls, places, constants };
}

/** Which values give their place back after which step. */
function deaths(order: readonly Value[], kept: ReadonlySet<Value>): ReadonlyMap<number, readonly Value[]> {
  const lastUse = new Map<Value, number>();
  order.forEach((value, step) => {
    lastUse.set(storage(value), step);
    for (const input of value.inputs) lastUse.set(storage(input), step);
  });
  const dying = new Map<number, Value[]>();
  for (const [value, step] of lastUse) {
    if (kept.has(value)) continue;
    const others = dying.get(step);
    if (others) others.push(value);
    else dying.set(step, [value]);
  }
  return dying;
}

/** The value whose place a view shares. */
function storage(value: Value): Value {
  let source = value;
  while (source.op === 'view') [source] = source.inputs;
  return source;
}

function operandOf({ size, shape }: Value, offset: number): Operand {
  return { offset, size, shape };
}
