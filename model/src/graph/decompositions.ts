import { lastAxis, type Graph, type Value } from './graph.ts';
import type { GeluVariant, PrimitiveAttributes } from './primitives.ts';

/**
 * What fused primitives mean in simpler ones. A fused primitive has a fused gradient; that gradient is differentiated
 * through its meaning here, so that second order needs no rule of its own and is never wrong in silence.
 */
export type Decomposition = (graph: Graph, value: Value, inputs: readonly Value[]) => Value;

const twoOverRootPi = 1.1283791670955126;
const rootTwoOverPi = 0.7978845608028654;
const cubic = 0.044715;

/** d * gelu'(x): Phi(x) + x phi(x), or the derivative of the approximation by tanh. */
export const geluGradient: Decomposition = (graph, { attributes }, [d, x]) => {
  const square = graph.multiply(x, x);
  if ((attributes as GeluVariant).variant === 'erf') {
    const below = graph.scale(graph.shift(graph.erf(graph.scale(x, Math.SQRT1_2)), 1), 0.5);
    const density = graph.scale(graph.exp(graph.scale(square, -0.5)), (twoOverRootPi * Math.SQRT1_2) / 2);
    return graph.multiply(d, graph.add(below, graph.multiply(x, density)));
  }
  const inner = graph.scale(graph.multiply(x, graph.shift(graph.scale(square, cubic), 1)), rootTwoOverPi);
  const t = graph.tanh(inner);
  const slope = graph.scale(graph.shift(graph.scale(square, 3 * cubic), 1), rootTwoOverPi);
  const bend = graph.multiply(graph.shift(graph.scale(graph.multiply(t, t), -1), 1), slope);
  return graph.multiply(d, graph.scale(graph.add(graph.shift(t, 1), graph.multiply(x, bend)), 0.5));
};

/** s (d - mean(d) - y mean(d y)) with y the normalised row and s the inverse deviation. */
export const normaliseRowsGradient: Decomposition = (graph, { attributes }, [d, x]) => {
  const { epsilon } = attributes as PrimitiveAttributes['normaliseRows'];
  const mean = (column: Value) => graph.repeatColumn(graph.scale(column, 1 / lastAxis(x)), x.shape);
  const centred = graph.subtract(x, mean(graph.rowSum(x)));
  const variance = graph.scale(graph.rowDot(centred, centred), 1 / lastAxis(x));
  const inverse = graph.reciprocalRoot(graph.shift(variance, epsilon));
  const y = graph.multiplyColumn(centred, inverse);
  const rest = graph.add(mean(graph.rowSum(d)), graph.multiply(y, mean(graph.rowDot(d, y))));
  return graph.multiplyColumn(graph.subtract(d, rest), inverse);
};

/** The recurrence written out, step by step. */
export const lstm: Decomposition = (graph, { shape }, [gates, wh]) => {
  const [, steps, batch, hidden] = shape;
  const parts: Value[][] = [[], [], [], [], [], []];
  let before: { h: Value; c: Value } | undefined;
  for (let t = 0; t < steps; t++) {
    let all = graph.view(graph.slice(gates, 0, t, t + 1), [batch, 4 * hidden]);
    if (before) all = graph.add(all, graph.matmul(before.h, wh));
    const gate = (k: number) => graph.slice(all, 1, k * hidden, (k + 1) * hidden);
    const [i, f, g, o] = [
      graph.sigmoid(gate(0)),
      graph.sigmoid(gate(1)),
      graph.tanh(gate(2)),
      graph.sigmoid(gate(3)),
    ];
    const fresh = graph.multiply(i, g);
    const c = before ? graph.add(graph.multiply(f, before.c), fresh) : fresh;
    const h = graph.multiply(o, graph.tanh(c));
    [h, c, i, f, g, o].forEach((part, k) => parts[k].push(part));
    before = { h, c };
  }
  return graph.view(graph.concat(parts.flat(), 0), shape);
};

/** Backpropagation through time (Werbos 1990), from the saved states. */
export const lstmGradient: Decomposition = (graph, { shape }, [d, wh, states]) => {
  const [steps, batch, width] = shape;
  const hidden = width / 4;
  const state = (k: number, t: number) =>
    graph.view(graph.slice(graph.slice(states, 0, k, k + 1), 1, t, t + 1), [batch, hidden]);
  const product = (...values: Value[]) => values.reduce((a, b) => graph.multiply(a, b));
  const complement = (a: Value) => graph.shift(graph.scale(a, -1), 1);
  const found: Value[] = [];
  let fromLater: { h: Value; c: Value } | undefined;
  for (let t = steps - 1; t >= 0; t--) {
    const [c, i, f, g, o] = [1, 2, 3, 4, 5].map((k) => state(k, t));
    const own = graph.view(graph.slice(d, 0, t, t + 1), [batch, hidden]);
    const dh = fromLater ? graph.add(own, fromLater.h) : own;
    const bounded = graph.tanh(c);
    const through = product(dh, o, complement(graph.multiply(bounded, bounded)));
    const dc = fromLater ? graph.add(through, fromLater.c) : through;
    const dg = graph.concat(
      [
        product(dc, g, i, complement(i)),
        t > 0 ? product(dc, state(1, t - 1), f, complement(f)) : graph.constant([batch, hidden], 0),
        product(dc, i, complement(graph.multiply(g, g))),
        product(dh, bounded, o, complement(o)),
      ],
      1,
    );
    found.unshift(dg);
    fromLater = { h: graph.matmul(dg, wh, false, true), c: graph.multiply(dc, f) };
  }
  return graph.view(graph.concat(found, 0), shape);
};
