import { parseModel, stream, type Batch, type Model } from '@starling/model';

/** A model with what it learns from, small enough for a GPU in software. */
export interface GpuWorkload {
  readonly model: Model;
  readonly batch: (rows: number, seed: number) => Batch;
}

const frame = { umir: 1, opset: 1 };
const uniform = (fan: number) => ({ kind: 'uniform', fan });
const ones = { kind: 'ones' };
const zeros = { kind: 'zeros' };

function images(node: object, params: readonly object[] = []): GpuWorkload {
  const model = parseModel({
    ...frame,
    name: 'gpu-images',
    inputs: [
      { id: 'x', shape: ['B', 9, 8, 2] },
      { id: 'y', shape: ['B'], dtype: 'i32', role: 'label', classes: 5 },
    ],
    params: [
      { id: 'k1', shape: [3, 3, 2, 6], init: uniform(18) },
      { id: 'b1', shape: [6], init: uniform(18) },
      { id: 'k2', shape: [3, 2, 6, 5], init: uniform(36) },
      { id: 'w', shape: [20, 5], init: uniform(20) },
      { id: 'b', shape: [5], init: uniform(20) },
      ...params,
    ],
    nodes: [
      { op: 'conv2d', in: ['x', 'k1', 'b1'], out: 'c1', attrs: { pads: [1, 1, 1, 1] } },
      { ...node, in: ['c1', ...params.map((param) => (param as { id: string }).id)], out: 'n1' },
      { op: 'relu', in: ['n1'], out: 'a1' },
      { op: 'maxPool2d', in: ['a1'], out: 'p1', attrs: { size: [2, 2] } },
      { op: 'conv2d', in: ['p1', 'k2'], out: 'c2', attrs: { strides: [1, 2] } },
      { op: 'tanh', in: ['c2'], out: 'a2' },
      { op: 'flatten', in: ['a2'], out: 'flat' },
      { op: 'dense', in: ['flat', 'w', 'b'], out: 'logits' },
    ],
    loss: { op: 'softmaxCrossEntropy', in: ['logits', 'y'] },
  });
  return {
    model,
    batch(count, seed) {
      const random = stream(seed, 'images');
      const x = Float32Array.from({ length: count * model.inputSize }, () => 2 * random.nextFloat() - 1);
      return { x, y: Int32Array.from({ length: count }, () => random.below(5)), count };
    },
  };
}

/** Convolution - dropout - relu - pool - convolution - tanh - dense. */
export const convolutional = images({ op: 'dropout', attrs: { rate: 0.25 } });

/** The same with batch norm, whose rows depend on each other. */
export const batchNormed = images({ op: 'batchNorm' }, [
  { id: 'gamma', shape: [6], init: ones },
  { id: 'beta', shape: [6], init: zeros },
]);

/** Embedding, one block of a transformer with causal attention, and a class for each place. */
export const transformer: GpuWorkload = {
  model: parseModel({
    ...frame,
    name: 'gpu-transformer',
    inputs: [
      { id: 'x', shape: ['B', 7], dtype: 'i32', vocabulary: 11 },
      { id: 'y', shape: ['B', 7], dtype: 'i32', role: 'label', classes: 11 },
    ],
    params: [
      { id: 'table', shape: [11, 12], init: { kind: 'normal', deviation: 0.5 } },
      { id: 'places', shape: [7, 12], init: { kind: 'normal', deviation: 0.5 } },
      ...['g1', 'g2'].map((id) => ({ id, shape: [12], init: ones })),
      ...['s1', 's2'].map((id) => ({ id, shape: [12], init: zeros })),
      ...['wq', 'wk', 'wv', 'wo'].map((id) => ({ id, shape: [12, 12], init: uniform(12) })),
      { id: 'w1', shape: [12, 20], init: uniform(12) },
      { id: 'b1', shape: [20], init: uniform(12) },
      { id: 'w2', shape: [20, 12], init: uniform(20) },
      { id: 'head', shape: [12, 11], init: uniform(12) },
    ],
    nodes: [
      { op: 'embedding', in: ['x', 'table'], out: 'e' },
      { op: 'add', in: ['e', 'places'], out: 'h' },
      { op: 'layerNorm', in: ['h', 'g1', 's1'], out: 'n1' },
      { op: 'dense', in: ['n1', 'wq'], out: 'q' },
      { op: 'dense', in: ['n1', 'wk'], out: 'k' },
      { op: 'dense', in: ['n1', 'wv'], out: 'v' },
      { op: 'attention', in: ['q', 'k', 'v'], out: 'mixed', attrs: { heads: 3, causal: true } },
      { op: 'dense', in: ['mixed', 'wo'], out: 'o' },
      { op: 'add', in: ['h', 'o'], out: 'h1' },
      { op: 'layerNorm', in: ['h1', 'g2', 's2'], out: 'n2' },
      { op: 'dense', in: ['n2', 'w1', 'b1'], out: 'wide' },
      { op: 'gelu', in: ['wide'], out: 'active', attrs: { variant: 'erf' } },
      { op: 'dense', in: ['active', 'w2'], out: 'narrow' },
      { op: 'add', in: ['h1', 'narrow'], out: 'h2' },
      { op: 'dense', in: ['h2', 'head'], out: 'logits' },
    ],
    loss: { op: 'softmaxCrossEntropy', in: ['logits', 'y'] },
  }),
  batch(count, seed) {
    const random = stream(seed, 'tokens');
    const draw = () => Int32Array.from({ length: count * 7 }, () => random.below(11));
    return { x: draw(), y: draw(), count };
  },
};
