import {
  windowCount,
  type ConvolutionGeometry,
  type GeluVariant,
  type PoolGeometry,
  type Primitive,
  type PrimitiveAttributes,
} from './primitives.ts';

/** One node of a primitive graph: a tensor of f32 with a fixed shape, and how it comes about. */
export interface Value<Op extends Primitive = Primitive> {
  /** Place in order of creation; inputs always have smaller ids, so ids are a topological order. */
  readonly id: number;
  readonly op: Op;
  readonly inputs: readonly Value[];
  readonly shape: readonly number[];
  readonly size: number;
  readonly attributes: PrimitiveAttributes[Op];
}

/**
 * Builds primitive graphs. Asking twice for the same primitive on the same values gives the same value, so
 * forward and backward passes share what they both need. Shapes are checked: a mismatch is a mistake in an op or a
 * rule, never in the IR, and throws a TypeError.
 */
export class Graph {
  #count = 0;
  readonly #known = new Map<string, Value>();

  /** A tensor that is written from outside; never shared, even under an equal name. */
  leaf(name: string, shape: readonly number[]): Value<'leaf'> {
    return this.#create('leaf', [], shape, { name });
  }

  constant(shape: readonly number[], value: number): Value {
    return this.#value('constant', [], shape, { value });
  }

  /** Matrices, or equally many of them on both sides. */
  matmul(a: Value, b: Value, transposeA = false, transposeB = false): Value {
    const rank = a.shape.length;
    const [aRows, aInner] = a.shape.slice(-2);
    const [bInner, bColumns] = b.shape.slice(-2);
    const [rows, inner] = transposeA ? [aInner, aRows] : [aRows, aInner];
    const [inner2, columns] = transposeB ? [bColumns, bInner] : [bInner, bColumns];
    const many = a.shape.slice(0, -2);
    const fits = (rank === 2 || rank === 3) && sameAxes(many, b.shape.slice(0, -2)) && inner === inner2;
    expect(fits, 'matmul', [a, b]);
    return this.#value('matmul', [a, b], [...many, rows, columns], { transposeA, transposeB });
  }

  convolution(x: Value, filter: Value, geometry: ConvolutionGeometry): Value {
    const [batch, height, width, channels] = x.shape;
    const [filterHeight, filterWidth, filterChannels, features] = filter.shape;
    expect(x.shape.length === 4 && filter.shape.length === 4 && channels === filterChannels, 'convolution', [
      x,
      filter,
    ]);
    const { padTop, padBottom, padLeft, padRight, strideHeight, strideWidth } = geometry;
    const outHeight = windowCount(height + padTop + padBottom, filterHeight, strideHeight);
    const outWidth = windowCount(width + padLeft + padRight, filterWidth, strideWidth);
    expect(outHeight > 0 && outWidth > 0, 'convolution', [x, filter]);
    return this.#value('convolution', [x, filter], [batch, outHeight, outWidth, features], geometry);
  }

  convolutionInputGradient(
    d: Value,
    filter: Value,
    shape: readonly number[],
    geometry: ConvolutionGeometry,
  ): Value {
    return this.#value('convolutionInputGradient', [d, filter], shape, geometry);
  }

  convolutionFilterGradient(
    x: Value,
    d: Value,
    shape: readonly number[],
    geometry: ConvolutionGeometry,
  ): Value {
    return this.#value('convolutionFilterGradient', [x, d], shape, geometry);
  }

  depthwise(x: Value, filter: Value, geometry: ConvolutionGeometry): Value {
    const [batch, height, width, channels] = x.shape;
    const [filterHeight, filterWidth, filterChannels] = filter.shape;
    const { padTop, padBottom, padLeft, padRight, strideHeight, strideWidth } = geometry;
    const outHeight = windowCount(height + padTop + padBottom, filterHeight, strideHeight);
    const outWidth = windowCount(width + padLeft + padRight, filterWidth, strideWidth);
    const fits = x.shape.length === 4 && filter.shape.length === 3 && channels === filterChannels;
    expect(fits && outHeight > 0 && outWidth > 0, 'depthwise', [x, filter]);
    return this.#value('depthwise', [x, filter], [batch, outHeight, outWidth, channels], geometry);
  }

  depthwiseInputGradient(
    d: Value,
    filter: Value,
    shape: readonly number[],
    geometry: ConvolutionGeometry,
  ): Value {
    return this.#value('depthwiseInputGradient', [d, filter], shape, geometry);
  }

  depthwiseFilterGradient(
    x: Value,
    d: Value,
    shape: readonly number[],
    geometry: ConvolutionGeometry,
  ): Value {
    return this.#value('depthwiseFilterGradient', [x, d], shape, geometry);
  }

  maxPoolIndex(x: Value, geometry: PoolGeometry): Value {
    return this.#value('maxPoolIndex', [x], pooledShape(x, geometry), geometry);
  }

  gather(x: Value, index: Value): Value {
    expect(x.shape[0] === index.shape[0], 'gather', [x, index]);
    return this.#value('gather', [x, index], index.shape, {});
  }

  scatter(d: Value, index: Value, shape: readonly number[]): Value {
    expect(d.size === index.size && d.shape[0] === index.shape[0] && shape[0] === d.shape[0], 'scatter', [
      d,
      index,
    ]);
    return this.#value('scatter', [d, index], shape, {});
  }

  averagePool(x: Value, geometry: PoolGeometry): Value {
    return this.#value('averagePool', [x], pooledShape(x, geometry), geometry);
  }

  averagePoolGradient(d: Value, shape: readonly number[], geometry: PoolGeometry): Value {
    return this.#value('averagePoolGradient', [d], shape, geometry);
  }

  add(a: Value, b: Value): Value {
    return this.#elementwise('add', a, b);
  }

  subtract(a: Value, b: Value): Value {
    return this.#elementwise('subtract', a, b);
  }

  multiply(a: Value, b: Value): Value {
    return this.#elementwise('multiply', a, b);
  }

  maskPositive(a: Value, where: Value): Value {
    return this.#elementwise('maskPositive', a, where);
  }

  scale(a: Value, factor: number): Value {
    return this.#value('scale', [a], a.shape, { factor });
  }

  shift(a: Value, offset: number): Value {
    return this.#value('shift', [a], a.shape, { offset });
  }

  /** a - scalar * b */
  descend(a: Value, b: Value, scalar: Value): Value {
    expect(sameAxes(a.shape, b.shape) && scalar.size === 1, 'descend', [a, b, scalar]);
    return this.#value('descend', [a, b, scalar], a.shape, {});
  }

  exp(a: Value): Value {
    return this.#value('exp', [a], a.shape, {});
  }

  log(a: Value): Value {
    return this.#value('log', [a], a.shape, {});
  }

  reciprocal(a: Value): Value {
    return this.#value('reciprocal', [a], a.shape, {});
  }

  squareRoot(a: Value): Value {
    return this.#value('squareRoot', [a], a.shape, {});
  }

  reciprocalRoot(a: Value): Value {
    return this.#value('reciprocalRoot', [a], a.shape, {});
  }

  tanh(a: Value): Value {
    return this.#value('tanh', [a], a.shape, {});
  }

  sigmoid(a: Value): Value {
    return this.#value('sigmoid', [a], a.shape, {});
  }

  softplus(a: Value): Value {
    return this.#value('softplus', [a], a.shape, {});
  }

  erf(a: Value): Value {
    return this.#value('erf', [a], a.shape, {});
  }

  gelu(x: Value, variant: GeluVariant['variant']): Value {
    return this.#value('gelu', [x], x.shape, { variant });
  }

  geluGradient(d: Value, x: Value, variant: GeluVariant['variant']): Value {
    expect(sameAxes(d.shape, x.shape), 'geluGradient', [d, x]);
    return this.#value('geluGradient', [d, x], x.shape, { variant });
  }

  view(a: Value, shape: readonly number[]): Value {
    expect(product(shape) === a.size, 'view', [a]);
    const source = a.op === 'view' ? a.inputs[0] : a;
    return sameAxes(source.shape, shape) ? source : this.#value('view', [source], shape, {});
  }

  permute(a: Value, axes: readonly number[]): Value {
    const order = [...axes].sort((p, q) => p - q);
    expect(order.length === a.shape.length && order.every((axis, i) => axis === i), 'permute', [a]);
    if (axes.every((axis, i) => axis === i)) return a;
    const shape = axes.map((axis) => a.shape[axis]);
    return this.#value('permute', [a], shape, { axes });
  }

  /** Entries `start` to `end` (excluded) along one axis. */
  slice(a: Value, axis: number, start: number, end: number): Value {
    expect(start >= 0 && start < end && end <= a.shape[axis], 'slice', [a]);
    if (start === 0 && end === a.shape[axis]) return a;
    if (a.op === 'pad') {
      const [padded] = a.inputs;
      const { axis: along, before } = (a as Value<'pad'>).attributes; // by its op
      if (along === axis && before === start && padded.shape[axis] === end - start) return padded;
    }
    return this.#value('slice', [a], replaceAxis(a.shape, axis, end - start), { axis, start, end });
  }

  /** Zeros before and after along one axis. */
  pad(a: Value, axis: number, before: number, after: number): Value {
    expect(axis < a.shape.length && before >= 0 && after >= 0, 'pad', [a]);
    if (before + after === 0) return a;
    const shape = replaceAxis(a.shape, axis, a.shape[axis] + before + after);
    return this.#value('pad', [a], shape, { axis, before, after });
  }

  concat(values: readonly Value[], axis: number): Value {
    const [first] = values;
    const fits = values.every(({ shape }) =>
      sameAxes(replaceAxis(shape, axis, 1), replaceAxis(first.shape, axis, 1)),
    );
    expect(fits && axis < first.shape.length, 'concat', values);
    if (values.length === 1) return first;
    const length = values.reduce((sum, { shape }) => sum + shape[axis], 0);
    return this.#value('concat', values, replaceAxis(first.shape, axis, length), { axis });
  }

  takeRows(table: Value, index: Value): Value {
    expect(table.shape.length === 2, 'takeRows', [table, index]);
    return this.#value('takeRows', [table, index], [...index.shape, table.shape[1]], {});
  }

  addRowsAt(d: Value, index: Value, rows: number): Value {
    expect(rowCount(d) === index.size, 'addRowsAt', [d, index]);
    return this.#value('addRowsAt', [d, index], [rows, lastAxis(d)], {});
  }

  addRow(a: Value, row: Value): Value {
    expect(lastAxis(a) === row.size, 'addRow', [a, row]);
    return this.#value('addRow', [a, row], a.shape, {});
  }

  addRowPositive(a: Value, row: Value): Value {
    expect(lastAxis(a) === row.size, 'addRowPositive', [a, row]);
    return this.#value('addRowPositive', [a, row], a.shape, {});
  }

  multiplyRow(a: Value, row: Value): Value {
    expect(lastAxis(a) === row.size, 'multiplyRow', [a, row]);
    return this.#value('multiplyRow', [a, row], a.shape, {});
  }

  repeatRow(row: Value, shape: readonly number[]): Value {
    expect(shape.at(-1) === row.size, 'repeatRow', [row]);
    return this.#value('repeatRow', [row], shape, {});
  }

  columnSum(a: Value): Value {
    return this.#value('columnSum', [a], [lastAxis(a)], {});
  }

  columnDot(a: Value, b: Value): Value {
    expect(sameAxes(a.shape, b.shape), 'columnDot', [a, b]);
    return this.#value('columnDot', [a, b], [lastAxis(a)], {});
  }

  multiplyColumn(a: Value, column: Value): Value {
    expect(rowCount(a) === column.size, 'multiplyColumn', [a, column]);
    return this.#value('multiplyColumn', [a, column], a.shape, {});
  }

  /** [R] to [R,C]: `shape` has `column.size` rows. */
  repeatColumn(column: Value, shape: readonly number[]): Value {
    expect(product(shape.slice(0, -1)) === column.size, 'repeatColumn', [column]);
    return this.#value('repeatColumn', [column], shape, {});
  }

  rowSum(a: Value): Value {
    return this.#value('rowSum', [a], [rowCount(a)], {});
  }

  normaliseRows(x: Value, epsilon: number): Value {
    return this.#value('normaliseRows', [x], x.shape, { epsilon });
  }

  normaliseRowsGradient(d: Value, x: Value, epsilon: number): Value {
    expect(sameAxes(d.shape, x.shape), 'normaliseRowsGradient', [d, x]);
    return this.#value('normaliseRowsGradient', [d, x], x.shape, { epsilon });
  }

  /** An LSTM from zero states; gates in the order i, f, g, o (Hochreiter and Schmidhuber 1997 with forget gates). */
  lstm(gates: Value, wh: Value): Value {
    const [steps, batch, width] = gates.shape;
    const [hidden, columns] = wh.shape;
    expect(
      gates.shape.length === 3 && wh.shape.length === 2 && width === columns && width === 4 * hidden,
      'lstm',
      [gates, wh],
    );
    return this.#value('lstm', [gates, wh], [6, steps, batch, hidden], {});
  }

  lstmGradient(d: Value, wh: Value, states: Value): Value {
    const [, steps, batch, hidden] = states.shape;
    expect(sameAxes(d.shape, [steps, batch, hidden]), 'lstmGradient', [d, wh, states]);
    return this.#value('lstmGradient', [d, wh, states], [steps, batch, 4 * hidden], {});
  }

  rowDot(a: Value, b: Value): Value {
    expect(sameAxes(a.shape, b.shape), 'rowDot', [a, b]);
    return this.#value('rowDot', [a, b], [rowCount(a)], {});
  }

  multiplyScalar(a: Value, scalar: Value): Value {
    expect(scalar.size === 1, 'multiplyScalar', [a, scalar]);
    return this.#value('multiplyScalar', [a, scalar], a.shape, {});
  }

  dot(a: Value, b: Value): Value {
    expect(a.size === b.size, 'dot', [a, b]);
    return this.#value('dot', [a, b], [1], {});
  }

  softmax(logits: Value, causal = false): Value {
    return this.#value('softmax', [logits], logits.shape, { causal });
  }

  crossEntropy(logits: Value, labels: Value): Value {
    expect(rowCount(logits) === labels.size, 'crossEntropy', [logits, labels]);
    return this.#value('crossEntropy', [logits, labels], [labels.size], {});
  }

  oneHot(labels: Value, classes: number): Value {
    return this.#value('oneHot', [labels], [labels.size, classes], {});
  }

  #elementwise(op: 'add' | 'subtract' | 'multiply' | 'maskPositive', a: Value, b: Value): Value {
    expect(sameAxes(a.shape, b.shape), op, [a, b]);
    return this.#value(op, [a, b], a.shape, {});
  }

  #value<Op extends Primitive>(
    op: Op,
    inputs: readonly Value[],
    shape: readonly number[],
    attributes: PrimitiveAttributes[Op],
  ): Value {
    const key = `${op} ${inputs.map((input) => input.id).join(',')} ${shape.join('x')} ${JSON.stringify(attributes)}`;
    const known = this.#known.get(key);
    if (known) return known;
    const value = this.#create(op, inputs, shape, attributes);
    this.#known.set(key, value);
    return value;
  }

  #create<Op extends Primitive>(
    op: Op,
    inputs: readonly Value[],
    shape: readonly number[],
    attributes: PrimitiveAttributes[Op],
  ): Value<Op> {
    return { id: this.#count++, op, inputs, shape, size: product(shape), attributes };
  }
}

export function lastAxis(value: Value): number {
  return value.shape.at(-1)!; // every value has an axis: a scalar is [1]
}

/** All axes but the last, flattened. */
export function rowCount(value: Value): number {
  return value.size / lastAxis(value);
}

function pooledShape(
  x: Value,
  { height, width, strideHeight, strideWidth }: PoolGeometry,
): readonly number[] {
  const [batch, inHeight, inWidth, channels] = x.shape;
  expect(x.shape.length === 4 && height <= inHeight && width <= inWidth, 'pool', [x]);
  return [
    batch,
    windowCount(inHeight, height, strideHeight),
    windowCount(inWidth, width, strideWidth),
    channels,
  ];
}

function replaceAxis(shape: readonly number[], axis: number, length: number): number[] {
  return shape.map((old, i) => (i === axis ? length : old));
}

function product(shape: readonly number[]): number {
  return shape.reduce((size, axis) => size * axis, 1);
}

function sameAxes(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((axis, i) => axis === b[i]);
}

function expect(fits: boolean, op: string, inputs: readonly Value[]): void {
  if (fits) return;
  const shapes = inputs.map((input) => `[${input.shape.join(', ')}]`).join(' and ');
  throw new TypeError(`The primitive ${op} does not take values of shape ${shapes}.`);
}
