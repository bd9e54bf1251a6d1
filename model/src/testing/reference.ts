import { ancestors } from '../graph/gradient.ts';
import type { Value } from '../graph/graph.ts';
import type {
  ConvolutionGeometry,
  GeluVariant,
  PoolGeometry,
  Primitive,
  PrimitiveAttributes,
} from '../graph/primitives.ts';

/**
 * The slow twin of the engine: every primitive straight from its definition, in float64, one array a value. Kernels and
 * gradient rules are held against it.
 */
export function evaluate(
  outputs: readonly Value[],
  leaves: ReadonlyMap<Value, ArrayLike<number>>,
): Float64Array[] {
  const results = new Map<Value, Float64Array>();
  for (const value of ancestors(outputs)) {
    if (value.op === 'leaf') {
      results.set(value, Float64Array.from(leaves.get(value)!));
      continue;
    }
    const inputs = value.inputs.map((input) => results.get(input)!);
    results.set(value, definitions[value.op](value, inputs));
  }
  return outputs.map((output) => results.get(output)!);
}

type Definition = (value: Value, inputs: readonly Float64Array[]) => Float64Array;

const eachElement =
  (f: (a: number, b: number) => number): Definition =>
  (_, inputs) =>
    inputs[0].map((x, i) => f(x, inputs.at(1)?.[i] ?? 0));

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/** 2 / sqrt(pi) exp(-x^2) times the sum of 2^n x^(2n+1) / (1 3 5 … (2n+1)): every term has one sign (DLMF 7.6.2). */
export function erf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  let sum = 0;
  for (let n = 0, term = x; Math.abs(term) > 1e-18 * Math.abs(sum); n++, term *= (2 * x * x) / (2 * n + 1))
    sum += term;
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

const rootTwoOverPi = Math.sqrt(2 / Math.PI);

const gelu = (x: number, { variant }: GeluVariant) =>
  variant === 'erf'
    ? (x / 2) * (1 + erf(x / Math.SQRT2))
    : (x / 2) * (1 + Math.tanh(rootTwoOverPi * (x + 0.044715 * x ** 3)));

function geluSlope(x: number, { variant }: GeluVariant): number {
  if (variant === 'erf')
    return (1 + erf(x / Math.SQRT2)) / 2 + (x * Math.exp(-(x ** 2) / 2)) / Math.sqrt(2 * Math.PI);
  const inner = rootTwoOverPi * (x + 0.044715 * x ** 3);
  const slope = rootTwoOverPi * (1 + 3 * 0.044715 * x ** 2);
  return (1 + Math.tanh(inner)) / 2 + (x / 2) * slope * Math.cosh(inner) ** -2;
}

/** Places of one value in the order of another: calls back with the place and its index along every axis. */
function overPlaces({ shape, size }: Value, visit: (place: number, index: number[]) => void): void {
  for (let place = 0; place < size; place++) {
    const index = shape.map(() => 0);
    for (let axis = shape.length - 1, rest = place; axis >= 0; axis--) {
      index[axis] = rest % shape[axis];
      rest = Math.floor(rest / shape[axis]);
    }
    visit(place, index);
  }
}

function placeOf({ shape }: Value, index: readonly number[]): number {
  return index.reduce((place, at, axis) => place * shape[axis] + at, 0);
}

/** A copy of an index with one axis moved. */
function moved(index: readonly number[], axis: number, by: number): number[] {
  return index.map((at, i) => (i === axis ? at + by : at));
}

/** Calls back for each row and column of a value of [R, C]. */
function overRows(value: Value, visit: (row: number, column: number, place: number) => void): void {
  const columns = value.shape.at(-1)!;
  for (let i = 0; i < value.size; i++) visit(Math.floor(i / columns), i % columns, i);
}

const definitions: { readonly [Op in Exclude<Primitive, 'leaf'>]: Definition } = {
  constant: ({ size, attributes }) =>
    new Float64Array(size).fill((attributes as PrimitiveAttributes['constant']).value),
  view: (_, [a]) => a,
  add: eachElement((a, b) => a + b),
  subtract: eachElement((a, b) => a - b),
  multiply: eachElement((a, b) => a * b),
  maskPositive: eachElement((a, b) => (b > 0 ? a : 0)),
  tanh: eachElement((a) => Math.tanh(a)),
  scale: ({ attributes }, [a]) => a.map((x) => x * (attributes as PrimitiveAttributes['scale']).factor),
  shift: ({ attributes }, [a]) => a.map((x) => x + (attributes as PrimitiveAttributes['shift']).offset),
  descend: (_, [a, b, scalar]) => a.map((x, i) => x - scalar[0] * b[i]),
  exp: eachElement((a) => Math.exp(a)),
  log: eachElement((a) => Math.log(a)),
  reciprocal: eachElement((a) => 1 / a),
  squareRoot: eachElement((a) => Math.sqrt(a)),
  reciprocalRoot: eachElement((a) => 1 / Math.sqrt(a)),
  sigmoid: eachElement(sigmoid),
  softplus: eachElement((a) => Math.max(a, 0) + Math.log1p(Math.exp(-Math.abs(a)))),
  erf: eachElement(erf),
  gelu: ({ attributes }, [x]) => x.map((each) => gelu(each, attributes as GeluVariant)),
  geluGradient: ({ attributes }, [d, x]) =>
    x.map((each, i) => d[i] * geluSlope(each, attributes as GeluVariant)),

  permute(value, [a]) {
    const { axes } = value.attributes as PrimitiveAttributes['permute'];
    const y = new Float64Array(value.size);
    overPlaces(value, (place, index) => {
      const source = axes.map((_, axis) => index[axes.indexOf(axis)]);
      y[place] = a[placeOf(value.inputs[0], source)];
    });
    return y;
  },
  slice(value, [a]) {
    const { axis, start } = value.attributes as PrimitiveAttributes['slice'];
    const y = new Float64Array(value.size);
    overPlaces(value, (place, index) => {
      y[place] = a[placeOf(value.inputs[0], moved(index, axis, start))];
    });
    return y;
  },
  pad(value, [a]) {
    const { axis, before } = value.attributes as PrimitiveAttributes['pad'];
    const y = new Float64Array(value.size);
    overPlaces(value.inputs[0], (place, index) => {
      y[placeOf(value, moved(index, axis, before))] = a[place];
    });
    return y;
  },
  concat(value, inputs) {
    const { axis } = value.attributes as PrimitiveAttributes['concat'];
    const y = new Float64Array(value.size);
    let start = 0;
    value.inputs.forEach((input, which) => {
      overPlaces(input, (place, index) => {
        y[placeOf(value, moved(index, axis, start))] = inputs[which][place];
      });
      start += input.shape[axis];
    });
    return y;
  },
  takeRows(value, [table, index]) {
    const y = new Float64Array(value.size);
    overRows(value, (row, column, i) => (y[i] = table[index[row] * value.shape.at(-1)! + column]));
    return y;
  },
  addRowsAt(value, [d, index]) {
    const y = new Float64Array(value.size);
    overRows(value.inputs[0], (row, column, i) => (y[index[row] * value.shape[1] + column] += d[i]));
    return y;
  },

  matmul(value, [a, b]) {
    const { transposeA, transposeB } = value.attributes as PrimitiveAttributes['matmul'];
    const [aValue, bValue] = value.inputs;
    const inner = aValue.shape.at(transposeA ? -2 : -1)!;
    const y = new Float64Array(value.size);
    overPlaces(value, (place, index) => {
      const many = index.slice(0, -2);
      const [row, column] = index.slice(-2);
      for (let k = 0; k < inner; k++)
        y[place] +=
          a[placeOf(aValue, [...many, ...(transposeA ? [k, row] : [row, k])])] *
          b[placeOf(bValue, [...many, ...(transposeB ? [column, k] : [k, column])])];
    });
    return y;
  },

  convolution(value, [x, w]) {
    const y = new Float64Array(value.size);
    overTaps(value.inputs[0], value.inputs[1], value, value.attributes, (i, j, k) => (y[k] += x[i] * w[j]));
    return y;
  },
  convolutionInputGradient(value, [d, w]) {
    const x = new Float64Array(value.size);
    overTaps(value, value.inputs[1], value.inputs[0], value.attributes, (i, j, k) => (x[i] += d[k] * w[j]));
    return x;
  },
  convolutionFilterGradient(value, [x, d]) {
    const w = new Float64Array(value.size);
    overTaps(value.inputs[0], value, value.inputs[1], value.attributes, (i, j, k) => (w[j] += x[i] * d[k]));
    return w;
  },

  depthwise(value, [x, w]) {
    const y = new Float64Array(value.size);
    overChannelTaps(value.inputs[0], value.inputs[1], value, value.attributes, (i, j, k) => {
      y[k] += x[i] * w[j];
    });
    return y;
  },
  depthwiseInputGradient(value, [d, w]) {
    const x = new Float64Array(value.size);
    overChannelTaps(value, value.inputs[1], value.inputs[0], value.attributes, (i, j, k) => {
      x[i] += d[k] * w[j];
    });
    return x;
  },
  depthwiseFilterGradient(value, [x, d]) {
    const w = new Float64Array(value.size);
    overChannelTaps(value.inputs[0], value, value.inputs[1], value.attributes, (i, j, k) => {
      w[j] += x[i] * d[k];
    });
    return w;
  },

  maxPoolIndex(value, [x]) {
    const best = new Float64Array(value.size).fill(-1);
    const example = x.length / value.shape[0];
    overWindows(value.inputs[0], value, value.attributes, (from, to) => {
      const start = Math.floor(from / example) * example;
      if (best[to] < 0 || x[from] > x[start + best[to]]) best[to] = from - start;
    });
    return best;
  },
  gather(value, [x, index]) {
    const [many, example] = [value.size / value.shape[0], x.length / value.shape[0]];
    return index.map((at, i) => x[Math.floor(i / many) * example + at]);
  },
  scatter(value, [d, index]) {
    const [many, example] = [d.length / value.shape[0], value.size / value.shape[0]];
    const y = new Float64Array(value.size);
    index.forEach((at, i) => (y[Math.floor(i / many) * example + at] += d[i]));
    return y;
  },
  averagePool(value, [x]) {
    const { height, width } = value.attributes as PoolGeometry;
    const y = new Float64Array(value.size);
    overWindows(
      value.inputs[0],
      value,
      value.attributes,
      (from, to) => (y[to] += x[from] / (height * width)),
    );
    return y;
  },
  averagePoolGradient(value, [d]) {
    const { height, width } = value.attributes as PoolGeometry;
    const x = new Float64Array(value.size);
    overWindows(
      value,
      value.inputs[0],
      value.attributes,
      (from, to) => (x[from] += d[to] / (height * width)),
    );
    return x;
  },

  addRow: (_, [a, row]) => a.map((x, i) => x + row[i % row.length]),
  addRowPositive: (_, [a, row]) => a.map((x, i) => Math.max(x + row[i % row.length], 0)),
  multiplyRow: (_, [a, row]) => a.map((x, i) => x * row[i % row.length]),
  repeatRow: ({ size }, [row]) => Float64Array.from({ length: size }, (_, i) => row[i % row.length]),
  columnSum(value, [a]) {
    const y = new Float64Array(value.size);
    overRows(value.inputs[0], (_, column, i) => (y[column] += a[i]));
    return y;
  },
  columnDot(value, [a, b]) {
    const y = new Float64Array(value.size);
    overRows(value.inputs[0], (_, column, i) => (y[column] += a[i] * b[i]));
    return y;
  },
  multiplyColumn(value, [a, column]) {
    const y = new Float64Array(value.size);
    overRows(value, (row, _, i) => (y[i] = a[i] * column[row]));
    return y;
  },
  repeatColumn(value, [column]) {
    const y = new Float64Array(value.size);
    overRows(value, (row, _, i) => (y[i] = column[row]));
    return y;
  },
  rowSum(value, [a]) {
    const y = new Float64Array(value.size);
    overRows(value.inputs[0], (row, _, i) => (y[row] += a[i]));
    return y;
  },
  rowDot(value, [a, b]) {
    const y = new Float64Array(value.size);
    overRows(value.inputs[0], (row, _, i) => (y[row] += a[i] * b[i]));
    return y;
  },
  multiplyScalar: (_, [a, scalar]) => a.map((x) => x * scalar[0]),
  dot: (_, [a, b]) => Float64Array.of(a.reduce((sum, x, i) => sum + x * b[i], 0)),

  normaliseRows(value, [x]) {
    const { epsilon } = value.attributes as PrimitiveAttributes['normaliseRows'];
    return rowByRow(value, (from, to) => {
      const { mean, deviation } = momentsOf(x.subarray(from, to), epsilon);
      return x.subarray(from, to).map((each) => (each - mean) / deviation);
    });
  },
  /** d times the Jacobian, entry by entry: d y_j / d x_i = (delta_ij - 1/C - y_i y_j / C) / deviation. */
  normaliseRowsGradient(value, [d, x]) {
    const { epsilon } = value.attributes as PrimitiveAttributes['normaliseRows'];
    return rowByRow(value, (from, to) => {
      const { mean, deviation } = momentsOf(x.subarray(from, to), epsilon);
      const y = x.subarray(from, to).map((each) => (each - mean) / deviation);
      return y.map((yi, i) =>
        y.reduce((sum, yj, j) => {
          const jacobian = ((i === j ? 1 : 0) - (1 + yi * yj) / y.length) / deviation;
          return sum + d[from + j] * jacobian;
        }, 0),
      );
    });
  },

  /** Hochreiter and Schmidhuber 1997, with the forget gates of Gers, Schmidhuber and Cummins 2000. */
  lstm(value, [gates, wh]) {
    const [, steps, batch, hidden] = value.shape;
    const states = new Float64Array(value.size);
    const at = (state: number, t: number, b: number, j: number) => placeOf(value, [state, t, b, j]);
    for (let t = 0; t < steps; t++)
      for (let b = 0; b < batch; b++)
        for (let j = 0; j < hidden; j++) {
          const gate = (k: number) => {
            let sum = gates[placeOf(value.inputs[0], [t, b, k * hidden + j])];
            for (let p = 0; p < hidden && t > 0; p++)
              sum += states[at(0, t - 1, b, p)] * wh[p * 4 * hidden + k * hidden + j];
            return sum;
          };
          const [i, f, g, o] = [sigmoid(gate(0)), sigmoid(gate(1)), Math.tanh(gate(2)), sigmoid(gate(3))];
          const c = (t > 0 ? f * states[at(1, t - 1, b, j)] : 0) + i * g;
          [o * Math.tanh(c), c, i, f, g, o].forEach((state, k) => (states[at(k, t, b, j)] = state));
        }
    return states;
  },

  /**
   * Forward in time, by its definition: entry (t, b, k) is the change of the sum of d * h as that gate is moved, the
   * change being carried through all later steps (real-time recurrent learning, Williams and Zipser 1989). States are
   * taken as they are given.
   */
  lstmGradient(value, [d, wh, saved]) {
    const [steps, , width] = value.shape;
    const hidden = width / 4;
    const state = (k: number, t: number, b: number, j: number) =>
      saved[placeOf(value.inputs[2], [k, t, b, j])];
    const y = new Float64Array(value.size);
    overPlaces(value, (place, [from, b, moving]) => {
      let dh = new Array<number>(hidden).fill(0);
      let dc = new Array<number>(hidden).fill(0);
      for (let t = from; t < steps; t++) {
        const earlier = dh;
        const gate = (k: number, j: number) => {
          if (t === from) return k * hidden + j === moving ? 1 : 0;
          return earlier.reduce((sum, each, p) => sum + each * wh[p * width + k * hidden + j], 0);
        };
        dc = dc.map((dcBefore, j) => {
          const [i, f, g] = [state(2, t, b, j), state(3, t, b, j), state(4, t, b, j)];
          const cBefore = t > 0 ? state(1, t - 1, b, j) : 0;
          const [di, df, dg] = [gate(0, j) * i * (1 - i), gate(1, j) * f * (1 - f), gate(2, j) * (1 - g * g)];
          return di * g + df * cBefore + f * dcBefore + i * dg;
        });
        dh = dc.map((dcNow, j) => {
          const [c, o] = [state(1, t, b, j), state(5, t, b, j)];
          return gate(3, j) * o * (1 - o) * Math.tanh(c) + o * dcNow * Math.cosh(c) ** -2;
        });
        dh.forEach((each, j) => (y[place] += each * d[placeOf(value.inputs[0], [t, b, j])]));
      }
    });
    return y;
  },

  softmax(value, [a]) {
    const { causal } = value.attributes as PrimitiveAttributes['softmax'];
    const columns = value.shape.at(-1)!;
    const rows = value.shape.at(-2) ?? 1;
    const sees = (row: number, column: number) => !causal || column <= (row % rows) + columns - rows;
    const sums = new Float64Array(value.size / columns);
    overRows(value, (row, column, i) => (sums[row] += sees(row, column) ? Math.exp(a[i]) : 0));
    const y = new Float64Array(value.size);
    overRows(value, (row, column, i) => (y[i] = sees(row, column) ? Math.exp(a[i]) / sums[row] : 0));
    return y;
  },
  crossEntropy(value, [logits, labels]) {
    const columns = logits.length / value.size;
    const y = new Float64Array(value.size);
    overRows(value.inputs[0], (row, _, i) => (y[row] += Math.exp(logits[i])));
    return y.map((sum, row) => Math.log(sum) - logits[row * columns + labels[row]]);
  },
  oneHot(value, [labels]) {
    const y = new Float64Array(value.size);
    overRows(value, (row, column, i) => (y[i] = labels[row] === column ? 1 : 0));
    return y;
  },
};

/** A value made of its rows, each from where it starts to where it ends. */
function rowByRow(value: Value, make: (from: number, to: number) => Float64Array): Float64Array {
  const columns = value.shape.at(-1)!;
  const y = new Float64Array(value.size);
  for (let from = 0; from < value.size; from += columns) y.set(make(from, from + columns), from);
  return y;
}

function momentsOf(row: Float64Array, epsilon: number): { mean: number; deviation: number } {
  const mean = row.reduce((sum, x) => sum + x, 0) / row.length;
  const variance = row.reduce((sum, x) => sum + (x - mean) ** 2, 0) / row.length;
  return { mean, deviation: Math.sqrt(variance + epsilon) };
}

/** As {@link overTaps}, for filters [KH,KW,C] that join each channel with itself alone. */
function overChannelTaps(
  x: Value,
  filter: Value,
  y: Value,
  attributes: object,
  visit: (x: number, filter: number, y: number) => void,
): void {
  const { strideHeight, strideWidth, padTop, padLeft } = attributes as ConvolutionGeometry;
  overPlaces(y, (to, [n, oy, ox, c]) => {
    overPlaces(filter, (tap, [ky, kx, channel]) => {
      const [iy, ix] = [oy * strideHeight + ky - padTop, ox * strideWidth + kx - padLeft];
      const inside = iy >= 0 && iy < x.shape[1] && ix >= 0 && ix < x.shape[2];
      if (inside && channel === c) visit(placeOf(x, [n, iy, ix, c]), tap, to);
    });
  });
}

/** Every triple (place in x, place in the filter, place in y) that a convolution multiplies. */
function overTaps(
  x: Value,
  filter: Value,
  y: Value,
  attributes: object,
  visit: (x: number, filter: number, y: number) => void,
): void {
  const { strideHeight, strideWidth, padTop, padLeft } = attributes as ConvolutionGeometry;
  const [batch, height, width, channels] = x.shape;
  const [filterHeight, filterWidth, , features] = filter.shape;
  const [, outHeight, outWidth] = y.shape;
  for (let n = 0; n < batch; n++)
    for (let oy = 0; oy < outHeight; oy++)
      for (let ox = 0; ox < outWidth; ox++)
        for (let ky = 0; ky < filterHeight; ky++)
          for (let kx = 0; kx < filterWidth; kx++) {
            const iy = oy * strideHeight + ky - padTop;
            const ix = ox * strideWidth + kx - padLeft;
            if (iy < 0 || iy >= height || ix < 0 || ix >= width) continue;
            for (let c = 0; c < channels; c++)
              for (let f = 0; f < features; f++)
                visit(
                  ((n * height + iy) * width + ix) * channels + c,
                  ((ky * filterWidth + kx) * channels + c) * features + f,
                  ((n * outHeight + oy) * outWidth + ox) * features + f,
                );
          }
}

/** Every pair (place in the image, place in the pooled image) that a window joins. */
function overWindows(
  image: Value,
  pooled: Value,
  attributes: object,
  visit: (from: number, to: number) => void,
): void {
  const { height, width, strideHeight, strideWidth } = attributes as PoolGeometry;
  const [batch, imageHeight, imageWidth, channels] = image.shape;
  const [, outHeight, outWidth] = pooled.shape;
  for (let n = 0; n < batch; n++)
    for (let oy = 0; oy < outHeight; oy++)
      for (let ox = 0; ox < outWidth; ox++)
        for (let c = 0; c < channels; c++)
          for (let h = 0; h < height; h++)
            for (let w = 0; w < width; w++)
              visit(
                ((n * imageHeight + oy * strideHeight + h) * imageWidth + ox * strideWidth + w) * channels +
                  c,
                ((n * outHeight + oy) * outWidth + ox) * channels + c,
              );
}
