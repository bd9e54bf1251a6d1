import {
  windowCount,
  type ConvolutionGeometry,
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

  matmul(a: Value, b: Value, transposeA = false, transposeB = false): Value {
    const [rows, inner] = transposeA ? [a.shape[1], a.shape[0]] : a.shape;
    const [inner2, columns] = transposeB ? [b.shape[1], b.shape[0]] : b.shape;
    expect(a.shape.length === 2 && b.shape.length === 2 && inner === inner2, 'matmul', [a, b]);
    return this.#value('matmul', [a, b], [rows, columns], { transposeA, transposeB });
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

  tanh(a: Value): Value {
    return this.#value('tanh', [a], a.shape, {});
  }

  view(a: Value, shape: readonly number[]): Value {
    expect(product(shape) === a.size, 'view', [a]);
    return sameAxes(a.shape, shape) ? a : this.#value('view', [a], shape, {});
  }

  addRow(a: Value, row: Value): Value {
    expect(lastAxis(a) === row.size, 'addRow', [a, row]);
    return this.#value('addRow', [a, row], a.shape, {});
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

  softmax(logits: Value): Value {
    return this.#value('softmax', [logits], logits.shape, {});
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
