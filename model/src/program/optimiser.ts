import type { Graph, Value } from '../graph/graph.ts';
import type { OptimiserIr } from '../ir/schema.ts';
import type { Carry } from '../plan/plan.ts';

/** What a trainer does unless told otherwise; rates are given with each step. */
export const plainSgd: OptimiserIr = {
  kind: 'sgd',
  rate: 0,
  momentum: 0,
  weightDecay: 0,
  nesterov: false,
};

/** One number that changes from step to step without a new program: written to its leaf before each. */
interface Dial {
  readonly leaf: Value;
  at(step: number, rate: number): number;
}

/** The update of some weights, as carries: what each leaf is to hold after the step. */
export interface OptimiserGraph {
  readonly carries: readonly Carry[];
  readonly dials: readonly Dial[];
  /** Moments and velocities; all start at 0. */
  readonly state: readonly Value[];
}

type Leaf = Value<'leaf'>;
interface Slope {
  readonly weight: Leaf;
  readonly gradient: Value;
}

/**
 * Writes an optimiser into the graph of a training step, with the semantics of torch.optim: weight decay is added to the
 * gradient (SGD, Adam) or taken from the weight (AdamW: Loshchilov and Hutter 2019, algorithm 2); the velocity is
 * v = momentum v + g (SGD); epsilon stands outside the root (Adam: Kingma and Ba 2015, algorithm 1).
 */
export function optimiserGraph(
  graph: Graph,
  optimiser: OptimiserIr,
  slopes: readonly Slope[],
): OptimiserGraph {
  return optimiser.kind === 'sgd'
    ? stochasticGradientDescent(graph, optimiser, slopes)
    : adam(graph, optimiser, slopes);
}

function stochasticGradientDescent(
  graph: Graph,
  { momentum, nesterov, weightDecay }: Extract<OptimiserIr, { kind: 'sgd' }>,
  slopes: readonly Slope[],
): OptimiserGraph {
  const rate = dial(graph, 'rate', (_, rate) => rate);
  const carries: Carry[] = [];
  const state: Leaf[] = [];
  for (const { weight, gradient } of slopes) {
    const slope = decayed(graph, weight, gradient, weightDecay);
    let direction = slope;
    if (momentum > 0) {
      const velocity = graph.leaf('velocity', weight.shape);
      const next = graph.add(graph.scale(velocity, momentum), slope);
      direction = nesterov ? graph.add(slope, graph.scale(next, momentum)) : next;
      state.push(velocity);
      carries.push({ leaf: velocity, next });
    }
    carries.push({ leaf: weight, next: graph.descend(weight, direction, rate.leaf) });
  }
  return { carries, dials: [rate], state };
}

function adam(
  graph: Graph,
  { kind, beta1, beta2, epsilon, weightDecay }: Extract<OptimiserIr, { kind: 'adam' | 'adamw' }>,
  slopes: readonly Slope[],
): OptimiserGraph {
  const size = dial(graph, 'step-size', (step, rate) => rate / (1 - beta1 ** step));
  const correction = dial(graph, 'correction', (step) => 1 / Math.sqrt(1 - beta2 ** step));
  const shrinkage = dial(graph, 'shrinkage', (_, rate) => rate * weightDecay);
  const shrinks = kind === 'adamw' && weightDecay > 0;
  const carries: Carry[] = [];
  const state: Leaf[] = [];
  for (const { weight, gradient } of slopes) {
    const slope = shrinks ? gradient : decayed(graph, weight, gradient, weightDecay);
    const [first, second] = [graph.leaf('first', weight.shape), graph.leaf('second', weight.shape)];
    const mean = graph.add(graph.scale(first, beta1), graph.scale(slope, 1 - beta1));
    const square = graph.add(
      graph.scale(second, beta2),
      graph.scale(graph.multiply(slope, slope), 1 - beta2),
    );
    const deviation = graph.shift(graph.multiplyScalar(graph.squareRoot(square), correction.leaf), epsilon);
    const direction = graph.multiply(mean, graph.reciprocal(deviation));
    const from = shrinks ? graph.descend(weight, weight, shrinkage.leaf) : weight;
    state.push(first, second);
    carries.push(
      { leaf: first, next: mean },
      { leaf: second, next: square },
      { leaf: weight, next: graph.descend(from, direction, size.leaf) },
    );
  }
  return { carries, dials: shrinks ? [size, correction, shrinkage] : [size, correction], state };
}

function decayed(graph: Graph, weight: Leaf, gradient: Value, decay: number): Value {
  return decay > 0 ? graph.add(gradient, graph.scale(weight, decay)) : gradient;
}

function dial(graph: Graph, name: string, at: Dial['at']): Dial {
  return { leaf: graph.leaf(name, [1]), at };
}
