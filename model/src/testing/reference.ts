import { ancestors } from '../graph/gradient.ts';
import type { Value } from '../graph/graph.ts';
import type {
  ConvolutionGeometry,
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

  matmul({ shape: [rows, columns], inputs: [aValue], attributes }, [a, b]) {
    const { transposeA, transposeB } = attributes as PrimitiveAttributes['matmul'];
    const inner = aValue.size / rows;
    const y = new Float64Array(rows * columns);
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < columns; j++)
        for (let k = 0; k < inner; k++)
          y[i * columns + j] +=
            a[transposeA ? k * rows + i : i * inner + k] * b[transposeB ? j * inner + k : k * columns + j];
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
  rowDot(value, [a, b]) {
    const y = new Float64Array(value.size);
    overRows(value.inputs[0], (row, _, i) => (y[row] += a[i] * b[i]));
    return y;
  },
  multiplyScalar: (_, [a, scalar]) => a.map((x) => x * scalar[0]),
  dot: (_, [a, b]) => Float64Array.of(a.reduce((sum, x, i) => sum + x * b[i], 0)),

  softmax(value, [a]) {
    const columns = value.shape.at(-1)!;
    const sums = new Float64Array(value.size / columns);
    overRows(value, (row, _, i) => (sums[row] += Math.exp(a[i])));
    return a.map((x, i) => Math.exp(x) / sums[Math.floor(i / columns)]);
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
