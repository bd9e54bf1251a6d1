import type { Model } from '../ir/model.ts';
import type { Attributes, LossIr } from '../ir/schema.ts';
import type { Batch } from '../program/program.ts';
import type { ParameterLayout } from '../parameters/layout.ts';
import { at, each, tensor, zeros, type Tensor } from './tensor.ts';

/**
 * A model from the words of its documentation: every op in float64, one element at a time, without graphs, plans or
 * kernels. Whatever the engine computes is held against it.
 * @returns The loss of every label (classes) or row (values), as the program sums them.
 */
export function naiveLosses(
  model: Model,
  layout: ParameterLayout,
  values: ArrayLike<number>,
  batch: Batch,
): number[] {
  const known = new Map<string, Tensor>();
  for (const { name, shape, offset, size } of layout.entries)
    known.set(
      name,
      tensor(
        shape,
        Array.from({ length: size }, (_, i) => values[offset + i]),
      ),
    );
  const features = model.ir.inputs.find(({ role }) => role === 'features')!;
  known.set(features.id, tensor([batch.count, ...model.inputShape], batch.x));
  for (const { op, in: inputs, out, attrs } of model.ir.nodes)
    known.set(
      out,
      definitions[op](
        inputs.map((id) => known.get(id)!),
        attrs,
      ),
    );
  const found = known.get(model.loss.in[0])!;
  return lossesOf(model.loss, found, tensor([batch.count, ...model.labelShape], batch.y));
}

type Definition = (inputs: readonly Tensor[], attributes: Attributes) => Tensor;

const whole = (attributes: Attributes, key: string) => attributes[key] as number;
const list = (attributes: Attributes, key: string) => attributes[key] as readonly number[];
const map =
  (f: (x: number) => number): Definition =>
  ([x]) =>
    each(x.shape, (index) => f(at(x, index)));
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/** Abramowitz and Stegun 7.1.5, the series: slow, and right to the last digits for the small arguments of tests. */
function erf(x: number): number {
  let [term, sum] = [x, x];
  for (let n = 1; n < 120; n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

function sumOver(length: number, f: (i: number) => number): number {
  let sum = 0;
  for (let i = 0; i < length; i++) sum += f(i);
  return sum;
}

/** b at the last axes of an index of a. */
const tail = (b: Tensor, index: readonly number[]) => at(b, index.slice(index.length - b.shape.length));

const biasAt = (bias: readonly Tensor[], channel: number) => (bias.length > 0 ? at(bias[0], [channel]) : 0);

const dense: Definition = ([x, w, ...bias]) =>
  each([...x.shape.slice(0, -1), w.shape[1]], (index) => {
    const [row, out] = [index.slice(0, -1), index.at(-1)!];
    return sumOver(w.shape[0], (i) => at(x, [...row, i]) * at(w, [i, out])) + biasAt(bias, out);
  });

interface Window {
  readonly size: readonly number[];
  readonly strides: readonly number[];
  /** Before the first row, and before the first column. */
  readonly before: readonly number[];
  readonly after: readonly number[];
}

function outputAxes(axes: readonly number[], { size, strides, before, after }: Window): number[] {
  return axes.map((length, i) => Math.floor((length + before[i] + after[i] - size[i]) / strides[i]) + 1);
}

/** Places of the window over [y, x], with their place inside it; undefined outside the image. */
function taps(
  axes: readonly number[],
  { size, strides, before }: Window,
  place: readonly number[],
): { tap: number[]; from: number[] }[] {
  const found: { tap: number[]; from: number[] }[] = [];
  for (let h = 0; h < size[0]; h++)
    for (let w = 0; w < size[1]; w++) {
      const from = [h, w].map((tap, i) => place[i] * strides[i] + tap - before[i]);
      if (from.every((f, i) => f >= 0 && f < axes[i])) found.push({ tap: [h, w], from });
    }
  return found;
}

function windowOf(attributes: Attributes, size: readonly number[]): Window {
  const pads = list(attributes, 'pads');
  return {
    size,
    strides: list(attributes, 'strides'),
    before: [pads[0], pads[2]],
    after: [pads[1], pads[3]],
  };
}

const conv2d: Definition = ([x, w, ...bias], attributes) => {
  const axes = x.shape.slice(1, 3);
  const window = windowOf(attributes, w.shape.slice(0, 2));
  return each([x.shape[0], ...outputAxes(axes, window), w.shape[3]], ([n, oy, ox, f]) => {
    const found = taps(axes, window, [oy, ox]);
    const sum = found.reduce(
      (total, { tap, from }) =>
        total + sumOver(x.shape[3], (c) => at(x, [n, ...from, c]) * at(w, [...tap, c, f])),
      0,
    );
    return sum + biasAt(bias, f);
  });
};

const depthwiseConv2d: Definition = ([x, w, ...bias], attributes) => {
  const axes = x.shape.slice(1, 3);
  const window = windowOf(attributes, w.shape.slice(0, 2));
  return each([x.shape[0], ...outputAxes(axes, window), x.shape[3]], ([n, oy, ox, c]) => {
    const found = taps(axes, window, [oy, ox]);
    const sum = found.reduce(
      (total, { tap, from }) => total + at(x, [n, ...from, c]) * at(w, [...tap, c]),
      0,
    );
    return sum + biasAt(bias, c);
  });
};

const asImage = (x: Tensor): Tensor => ({ ...x, shape: [x.shape[0], 1, ...x.shape.slice(1)] });
const asSignal = (x: Tensor): Tensor => ({ ...x, shape: [x.shape[0], ...x.shape.slice(2)] });

const conv1d: Definition = ([x, w, ...bias], attributes) => {
  const [before, after] = list(attributes, 'pads');
  const inputs = [asImage(x), { ...w, shape: [1, ...w.shape] }, ...bias];
  const strides = [1, whole(attributes, 'stride')];
  return asSignal(conv2d(inputs, { strides, pads: [0, 0, before, after] }));
};

type Pool = (values: number[]) => number;
const largest: Pool = (values) => Math.max(...values);
const mean: Pool = (values) => sumOver(values.length, (i) => values[i]) / values.length;

const pool2d =
  (pool: Pool): Definition =>
  ([x], attributes) => {
    const axes = x.shape.slice(1, 3);
    const window = {
      size: list(attributes, 'size'),
      strides: list(attributes, 'strides'),
      before: [0, 0],
      after: [0, 0],
    };
    return each([x.shape[0], ...outputAxes(axes, window), x.shape[3]], ([n, oy, ox, c]) =>
      pool(taps(axes, window, [oy, ox]).map(({ from }) => at(x, [n, ...from, c]))),
    );
  };

const pool1d =
  (pool: Pool): Definition =>
  ([x], attributes) =>
    asSignal(
      pool2d(pool)([asImage(x)], {
        size: [1, whole(attributes, 'size')],
        strides: [1, whole(attributes, 'stride')],
      }),
    );

/** Over all axes between batch and channels. */
const globalPool =
  (pool: Pool): Definition =>
  ([x]) => {
    const places = x.shape.slice(1, -1);
    return each([x.shape[0], x.shape.at(-1)!], ([n, c]) =>
      pool([...each(places, (place) => at(x, [n, ...place, c])).data]),
    );
  };

/** Normalises each of the groups that `groupOf` names, then scales and shifts channels. */
const norm =
  (groupOf: (index: readonly number[], x: Tensor, attributes: Attributes) => string): Definition =>
  ([x, gamma, beta], attributes) => {
    const groups = new Map<string, number[]>();
    each(x.shape, (index) => {
      const key = groupOf(index, x, attributes);
      groups.set(key, [...(groups.get(key) ?? []), at(x, index)]);
      return 0;
    });
    return each(x.shape, (index) => {
      const values = groups.get(groupOf(index, x, attributes))!;
      const centre = mean(values);
      const variance = mean(values.map((value) => (value - centre) ** 2));
      const y = (at(x, index) - centre) / Math.sqrt(variance + whole(attributes, 'epsilon'));
      return y * at(gamma, [index.at(-1)!]) + at(beta, [index.at(-1)!]);
    });
  };

/** One layer of a recurrent network: `step` makes the next state of one example from its input and the last. */
const recurrent =
  (
    hidden: (inputs: readonly Tensor[]) => number,
    step: (
      inputs: readonly Tensor[],
      x: readonly number[],
      state: { h: number[]; c: number[] },
    ) => { h: number[]; c: number[] },
  ): Definition =>
  (inputs, attributes) => {
    const [x] = inputs;
    const [batch, steps, channels] = x.shape;
    const size = hidden(inputs);
    const sequence = zeros([batch, steps, size]);
    for (let n = 0; n < batch; n++) {
      let state = { h: new Array<number>(size).fill(0), c: new Array<number>(size).fill(0) };
      for (let t = 0; t < steps; t++) {
        const row = Array.from({ length: channels }, (_, c) => at(x, [n, t, c]));
        state = step(inputs, row, state);
        state.h.forEach((value, j) => (sequence.data[(n * steps + t) * size + j] = value));
      }
    }
    return attributes['output'] === 'last'
      ? each([batch, size], ([n, j]) => at(sequence, [n, steps - 1, j]))
      : sequence;
  };

const weigh = (x: readonly number[], w: Tensor, column: number) =>
  sumOver(x.length, (i) => x[i] * at(w, [i, column]));

const lstm = recurrent(
  ([, , wh]) => wh.shape[0],
  ([, wx, wh, b], x, { h, c }) => {
    const size = h.length;
    const gate = (k: number, j: number) =>
      weigh(x, wx, k * size + j) + weigh(h, wh, k * size + j) + at(b, [k * size + j]);
    const next = c.map((old, j) => sigmoid(gate(1, j)) * old + sigmoid(gate(0, j)) * Math.tanh(gate(2, j)));
    return { h: next.map((value, j) => sigmoid(gate(3, j)) * Math.tanh(value)), c: next };
  },
);

const gru = recurrent(
  ([, , wh]) => wh.shape[0],
  ([, wx, wh, bx, bh], x, { h, c }) => {
    const size = h.length;
    const fromX = (k: number, j: number) => weigh(x, wx, k * size + j) + at(bx, [k * size + j]);
    const fromH = (k: number, j: number) => weigh(h, wh, k * size + j) + at(bh, [k * size + j]);
    return {
      h: h.map((old, j) => {
        const [r, z] = [0, 1].map((k) => sigmoid(fromX(k, j) + fromH(k, j)));
        return (1 - z) * Math.tanh(fromX(2, j) + r * fromH(2, j)) + z * old;
      }),
      c,
    };
  },
);

const attention: Definition = ([q, k, v], attributes) => {
  const heads = whole(attributes, 'heads');
  const [batch, rows, width] = q.shape;
  const places = k.shape[1];
  const size = width / heads;
  return each([batch, rows, width], ([n, i, column]) => {
    const first = Math.floor(column / size) * size;
    const seen = attributes['causal'] === true ? i + places - rows + 1 : places;
    const scores = Array.from(
      { length: seen },
      (_, j) => sumOver(size, (d) => at(q, [n, i, first + d]) * at(k, [n, j, first + d])) / Math.sqrt(size),
    );
    const total = sumOver(seen, (j) => Math.exp(scores[j]));
    return sumOver(seen, (j) => (Math.exp(scores[j]) / total) * at(v, [n, j, column]));
  });
};

const reduce: Definition = ([x], attributes) => {
  const axes = list(attributes, 'axes');
  const among = axes.map((axis) => x.shape[axis]);
  const kept = x.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const reduced = each(
    kept.map((axis) => x.shape[axis]),
    (outer) => {
      const values = [
        ...each(among, (inner) => {
          const index = x.shape.map((_, axis) =>
            axes.includes(axis) ? inner[axes.indexOf(axis)] : outer[kept.indexOf(axis)],
          );
          return at(x, index);
        }).data,
      ];
      if (attributes['kind'] === 'max') return largest(values);
      return attributes['kind'] === 'mean' ? mean(values) : mean(values) * values.length;
    },
  );
  if (attributes['keep'] !== true) return reduced;
  return { ...reduced, shape: x.shape.map((length, axis) => (axes.includes(axis) ? 1 : length)) };
};

const concat: Definition = (inputs, attributes) => {
  const axis = whole(attributes, 'axis');
  const shape = [...inputs[0].shape];
  shape[axis] = sumOver(inputs.length, (i) => inputs[i].shape[axis]);
  return each(shape, (index) => {
    let [which, place] = [0, index[axis]];
    while (place >= inputs[which].shape[axis]) place -= inputs[which++].shape[axis];
    return at(
      inputs[which],
      index.map((i, k) => (k === axis ? place : i)),
    );
  });
};

const definitions: Readonly<Record<string, Definition>> = {
  standardise: ([x, centre, inverse]) =>
    each(x.shape, (index) => (at(x, index) - tail(centre, index)) * tail(inverse, index)),
  flatten: ([x]) => ({ ...x, shape: [x.shape[0], x.data.length / x.shape[0]] }),
  dense,
  conv1d,
  conv2d,
  depthwiseConv2d,
  maxPool1d: pool1d(largest),
  avgPool1d: pool1d(mean),
  maxPool2d: pool2d(largest),
  avgPool2d: pool2d(mean),
  globalAvgPool1d: globalPool(mean),
  globalMaxPool1d: globalPool(largest),
  globalAvgPool2d: globalPool(mean),
  globalMaxPool2d: globalPool(largest),
  batchNorm: norm((index) => `${index.at(-1)!}`),
  layerNorm: norm((index) => index.slice(0, -1).join()),
  groupNorm: norm((index, x, attributes) => {
    const size = x.shape.at(-1)! / whole(attributes, 'groups');
    return `${index[0]} ${Math.floor(index.at(-1)! / size)}`;
  }),
  embedding: ([x, table]) =>
    each([...x.shape, table.shape[1]], (index) => at(table, [at(x, index.slice(0, -1)), index.at(-1)!])),
  lstm,
  gru,
  attention,
  relu: map((x) => Math.max(x, 0)),
  tanh: map(Math.tanh),
  sigmoid: map(sigmoid),
  gelu: ([x], attributes) =>
    attributes['variant'] === 'erf'
      ? map((v) => (v * (1 + erf(v / Math.SQRT2))) / 2)([x], attributes)
      : map((v) => (v * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3)))) / 2)(
          [x],
          attributes,
        ),
  softmax: ([x]) =>
    each(x.shape, (index) => {
      const row = index.slice(0, -1);
      return Math.exp(at(x, index)) / sumOver(x.shape.at(-1)!, (i) => Math.exp(at(x, [...row, i])));
    }),
  add: ([a, b]) => each(a.shape, (index) => at(a, index) + tail(b, index)),
  mul: ([a, b]) => each(a.shape, (index) => at(a, index) * tail(b, index)),
  concat,
  reshape: ([x], attributes) => ({ ...x, shape: [x.shape[0], ...list(attributes, 'shape')] }),
  transpose([x], attributes) {
    const axes = [0, ...list(attributes, 'axes')];
    return each(
      axes.map((axis) => x.shape[axis]),
      (index) =>
        at(
          x,
          axes.map((_, axis) => index[axes.indexOf(axis)]),
        ),
    );
  },
  slice([x], attributes) {
    const [axis, start] = [whole(attributes, 'axis'), whole(attributes, 'start')];
    const shape = x.shape.map((length, k) => (k === axis ? whole(attributes, 'end') - start : length));
    return each(shape, (index) =>
      at(
        x,
        index.map((i, k) => (k === axis ? i + start : i)),
      ),
    );
  },
  reduce,
  dropout: ([x]) => x,
};

function lossesOf(loss: LossIr, found: Tensor, wanted: Tensor): number[] {
  if (loss.op === 'softmaxCrossEntropy') {
    const classes = found.shape.at(-1)!;
    return Array.from(wanted.data, (label, i) => {
      const logits = Array.from(found.data.subarray(i * classes, (i + 1) * classes));
      return Math.log(sumOver(classes, (c) => Math.exp(logits[c]))) - logits[label];
    });
  }
  const perRow = found.data.length / found.shape[0];
  const errors = Array.from(found.data, (y, i) => errorOf(loss, y, wanted.data[i]));
  return Array.from({ length: found.shape[0] }, (_, n) => mean(errors.slice(n * perRow, (n + 1) * perRow)));
}

function errorOf(loss: LossIr, y: number, wanted: number): number {
  switch (loss.op) {
    case 'binaryCrossEntropy':
      return -(wanted * Math.log(sigmoid(y)) + (1 - wanted) * Math.log(1 - sigmoid(y)));
    case 'huber': {
      const size = Math.abs(y - wanted);
      return size <= loss.delta ? size ** 2 / 2 : loss.delta * (size - loss.delta / 2);
    }
    default:
      return (y - wanted) ** 2;
  }
}
