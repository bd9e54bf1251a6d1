import { describe, expect, it } from 'vitest';
import { imageOf, rowShapeOf, type ModelDocument } from './document.ts';

const withInputs = (inputs: ModelDocument['inputs']): ModelDocument => ({
  inputs,
  params: [],
  nodes: [],
  loss: { op: 'softmaxCrossEntropy' },
});

describe('the row of a model', () => {
  it('has the shape of its features and the classes of its labels', () => {
    const x = { id: 'x', shape: ['B', 28, 28, 1] as const };
    const y = { id: 'y', shape: ['B'] as const, role: 'label' as const, classes: 62 };
    expect(rowShapeOf(withInputs([x, y]))).toEqual({
      shape: [28, 28, 1],
      size: 784,
      classes: 62,
      vocabulary: undefined,
    });
  });

  it('is none where the model answers at every position, or with values', () => {
    const x = { id: 'x', shape: ['B', 80] as const, dtype: 'i32' as const, vocabulary: 90 };
    expect(
      rowShapeOf(withInputs([x, { id: 'y', shape: ['B', 80], role: 'label', classes: 90 }])),
    ).toBeUndefined();
    expect(rowShapeOf(withInputs([x, { id: 'y', shape: ['B'], role: 'label' }]))).toBeUndefined();
  });

  it('is an image when two of its axes are long, and one channel or three follow', () => {
    expect(imageOf([28, 28, 1])).toEqual({ height: 28, width: 28, channels: 1 });
    expect(imageOf([32, 32, 3])).toEqual({ height: 32, width: 32, channels: 3 });
    expect(imageOf([16, 16])).toEqual({ height: 16, width: 16, channels: 1 });
    for (const shape of [[561], [64, 6], [28, 28, 4], [2, 28, 28, 1]]) expect(imageOf(shape)).toBeUndefined();
  });
});
