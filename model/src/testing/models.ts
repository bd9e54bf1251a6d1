/** Models for tests, as plain JSON that a test may change before it is parsed. */

interface MutableJson {
  [key: string]: unknown;
  inputs: Record<string, unknown>[];
  params: Record<string, unknown>[];
  nodes: Record<string, unknown>[];
  loss: Record<string, unknown>;
}

function inputs(row: readonly number[], classes: number): Record<string, unknown>[] {
  return [
    { id: 'x', shape: ['B', ...row] },
    { id: 'y', shape: ['B'], dtype: 'i32', role: 'label', classes },
  ];
}

function weights(name: string, shape: readonly number[], group: string): Record<string, unknown>[] {
  const fan = shape.slice(0, -1).reduce((product, axis) => product * axis, 1);
  const init = { kind: 'uniform', fan };
  return [
    { id: `${name}/w`, shape: [...shape], init, group },
    { id: `${name}/b`, shape: [shape.at(-1)], init, group },
  ];
}

const loss = () => ({ op: 'softmaxCrossEntropy', in: ['logits', 'y'] });

/** standardise - dense - tanh or relu - dense. */
export function mlp(features: number, hidden: number, classes: number, activation = 'tanh'): MutableJson {
  return {
    umir: 1,
    opset: 1,
    name: 'test-mlp',
    inputs: inputs([features], classes),
    params: [
      { id: 'input/mean', shape: [features], init: { kind: 'inputMean' } },
      { id: 'input/inverse-sd', shape: [features], init: { kind: 'inputInverseSd' } },
      ...weights('hidden', [features, hidden], 'body'),
      ...weights('output', [hidden, classes], 'head'),
    ],
    nodes: [
      { op: 'standardise', in: ['x', 'input/mean', 'input/inverse-sd'], out: 'z' },
      { op: 'dense', in: ['z', 'hidden/w', 'hidden/b'], out: 'h' },
      { op: activation, in: ['h'], out: 'active' },
      { op: 'dense', in: ['active', 'output/w', 'output/b'], out: 'logits' },
    ],
    loss: loss(),
    metrics: ['accuracy'],
  };
}

/** Two convolutions over time, every kind of pooling, one hidden layer. */
export function cnn(time: number, channels: number, classes: number): MutableJson {
  const halved = Math.floor((time + 1) / 2);
  return {
    umir: 1,
    opset: 1,
    name: 'test-cnn',
    inputs: inputs([time, channels], classes),
    params: [
      ...weights('first', [3, channels, 4], 'body'),
      ...weights('second', [2, 4, 5], 'body'),
      ...weights('output', [5, classes], 'head'),
    ],
    nodes: [
      { op: 'conv1d', in: ['x', 'first/w', 'first/b'], out: 'c1', attrs: { stride: 2, pads: [1, 1] } },
      { op: 'tanh', in: ['c1'], out: 'a1' },
      { op: 'maxPool1d', in: ['a1'], out: 'p1', attrs: { size: 2, stride: 1 } },
      { op: 'conv1d', in: ['p1', 'second/w', 'second/b'], out: 'c2', attrs: { pads: [1, 0] } },
      { op: 'avgPool1d', in: ['c2'], out: 'p2', attrs: { size: Math.min(2, halved - 1) } },
      { op: 'globalAvgPool1d', in: ['p2'], out: 'mean' },
      { op: 'flatten', in: ['mean'], out: 'flat' },
      { op: 'dense', in: ['flat', 'output/w', 'output/b'], out: 'logits' },
    ],
    loss: loss(),
  };
}
