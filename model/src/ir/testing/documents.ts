/** Documents that use what `testing/models.ts` does not, as plain JSON that a test may change. */

export interface MutableDocument {
  [key: string]: unknown;
  inputs: Record<string, unknown>[];
  params: Record<string, unknown>[];
  nodes: Record<string, unknown>[];
  loss: Record<string, unknown>;
}

const normal = { kind: 'normal', deviation: 0.1 };
const zeros = { kind: 'zeros' };
const ones = { kind: 'ones' };

/** A label for each of six tokens of a vocabulary of 11. */
export function language(): MutableDocument {
  return {
    umir: 1,
    opset: 1,
    name: 'language',
    inputs: [
      { id: 'x', shape: ['B', 6], dtype: 'i32', vocabulary: 11 },
      { id: 'y', shape: ['B', 6], dtype: 'i32', role: 'label', classes: 11 },
    ],
    params: [
      { id: 'table', shape: [11, 8], init: normal },
      { id: 'places', shape: [6, 8], init: normal },
      { id: 'gamma', shape: [8], init: ones },
      { id: 'beta', shape: [8], init: zeros },
      { id: 'w', shape: [8, 11], init: { kind: 'glorotUniform' }, group: 'head' },
    ],
    nodes: [
      { op: 'embedding', in: ['x', 'table'], out: 'e' },
      { op: 'add', in: ['e', 'places'], out: 'p' },
      { op: 'attention', in: ['p', 'p', 'p'], out: 'a', attrs: { heads: 2, causal: true } },
      { op: 'add', in: ['p', 'a'], out: 'r' },
      { op: 'layerNorm', in: ['r', 'gamma', 'beta'], out: 'n' },
      { op: 'dropout', in: ['n'], out: 'd', attrs: { rate: 0.1 } },
      { op: 'dense', in: ['d', 'w'], out: 'logits' },
    ],
    loss: { op: 'softmaxCrossEntropy', in: ['logits', 'y'] },
    metrics: ['perplexity', { kind: 'topK', k: 3 }],
    optimiser: { kind: 'adamw', rate: 0.001, weightDecay: 0.1 },
  };
}

/** Two values for each example, normalised over the batch. */
export function regression(): MutableDocument {
  return {
    umir: 1,
    opset: 1,
    name: 'regression',
    inputs: [
      { id: 'x', shape: ['B', 4] },
      { id: 'y', shape: ['B', 2], dtype: 'f32', role: 'label' },
    ],
    params: [
      { id: 'w', shape: [4, 2], init: normal },
      { id: 'gamma', shape: [2], init: ones },
      { id: 'beta', shape: [2], init: zeros },
    ],
    nodes: [
      { op: 'dense', in: ['x', 'w'], out: 'h' },
      { op: 'batchNorm', in: ['h', 'gamma', 'beta'], out: 'z' },
    ],
    loss: { op: 'huber', in: ['z', 'y'], delta: 1 },
    optimiser: { kind: 'sgd', rate: 0.1, momentum: 0.9, nesterov: true },
  };
}

/** Images [8, 8, 2] through every op that other documents leave out. */
export function everyOp(): MutableDocument {
  const node = (op: string, inputs: string[], out: string, attrs?: object) => ({
    op,
    in: inputs,
    out,
    ...(attrs && { attrs }),
  });
  const parameter = (id: string, ...shape: number[]) => ({ id, shape, init: normal });
  return {
    umir: 1,
    opset: 1,
    name: 'every-op',
    inputs: [
      { id: 'x', shape: ['B', 8, 8, 2] },
      { id: 'y', shape: ['B', 3], dtype: 'f32', role: 'label' },
    ],
    params: [
      parameter('conv/w', 3, 3, 2, 4),
      parameter('conv/b', 4),
      parameter('depth/w', 3, 3, 4),
      parameter('gamma', 4),
      parameter('beta', 4),
      parameter('lstm/wx', 4, 16),
      parameter('lstm/wh', 4, 16),
      parameter('lstm/b', 16),
      parameter('gru/wx', 4, 12),
      parameter('gru/wh', 4, 12),
      parameter('gru/bx', 12),
      parameter('gru/bh', 12),
      parameter('out/w', 28, 3),
    ],
    nodes: [
      node('conv2d', ['x', 'conv/w', 'conv/b'], 'c', { pads: [1, 1, 1, 1] }),
      node('depthwiseConv2d', ['c', 'depth/w'], 'd', { strides: [2, 2], pads: [1, 1, 1, 1] }),
      node('groupNorm', ['d', 'gamma', 'beta'], 'g', { groups: 2 }),
      node('gelu', ['g'], 'a', { variant: 'tanh' }),
      node('maxPool2d', ['c'], 'p', { size: [2, 2] }),
      node('avgPool2d', ['c'], 'v', { size: [2, 2] }),
      node('mul', ['p', 'v'], 'm'),
      node('add', ['a', 'm'], 's'),
      node('globalAvgPool2d', ['s'], 'mean'),
      node('globalMaxPool2d', ['s'], 'top'),
      node('reshape', ['s'], 'line', { shape: [16, 4] }),
      node('slice', ['line'], 'half', { axis: 1, start: 0, end: 8 }),
      node('lstm', ['half', 'lstm/wx', 'lstm/wh', 'lstm/b'], 'states'),
      node('gru', ['states', 'gru/wx', 'gru/wh', 'gru/bx', 'gru/bh'], 'last', { output: 'last' }),
      node('attention', ['half', 'line', 'line'], 'seen', { heads: 2 }),
      node('softmax', ['seen'], 'soft'),
      node('globalMaxPool1d', ['soft'], 'most'),
      node('transpose', ['seen'], 'turned', { axes: [2, 1] }),
      node('reduce', ['turned'], 'r1', { kind: 'max', axes: [2] }),
      node('reduce', ['s'], 'r2', { kind: 'mean', axes: [1, 2] }),
      node('reduce', ['s'], 'r3', { kind: 'sum', axes: [1, 3], keep: true }),
      node('flatten', ['r3'], 'f3'),
      node('sigmoid', ['f3'], 'bounded'),
      node('concat', ['mean', 'top', 'last', 'most', 'r1', 'r2', 'bounded'], 'all', { axis: 1 }),
      node('dense', ['all', 'out/w'], 'logits'),
    ],
    loss: { op: 'binaryCrossEntropy', in: ['logits', 'y'] },
  };
}
