/**
 * TensorFlow.js on its WebAssembly backend, one thread: node tfjs.mjs DIRECTORY, where DIRECTORY can resolve
 * @tensorflow/tfjs and @tensorflow/tfjs-backend-wasm. An interpreter of the IR for the ops that the workloads use,
 * with the two repairs without which it cannot train them, or not at its speed.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { serve } from '../dist/serve.js';

const require = createRequire(resolve(process.argv[2] ?? '.', 'resolve-from-here.js'));
const tf = require('@tensorflow/tfjs');
const wasm = require('@tensorflow/tfjs-backend-wasm');

wasm.setWasmPaths(join(dirname(require.resolve('@tensorflow/tfjs-backend-wasm/package.json')), 'dist/'));
wasm.setThreadsCount(1);
await tf.setBackend('wasm');
await tf.ready();

/** The backend has no kernel for the gradient of filters (tfjs issue 8474): a convolution with batch and channels exchanged. */
tf.registerKernel({
  kernelName: 'Conv2DBackpropFilter',
  backendName: 'wasm',
  kernelFunc({ inputs, attrs }) {
    if ([attrs.strides].flat().some((stride) => stride !== 1))
      throw new Error('Only strides of 1 are supported.');
    const tensor = (info) => tf.engine().makeTensorFromTensorInfo(info);
    return tf.tidy(() => {
      const [, height, width] = inputs.x.shape;
      const [filterHeight, filterWidth] = attrs.filterShape;
      const [, outHeight, outWidth] = inputs.dy.shape;
      const around = (length, filter, out) => {
        const total = out - 1 + filter - length;
        return [Math.floor(total / 2), Math.ceil(total / 2)];
      };
      const images = tf.pad(tf.transpose(tensor(inputs.x), [3, 1, 2, 0]), [
        [0, 0],
        around(height, filterHeight, outHeight),
        around(width, filterWidth, outWidth),
        [0, 0],
      ]);
      const filters = tf.transpose(tensor(inputs.dy), [1, 2, 0, 3]);
      return tf.transpose(tf.conv2d(images, filters, 1, 'valid'), [1, 2, 0, 3]);
    });
  },
});

/** Products with transposed operands run in a naive loop there: transpose first, so that XNNPACK multiplies. */
const turned = (x) => tf.transpose(x, x.rank === 3 ? [0, 2, 1] : [1, 0]);
tf.registerGradient({
  kernelName: 'BatchMatMul',
  inputsToSave: ['a', 'b'],
  gradFunc(dy, [a, b], { transposeA, transposeB }) {
    if (transposeA || transposeB)
      throw new Error('Only products of operands as they are have this gradient.');
    return { a: () => tf.matMul(dy, turned(b)), b: () => tf.matMul(turned(a), dy) };
  },
});

const dense = (x, w, b) => {
  const rows = tf.matMul(tf.reshape(x, [-1, w.shape[0]]), w);
  return tf.reshape(b ? tf.add(rows, b) : rows, [...x.shape.slice(0, -1), w.shape[1]]);
};

/** `pads`: top, bottom, left, right. */
const convolve = (x, w, b, pads) => {
  const [top, bottom, left, right] = pads;
  const same = top === bottom && left === right && 2 * top + 1 === w.shape[0] && 2 * left + 1 === w.shape[1];
  const padded = same || pads.every((pad) => pad === 0) ? x : tf.pad(x, [[0, 0], [top, bottom], [left, right], [0, 0]]); // prettier-ignore
  const y = tf.conv2d(padded, w, 1, same ? 'same' : 'valid');
  return b ? tf.add(y, b) : y;
};

/** A convolution, and below a pooling, of operations that can be differentiated twice; conv2d and maxPool cannot. */
const convolveTwice = (x, w, b, [top, bottom, left, right]) => {
  const [kernelHeight, kernelWidth, channels, features] = w.shape;
  const padded = tf.pad(x, [[0, 0], [top, bottom], [left, right], [0, 0]]); // prettier-ignore
  const [batch, height, width] = padded.shape;
  const out = [batch, height - kernelHeight + 1, width - kernelWidth + 1];
  const places = [];
  for (let i = 0; i < kernelHeight; i++)
    for (let j = 0; j < kernelWidth; j++) places.push(tf.slice(padded, [0, i, j, 0], [...out, channels]));
  const columns = tf.reshape(tf.concat(places, 3), [-1, kernelHeight * kernelWidth * channels]);
  const y = tf.reshape(tf.matMul(columns, tf.reshape(w, [-1, features])), [...out, features]);
  return b ? tf.add(y, b) : y;
};

const larger = (a, b) => tf.add(a, tf.relu(tf.sub(b, a)));
const halveTwice = (x) => {
  const [batch, height, width, channels] = x.shape;
  const [h, w] = [height >> 1, width >> 1];
  const even = tf.reshape(tf.slice(x, [0, 0, 0, 0], [batch, 2 * h, 2 * w, channels]), [batch * h, 2, 2 * w * channels]); // prettier-ignore
  const [upper, lower] = tf.split(even, 2, 1);
  const [left, right] = tf.split(tf.reshape(larger(upper, lower), [batch * h * w, 2, channels]), 2, 1);
  return tf.reshape(larger(left, right), [batch, h, w, channels]);
};

const normalise = (x, gamma, beta, axes, epsilon) => {
  const centred = tf.sub(x, tf.mean(x, axes, true));
  const variance = tf.mean(tf.mul(centred, centred), axes, true);
  return tf.add(tf.mul(tf.mul(centred, tf.rsqrt(tf.add(variance, epsilon))), gamma), beta);
};

const lstm = (x, wx, wh, b, last) => {
  const [batch, steps] = x.shape;
  const hidden = wh.shape[0];
  const gates = tf.reshape(dense(tf.transpose(x, [1, 0, 2]), wx, b), [steps, batch, 4 * hidden]);
  const outputs = [];
  let h;
  let c;
  for (const [t, own] of tf.split(gates, steps, 0).entries()) {
    const input = tf.reshape(own, [batch, 4 * hidden]);
    const [i, f, g, o] = tf.split(t === 0 ? input : tf.add(input, tf.matMul(h, wh)), 4, 1);
    const fresh = tf.mul(tf.sigmoid(i), tf.tanh(g));
    c = t === 0 ? fresh : tf.add(tf.mul(tf.sigmoid(f), c), fresh);
    h = tf.mul(tf.sigmoid(o), tf.tanh(c));
    outputs.push(h);
  }
  return last ? h : tf.transpose(tf.stack(outputs), [1, 0, 2]);
};

const attention = (q, k, v, { heads = 1, causal = false }) => {
  const [batch, steps, width] = q.shape;
  const each = width / heads;
  const apart = (x, axes) => tf.transpose(tf.reshape(x, [batch, -1, heads, each]), axes);
  const queries = tf.reshape(apart(q, [0, 2, 1, 3]), [batch * heads, -1, each]);
  const keys = tf.reshape(apart(k, [0, 2, 3, 1]), [batch * heads, each, -1]);
  const values = tf.reshape(apart(v, [0, 2, 1, 3]), [batch * heads, -1, each]);
  const scores = tf.mul(tf.matMul(queries, keys), 1 / Math.sqrt(each));
  const masked = causal ? tf.add(scores, laterHidden(steps)) : scores;
  const mixed = tf.reshape(tf.matMul(tf.softmax(masked), values), [batch, heads, steps, each]);
  return tf.reshape(tf.transpose(mixed, [0, 2, 1, 3]), [batch, steps, width]);
};

const masks = new Map();
const laterHidden = (steps) => {
  if (!masks.has(steps)) {
    const mask = Float32Array.from({ length: steps * steps }, (_, i) => (i % steps > Math.floor(i / steps) ? -1e9 : 0)); // prettier-ignore
    masks.set(steps, tf.keep(tf.tensor(mask, [steps, steps])));
  }
  return masks.get(steps);
};

const rootTwoOverPi = Math.sqrt(2 / Math.PI);
const geluOfTanh = (x) => {
  const inner = tf.mul(tf.add(x, tf.mul(tf.mul(tf.mul(x, x), x), 0.044715)), rootTwoOverPi);
  return tf.mul(tf.mul(x, 0.5), tf.add(tf.tanh(inner), 1));
};

const asImage = (x) => tf.reshape(x, [x.shape[0], 1, x.shape[1], x.shape[2]]);
const asSequence = (x) => tf.reshape(x, [x.shape[0], x.shape[2], x.shape[3]]);
const firstAxes = (x) => x.shape.map((_, axis) => axis).slice(0, -1);

const operations = (twice) => ({
  dense: ([x, w, b]) => dense(x, w, b),
  conv1d: ([x, w, b], { pads = [0, 0] }) =>
    asSequence(convolve(asImage(x), tf.reshape(w, [1, ...w.shape]), b, [0, 0, ...pads])),
  conv2d: ([x, w, b], { pads = [0, 0, 0, 0] }) => (twice ? convolveTwice : convolve)(x, w, b, pads),
  maxPool1d: ([x], { size }) => asSequence(tf.maxPool(asImage(x), [1, size], [1, size], 'valid')),
  maxPool2d: ([x], { size }) => (twice ? halveTwice(x) : tf.maxPool(x, size, size, 'valid')),
  batchNorm: ([x, gamma, beta], { epsilon = 1e-5 }) => normalise(x, gamma, beta, firstAxes(x), epsilon),
  layerNorm: ([x, gamma, beta], { epsilon = 1e-5 }) => normalise(x, gamma, beta, [-1], epsilon),
  embedding: ([ids, table]) => {
    const hot = tf.cast(tf.oneHot(tf.reshape(ids, [-1]), table.shape[0]), 'float32'); // its gradient by gather has no kernel
    return tf.reshape(tf.matMul(hot, table), [...ids.shape, table.shape[1]]);
  },
  lstm: ([x, wx, wh, b], { output }) => lstm(x, wx, wh, b, output === 'last'),
  attention: ([q, k, v], attrs) => attention(q, k, v, attrs),
  slice: ([x], { axis, start, end }) =>
    tf.slice(
      x,
      x.shape.map((_, i) => (i === axis ? start : 0)),
      x.shape.map((length, i) => (i === axis ? end - start : length)),
    ),
  flatten: ([x]) => tf.reshape(x, [x.shape[0], -1]),
  relu: ([x]) => tf.relu(x),
  gelu: ([x]) => geluOfTanh(x),
  add: ([a, b]) => tf.add(a, b),
});

await serve((fixture) => Promise.resolve(load(fixture)));

function load(fixture) {
  const ir = JSON.parse(readFileSync(fixture.document, 'utf8'));
  const floats = (path) => new Float32Array(new Uint8Array(readFileSync(path)).buffer);
  const integers = (path) => new Int32Array(new Uint8Array(readFileSync(path)).buffer);
  const flat = floats(fixture.params);
  let offset = 0;
  const variables = ir.params.map(({ shape }) => {
    const size = shape.reduce((product, axis) => product * axis, 1);
    offset += size;
    return tf.variable(tf.tensor(flat.slice(offset - size, offset), shape));
  });
  const [features, label] = ir.inputs;
  const rowsOf = ({ rows, x, y }) => {
    const ids = features.dtype === 'i32';
    return {
      x: tf.tensor(ids ? integers(x) : floats(x), [rows, ...features.shape.slice(1)], ids ? 'int32' : 'float32'),
      y: tf.cast(tf.oneHot(tf.tensor1d(integers(y), 'int32'), label.classes), 'float32'),
    }; // prettier-ignore
  };
  const meta = fixture.innerRate !== undefined;
  const known = operations(meta);
  const lossOf = (weights, { x, y }) => {
    const values = new Map([[features.id, x], ...ir.params.map(({ id }, i) => [id, weights[i]])]);
    for (const { op, in: inputs, out, attrs = {} } of ir.nodes)
      values.set(
        out,
        known[op](
          inputs.map((id) => values.get(id)),
          attrs,
        ),
      );
    const logits = tf.reshape(values.get(ir.loss.in[0]), y.shape);
    return tf.neg(tf.mean(tf.sum(tf.mul(tf.logSoftmax(logits), y), -1)));
  };
  let loss;
  if (meta) {
    const [support, query] = [rowsOf(fixture.parts.support), rowsOf(fixture.parts.query)];
    const inner = tf.grads((...weights) => lossOf(weights, support));
    loss = () => {
      const slopes = inner(variables);
      return lossOf(
        variables.map((weight, i) => tf.sub(weight, tf.mul(slopes[i], fixture.innerRate))),
        query,
      );
    };
  } else {
    const batch = rowsOf(fixture.parts.train);
    loss = () => lossOf(variables, batch);
  }
  const optimiser = tf.train.sgd(fixture.rate);
  return {
    step() {
      const value = tf.tidy(() => optimiser.minimize(loss, true, variables));
      const [number] = value.dataSync();
      value.dispose();
      return number;
    },
  };
}
