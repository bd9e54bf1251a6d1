/** Small models that name every op of the IR between them, as they are held against ONNX Runtime. */
import type { Model } from '../../ir/model.ts';
import { layoutOf, type Params } from '../../parameters/layout.ts';
import { stream } from '../../random/streams.ts';

export interface OnnxCase {
  readonly rows: number;
  readonly ir: unknown;
}

type Node = Record<string, unknown> & { readonly out: string };
type Shapes = Readonly<Record<string, readonly number[]>>;

function node(op: string, inputs: string, out: string, attrs?: Record<string, unknown>): Node {
  return { op, in: inputs.split(' '), out, ...(attrs && { attrs }) };
}

const classes = 3;

/** A classifier of rows, or with `labels` of each place. The last node gives the logits. */
function classifier(
  name: string,
  input: { readonly shape: readonly number[]; readonly vocabulary?: number },
  params: Shapes,
  nodes: readonly Node[],
  labels: readonly number[] = [],
): OnnxCase {
  const { shape, vocabulary } = input;
  const x = { id: 'x', shape: ['B', ...shape] };
  return {
    rows: 3,
    ir: {
      umir: 1,
      opset: 1,
      name,
      inputs: [
        vocabulary === undefined ? x : { ...x, dtype: 'i32', vocabulary },
        { id: 'y', shape: ['B', ...labels], dtype: 'i32', role: 'label', classes },
      ],
      params: Object.entries(params).map(([id, axes]) => ({ id, shape: axes, init: { kind: 'zeros' } })),
      nodes,
      loss: { op: 'softmaxCrossEntropy', in: [nodes.at(-1)!.out, 'y'] },
    },
  };
}

const head = (inputs: number): Shapes => ({ 'head/w': [inputs, classes], 'head/b': [classes] });
const toLogits = (x: string) => node('dense', `${x} head/w head/b`, 'logits');

export const onnxCases: Readonly<Record<string, OnnxCase>> = {
  mlp: classifier('mlp', { shape: [4] }, { mean: [4], sd: [4], w: [4, 5], b: [5], v: [5, 4], ...head(4) }, [
    node('standardise', 'x mean sd', 'z'),
    node('dense', 'z w b', 'h'),
    node('tanh', 'h', 'a'),
    node('dropout', 'a', 'dropped', { rate: 0.5 }),
    node('dense', 'dropped v', 'g'),
    node('relu', 'g', 'r'),
    toLogits('r'),
  ]),
  'logits-are-not-last': classifier('alias', { shape: [4] }, head(4), [
    node('dense', 'x head/w head/b', 'h'),
    node('dropout', 'h', 'logits', { rate: 0.5 }),
  ]),
  cnn1d: classifier(
    'cnn1d',
    { shape: [11, 2] },
    { mean: [2], sd: [2], w: [3, 2, 4], b: [4], v: [2, 4, 5], u: [2, 5, 5], ...head(10) },
    [
      node('standardise', 'x mean sd', 'z'),
      node('conv1d', 'z w b', 'c', { stride: 1, pads: [1, 2] }),
      node('relu', 'c', 'r'),
      node('maxPool1d', 'r', 'p', { size: 3, stride: 2 }),
      node('conv1d', 'p v', 'd', { stride: 1, pads: [0, 1] }),
      node('conv1d', 'd u', 'e', { stride: 1, pads: [0, 0] }),
      node('avgPool1d', 'e', 'q', { size: 2 }),
      node('globalAvgPool1d', 'q', 'mean-of-time'),
      node('globalMaxPool1d', 'q', 'peak'),
      node('concat', 'mean-of-time peak', 'both', { axis: 1 }),
      toLogits('both'),
    ],
  ),
  'cnn2d-flatten': classifier(
    'cnn2d',
    { shape: [7, 6, 2] },
    { w: [3, 2, 2, 4], b: [4], d: [2, 3, 4], db: [4], e: [1, 2, 4], ...head(16) },
    [
      node('conv2d', 'x w b', 'c', { strides: [1, 2], pads: [1, 0, 2, 1] }),
      node('gelu', 'c', 'g', { variant: 'erf' }),
      node('maxPool2d', 'g', 'p', { size: [2, 2], strides: [1, 1] }),
      node('depthwiseConv2d', 'p d db', 'k', { strides: [1, 1], pads: [0, 1, 1, 1] }),
      node('depthwiseConv2d', 'k e', 'm', { strides: [2, 1], pads: [0, 0, 1, 0] }),
      node('avgPool2d', 'm', 'q', { size: [2, 2], strides: [1, 1] }),
      node('flatten', 'q', 'f'),
      toLogits('f'),
    ],
  ),
  normalised: classifier(
    'normalised',
    { shape: [4, 5, 2] },
    {
      ...{ w: [2, 2, 2, 6], bg: [6], bb: [6], gg: [6], gb: [6], lg: [6], lb: [6], scale: [6], shift: [4, 6] },
      ...head(12),
    },
    [
      node('conv2d', 'x w', 'c'),
      node('batchNorm', 'c bg bb', 'n'),
      node('sigmoid', 'n', 's'),
      node('groupNorm', 's gg gb', 'g', { groups: 3, epsilon: 0.001 }),
      node('mul', 'g scale', 'm'),
      node('add', 'm shift', 'a'),
      node('add', 'a c', 'residual'),
      node('mul', 'residual n', 'product'),
      node('layerNorm', 'product lg lb', 'l', { epsilon: 0.01 }),
      node('globalMaxPool2d', 'l', 'peak'),
      node('globalAvgPool2d', 'product', 'level'),
      node('concat', 'peak level', 'both', { axis: 1 }),
      toLogits('both'),
    ],
  ),
  'normalised-rows': classifier(
    'normalised-rows',
    { shape: [6] },
    { bg: [6], bb: [6], gg: [6], gb: [6], lg: [6], lb: [6], ...head(6) },
    [
      node('batchNorm', 'x bg bb', 'b', { epsilon: 0.1 }),
      node('groupNorm', 'b gg gb', 'g', { groups: 2 }),
      node('layerNorm', 'g lg lb', 'l'),
      node('softmax', 'l', 's'),
      toLogits('s'),
    ],
  ),
  lstm: classifier(
    'lstm',
    { shape: [5], vocabulary: 7 },
    {
      ...{ table: [7, 4], 'a/x': [4, 12], 'a/h': [3, 12], 'a/b': [12] },
      ...{ 'b/x': [3, 8], 'b/h': [2, 8], 'b/b': [8], ...head(2) },
    },
    [
      node('embedding', 'x table', 'e'),
      node('lstm', 'e a/x a/h a/b', 's', { output: 'sequence' }),
      node('lstm', 's b/x b/h b/b', 'h', { output: 'last' }),
      toLogits('h'),
    ],
  ),
  'lstm-labels-each-step': classifier(
    'lstm-sequence',
    { shape: [4, 3] },
    { wx: [3, 8], wh: [2, 8], b: [8], lg: [2], lb: [2], ...head(2) },
    [
      node('lstm', 'x wx wh b', 's', { output: 'sequence' }),
      node('layerNorm', 's lg lb', 'l'),
      toLogits('l'),
    ],
    [4],
  ),
  gru: classifier(
    'gru',
    { shape: [5, 3] },
    {
      ...{ 'a/x': [3, 12], 'a/h': [4, 12], 'a/bx': [12], 'a/bh': [12] },
      ...{ 'b/x': [4, 6], 'b/h': [2, 6], 'b/bx': [6], 'b/bh': [6], w: [2, 4, 2], ...head(2) },
    },
    [
      node('gru', 'x a/x a/h a/bx a/bh', 's', { output: 'sequence' }),
      node('gru', 's b/x b/h b/bx b/bh', 'h', { output: 'last' }),
      node('conv1d', 's w', 'c'),
      node('globalMaxPool1d', 'c', 'peak'),
      node('add', 'h peak', 'sum'),
      toLogits('sum'),
    ],
  ),
  'attention-causal': classifier(
    'gpt',
    { shape: [5], vocabulary: 6 },
    {
      ...{ table: [6, 4], places: [5, 4], q: [4, 4], k: [4, 4], v: [4, 4], lg: [4], lb: [4] },
      ...{ up: [4, 8], down: [8, 4], ...head(4) },
    },
    [
      node('embedding', 'x table', 'e'),
      node('add', 'e places', 'h'),
      node('layerNorm', 'h lg lb', 'n'),
      node('dense', 'n q', 'query'),
      node('dense', 'n k', 'key'),
      node('dense', 'n v', 'value'),
      node('attention', 'query key value', 'mixed', { heads: 2, causal: true }),
      node('add', 'h mixed', 'h2'),
      node('dense', 'h2 up', 'wide'),
      node('gelu', 'wide', 'bent', { variant: 'tanh' }),
      node('dense', 'bent down', 'narrow'),
      node('add', 'h2 narrow', 'h3'),
      toLogits('h3'),
    ],
    [5],
  ),
  'attention-of-the-last': classifier('attention', { shape: [6, 4] }, head(8), [
    node('slice', 'x', 'last', { axis: 1, start: 4, end: 6 }),
    node('attention', 'last x x', 'all', { heads: 1, causal: false }),
    node('attention', 'all x x', 'seen', { heads: 4, causal: true }),
    node('flatten', 'seen', 'f'),
    toLogits('f'),
  ]),
  'computed-weights': classifier(
    'computed-weights',
    { shape: [5, 2] },
    {
      w: [2, 2, 3],
      b: [3],
      wx: [3, 12],
      'l/h': [3, 12],
      'l/b': [12],
      'g/h': [4, 12],
      'g/b': [12],
      v: [19, 3],
    },
    [
      node('tanh', 'w', 'filters'),
      node('tanh', 'b', 'offset'),
      node('conv1d', 'x filters', 'c'),
      node('add', 'c offset', 'shifted'), // [B, 4, 3]
      node('lstm', 'shifted wx l/h l/b', 'long', { output: 'last' }), // one wx for both, with other gates
      node('gru', 'shifted wx g/h g/b g/b', 'short', { output: 'last' }),
      node('flatten', 'shifted', 'flat'),
      node('concat', 'flat long short', 'all', { axis: 1 }),
      node('sigmoid', 'v', 'weights'),
      node('dense', 'all weights', 'logits'),
    ],
  ),
  places: classifier('places', { shape: [4, 6] }, { w: [2, 6, 4], ...head(20) }, [
    node('conv1d', 'x w', 'c'), // [B, 3, 4]
    node('transpose', 'c', 't', { axes: [2, 1] }), // [B, 4, 3]
    node('slice', 't', 's', { axis: 1, start: 1, end: 3 }), // [B, 2, 3]
    node('concat', 's t s', 'joined', { axis: 1 }), // [B, 8, 3]
    node('reshape', 'joined', 'blocks', { shape: [2, 3, 4] }),
    node('transpose', 'blocks', 'turned', { axes: [3, 1, 2] }), // [B, 4, 2, 3]
    node('reduce', 'turned', 'sums', { kind: 'sum', axes: [3], keep: false }), // [B, 4, 2]
    node('reduce', 'turned', 'peaks', { kind: 'max', axes: [1], keep: true }), // [B, 1, 2, 3]
    node('reduce', 'c', 'means', { kind: 'mean', axes: [2], keep: false }), // [B, 3]
    node('reduce', 't', 'overall', { kind: 'mean', axes: [1, 2], keep: true }), // [B, 1, 1]
    node('reduce', 'turned', 'levels', { kind: 'max', axes: [2, 3], keep: false }), // [B, 4]
    node('flatten', 'sums', 'f1'),
    node('flatten', 'peaks', 'f2'),
    node('flatten', 'overall', 'f3'),
    node('slice', 'levels', 'f4', { axis: 1, start: 2, end: 4 }),
    node('concat', 'f1 f2 means f3 f4', 'all', { axis: 1 }), // 8 + 6 + 3 + 1 + 2
    toLogits('all'),
  ]),
};

/** Parameters and inputs of a case: drawn, so that every gate and channel differs; the same on every machine. */
export function drawCase(model: Model, rows: number): { params: Params; x: Float32Array } {
  const layout = layoutOf(model);
  const random = stream(17, `onnx/${model.name}`);
  const values = Float32Array.from({ length: layout.size }, () => 2 * random.nextFloat() - 1);
  const input = model.ir.inputs.find(({ role }) => role === 'features')!; // every model has one
  const length = rows * model.inputSize;
  const x =
    'vocabulary' in input
      ? Float32Array.from({ length }, () => random.below(input.vocabulary))
      : Float32Array.from({ length }, () => 4 * random.nextFloat() - 2);
  return { params: { layout, values }, x };
}
