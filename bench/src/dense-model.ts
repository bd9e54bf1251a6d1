/** The IR of one dense layer with a bias, of zeros: (inputs + 1) * outputs parameters. */
export function denseModel(inputs: number, outputs: number): object {
  return {
    ...{ umir: 1, opset: 1, name: `dense-${inputs}-${outputs}` },
    inputs: [
      { id: 'x', shape: ['B', inputs] },
      { id: 'y', shape: ['B'], dtype: 'i32', role: 'label', classes: outputs },
    ],
    params: [
      { id: 'w', shape: [inputs, outputs], init: { kind: 'zeros' } },
      { id: 'b', shape: [outputs], init: { kind: 'zeros' } },
    ],
    nodes: [{ op: 'dense', in: ['x', 'w', 'b'], out: 'logits' }],
    loss: { op: 'softmaxCrossEntropy', in: ['logits', 'y'] },
    metrics: ['accuracy'],
  };
}
