import type { Value } from '../graph/graph.ts';
import type { PrimitiveAttributes, Primitive } from '../graph/primitives.ts';

/** One computed value of a program, after fusion: what computes it may differ from what its graph says. */
export interface Step {
  readonly value: Value;
  readonly op: Primitive;
  readonly inputs: readonly Value[];
  readonly attributes: PrimitiveAttributes[Primitive];
}

/**
 * Rewrites a program of values, inputs first, into fewer and lighter steps that give the same bits:
 * - where a gradient asks on which side of 0 the input of a relu lay, it is given the output, which answers the same;
 * - a row added just before a relu is added by it.
 * Values in `kept` are computed whatever happens.
 */
export function fuse(order: readonly Value[], kept: ReadonlySet<Value>): Step[] {
  const steps = answerByOutput(order);
  const uses = useCounts(steps);
  const absorbed = new Set<Value>();
  const fused = steps.map((step): Step => {
    const [a] = step.inputs;
    if (!isRelu(step) || a.op !== 'addRow' || uses.get(a) !== 2 || kept.has(a)) return step;
    absorbed.add(a);
    return { value: step.value, op: 'addRowPositive', inputs: a.inputs, attributes: {} };
  });
  return fused.filter(({ value }) => !absorbed.has(value));
}

function answerByOutput(order: readonly Value[]): Step[] {
  const reluOf = new Map(order.filter(isRelu).map((value) => [value.inputs[0], value]));
  return order.map((value) => {
    const { op, inputs, attributes } = value;
    const relu = op === 'maskPositive' && !isRelu(value) ? reluOf.get(inputs[1]) : undefined;
    const comesBefore = relu !== undefined && relu.id < value.id;
    return { value, op, inputs: comesBefore ? [inputs[0], relu] : inputs, attributes };
  });
}

function isRelu({ op, inputs }: Pick<Step, 'op' | 'inputs'>): boolean {
  return op === 'maskPositive' && inputs[0] === inputs[1];
}

function useCounts(steps: readonly Step[]): ReadonlyMap<Value, number> {
  const counts = new Map<Value, number>();
  for (const { inputs } of steps) for (const input of inputs) counts.set(input, (counts.get(input) ?? 0) + 1);
  return counts;
}
