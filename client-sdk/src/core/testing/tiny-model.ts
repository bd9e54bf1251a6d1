import { initialise, parseModel, type Examples } from '@starling/model';
import { canonicalJson, sha256, utf8Encode, writeWeights } from '@starling/protocol';
import type { FetchedModel } from '../ports.ts';

/** Two features, two classes, one dense layer: as small as a model can be and still learn. */
export const tinyIr = {
  umir: 1,
  opset: 1,
  name: 'tiny',
  inputs: [
    { id: 'x', shape: ['B', 2] },
    { id: 'y', shape: ['B'], dtype: 'i32', role: 'label', classes: 2 },
  ],
  params: [
    { id: 'w', shape: [2, 2], init: { kind: 'uniform', fan: 2 } },
    { id: 'b', shape: [2], init: { kind: 'zeros' } },
  ],
  nodes: [{ op: 'dense', in: ['x', 'w', 'b'], out: 'logits' }],
  loss: { op: 'softmaxCrossEntropy', in: ['logits', 'y'] },
  metrics: ['accuracy'],
};

/** Weights and rates: w (4) and b (2). */
export const tinySize = 6;

export function tinyFetched(options: { learnedRates?: number } = {}): FetchedModel {
  const json = utf8Encode(canonicalJson(tinyIr));
  const { layout, values } = initialise(parseModel(tinyIr), 7, options);
  return {
    ir: { digest: sha256(json), json },
    weights: writeWeights(layout, values),
    learnedRates: options.learnedRates !== undefined,
  };
}

/** `count` rows of which the sign of the first feature is the class. */
export function tinyExamples(count = 24): Examples {
  const x = Float32Array.from({ length: 2 * count }, (_, i) =>
    i % 2 === 0 ? ((i / 2) % 2 === 0 ? 1 : -1) * (1 + ((i * 7) % 5) / 10) : ((i * 13) % 11) / 10 - 0.5,
  );
  return { x, y: Int32Array.from({ length: count }, (_, row) => (x[2 * row]! > 0 ? 1 : 0)), count };
}
