import { parseModel } from '../ir/parse.ts';
import type { Backend } from '../kernels/backend.ts';
import { initialise } from '../parameters/initialise.ts';
import { compile } from '../program/compile.ts';
import type { Batch } from '../program/program.ts';
import { fnv1a, stream } from '../random/streams.ts';

const rows = 3;
const adam = { kind: 'adam', rate: 0, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 } as const;
const uniform = (fan: number) => ({ kind: 'uniform', fan });
const ones = { kind: 'ones' };
const frame = { umir: 1, opset: 1, loss: { op: 'softmaxCrossEntropy', in: ['logits', 'y'] } };

/** Convolution, pooling, batch norm, dense, tanh. */
const image = {
  ...frame,
  name: 'passport-image',
  inputs: [
    { id: 'x', shape: ['B', 7, 6, 2] },
    { id: 'y', shape: ['B'], dtype: 'i32', role: 'label', classes: 5 },
  ],
  params: [
    { id: 'filter', shape: [3, 3, 2, 9], init: uniform(18) },
    { id: 'gamma', shape: [9], init: ones },
    { id: 'beta', shape: [9], init: { kind: 'zeros' } },
    { id: 'v', shape: [81, 13], init: uniform(81) },
    { id: 'b', shape: [13], init: uniform(81) },
    { id: 'w', shape: [13, 5], init: uniform(13) },
  ],
  nodes: [
    { op: 'conv2d', in: ['x', 'filter'], out: 'c', attrs: { pads: [1, 0, 1, 1] } },
    { op: 'batchNorm', in: ['c', 'gamma', 'beta'], out: 'n' },
    { op: 'relu', in: ['n'], out: 'r' },
    { op: 'maxPool2d', in: ['r'], out: 'p', attrs: { size: [2, 2] } },
    { op: 'flatten', in: ['p'], out: 'f' },
    { op: 'dense', in: ['f', 'v', 'b'], out: 'h' },
    { op: 'tanh', in: ['h'], out: 'a' },
    { op: 'dense', in: ['a', 'w'], out: 'logits' },
  ],
};

/** Embedding, LSTM, attention, layer norm, gelu. */
const sentence = {
  ...frame,
  name: 'passport-sentence',
  inputs: [
    { id: 'x', shape: ['B', 5], dtype: 'i32', vocabulary: 11 },
    { id: 'y', shape: ['B', 5], dtype: 'i32', role: 'label', classes: 7 },
  ],
  params: [
    { id: 'table', shape: [11, 6], init: { kind: 'normal', deviation: 1 } },
    { id: 'wx', shape: [6, 40], init: uniform(10) },
    { id: 'wh', shape: [10, 40], init: uniform(10) },
    { id: 'b', shape: [40], init: uniform(10) },
    { id: 'gamma', shape: [10], init: ones },
    { id: 'beta', shape: [10], init: { kind: 'zeros' } },
    { id: 'w', shape: [10, 7], init: uniform(10) },
  ],
  nodes: [
    { op: 'embedding', in: ['x', 'table'], out: 'e' },
    { op: 'lstm', in: ['e', 'wx', 'wh', 'b'], out: 'h' },
    { op: 'attention', in: ['h', 'h', 'h'], out: 'a', attrs: { heads: 2, causal: true } },
    { op: 'add', in: ['a', 'h'], out: 's' },
    { op: 'layerNorm', in: ['s', 'gamma', 'beta'], out: 'n' },
    { op: 'gelu', in: ['n'], out: 'g', attrs: { variant: 'tanh' } },
    { op: 'dense', in: ['g', 'w'], out: 'logits' },
  ],
};

/**
 * What a backend makes of three steps of Adam on two small models that use most kernels: a digest (FNV-1a, 64 bits, 16
 * hexadecimal digits) of every bit of the weights. Two backends with one passport train alike to the last bit.
 */
export function passportOf(backend: Backend): string {
  let digest = fnv1a([]);
  for (const document of [image, sentence]) {
    const model = parseModel(document);
    const random = stream(1, document.name);
    const draw = (length: number, below: number | undefined) =>
      Float32Array.from({ length }, () =>
        below === undefined ? 2 * random.nextFloat() - 1 : random.below(below),
      );
    const batch: Batch = {
      x: draw(rows * model.inputSize, model.vocabulary),
      y: draw(rows * model.labelSize, model.classes),
      count: rows,
    };
    const trainer = compile(model, { batch: rows, backend }).trainer(initialise(model, 1), {
      optimiser: adam,
    });
    for (let step = 0; step < 3; step++) trainer.step(batch, { rate: 0.05 });
    const { values } = trainer.read();
    digest = fnv1a(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), digest);
  }
  return digest.toString(16).padStart(16, '0');
}
