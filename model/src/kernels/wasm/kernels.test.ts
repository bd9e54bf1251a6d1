import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Graph, type Value } from '../../graph/graph.ts';
import type { ConvolutionGeometry } from '../../graph/primitives.ts';
import { Executable } from '../../plan/executable.ts';
import { stream } from '../../random/streams.ts';
import { primitiveCases } from '../../testing/primitives.ts';
import { erf, evaluate } from '../../testing/reference.ts';
import { isWasmSupported, strictKernels, wasmBackend } from './index.ts';
import { relaxedKernels } from './relaxed.ts';

/** Node 20 takes relaxed SIMD under --experimental-wasm-relaxed-simd alone. */
const variants = isWasmSupported(relaxedKernels)
  ? (['strict', 'relaxed'] as const)
  : (['strict', 'relaxed, which this engine does not take: not run'] as const);

function run(value: Value, leaves: ReadonlyMap<Value, Float32Array>, relaxed = false): Float32Array {
  const executable = new Executable([value], wasmBackend(relaxed ? relaxedKernels : strictKernels));
  for (const [leaf, values] of leaves) executable.place(leaf)?.set(values);
  executable.run();
  return executable.place(value)!;
}

/** Leaves with normal-sized values, from a seed. */
function filled(seed: number, ...leaves: Value[]): ReadonlyMap<Value, Float32Array> {
  const random = stream(seed, 'wasm');
  return new Map(
    leaves.map((leaf) => [leaf, Float32Array.from({ length: leaf.size }, () => 2 * random.nextFloat() - 1)]),
  );
}

/** Errors of a sum of `terms` products of values up to 1. */
function expectClose(found: Float32Array, wanted: Float64Array, terms: number): void {
  const allowed = 1e-7 * terms + 4e-7;
  wanted.forEach((x, i) => {
    if (!(Math.abs(found[i] - x) <= allowed))
      throw new Error(`At ${i} of ${wanted.length}: ${found[i]} for ${x}, more than ${allowed} away.`);
  });
}

describe.each(variants)('WebAssembly kernels, %s', (variant) => {
  if (variant !== 'strict' && variant !== 'relaxed') {
    it('are refused where they cannot run', () => {
      expect(() => wasmBackend(relaxedKernels).createMemory(1)).toThrow();
    });
    return;
  }
  const relaxed = variant === 'relaxed';

  it.each(primitiveCases)('$name agrees with its definition', ({ build }) => {
    for (let seed = 0; seed < 5; seed++) {
      const { value, leaves } = build(seed);
      const [wanted] = evaluate([value], leaves);
      const found = run(value, leaves, relaxed);
      const allowed = 1e-6 * wanted.reduce((largest, x) => Math.max(largest, Math.abs(x)), 1);
      const relative = value.op === 'exp' || value.op === 'reciprocal' || value.op === 'squareRoot';
      wanted.forEach((x, i) => {
        expect(Math.abs(found[i] - x)).toBeLessThanOrEqual(relative ? 1e-6 * Math.abs(x) : allowed);
      });
    }
  });

  const size = fc.integer({ min: 1, max: 20 });

  it('multiplies matrices of all sizes around those of its tiles', () => {
    fc.assert(
      fc.property(
        fc.record({ rows: size, columns: size, inner: size, many: fc.integer({ min: 0, max: 3 }) }),
        fc.boolean(),
        fc.boolean(),
        fc.nat(),
        ({ rows, columns, inner, many }, transposeA, transposeB, seed) => {
          const graph = new Graph();
          const group = many > 0 ? [many] : [];
          const a = graph.leaf('a', [...group, ...(transposeA ? [inner, rows] : [rows, inner])]);
          const b = graph.leaf('b', [...group, ...(transposeB ? [columns, inner] : [inner, columns])]);
          const value = graph.matmul(a, b, transposeA, transposeB);
          const leaves = filled(seed, a, b);
          expectClose(run(value, leaves, relaxed), evaluate([value], leaves)[0], inner);
        },
      ),
      { numRuns: 200 },
    );
  });

  it.each([
    [3, 300, 5],
    [66, 257, 9],
    [5, 40, 270],
    [130, 7, 261],
  ])('multiplies matrices larger than its blocks: %i x %i x %i', (rows, inner, columns) => {
    for (const [transposeA, transposeB] of [
      [false, false],
      [true, false],
      [false, true],
      [true, true],
    ]) {
      const graph = new Graph();
      const a = graph.leaf('a', transposeA ? [inner, rows] : [rows, inner]);
      const b = graph.leaf('b', transposeB ? [columns, inner] : [inner, columns]);
      const value = graph.matmul(a, b, transposeA, transposeB);
      const leaves = filled(rows, a, b);
      expectClose(run(value, leaves, relaxed), evaluate([value], leaves)[0], inner);
    }
  });

  const short = fc.integer({ min: 1, max: 4 });
  const around = fc.integer({ min: 0, max: 3 });
  const convolutions = fc.record({
    batch: short,
    height: fc.integer({ min: 1, max: 7 }),
    width: size,
    channels: fc.integer({ min: 1, max: 9 }),
    features: size,
    filterHeight: short,
    filterWidth: short,
    geometry: fc.record({
      strideHeight: short,
      strideWidth: short,
      padTop: around,
      padBottom: around,
      padLeft: around,
      padRight: around,
    }),
    seed: fc.nat(),
  });

  function checkConvolutions(
    image: readonly number[],
    filterShape: readonly number[],
    geometry: ConvolutionGeometry,
    seed: number,
  ): void {
    const graph = new Graph();
    const x = graph.leaf('x', image);
    const filter = graph.leaf('filter', filterShape);
    const y = graph.convolution(x, filter, geometry);
    const d = graph.leaf('d', y.shape);
    const leaves = filled(seed, x, filter, d);
    const [batch, rows, columns] = y.shape;
    const [height, width, channels, features] = filterShape;
    const window = height * width;
    for (const [value, terms] of [
      [y, window * channels],
      [graph.convolutionInputGradient(d, filter, x.shape, geometry), window * features],
      [graph.convolutionFilterGradient(x, d, filter.shape, geometry), batch * rows * columns],
    ] as const)
      expectClose(run(value, leaves, relaxed), evaluate([value], leaves)[0], terms);
  }

  it('convolves images of all sizes, steps and paddings, forward and back', () => {
    fc.assert(
      fc.property(convolutions, ({ batch, height, width, channels, features, seed, ...rest }) => {
        const { filterHeight, filterWidth, geometry } = rest;
        fc.pre(filterHeight <= height + geometry.padTop + geometry.padBottom);
        fc.pre(filterWidth <= width + geometry.padLeft + geometry.padRight);
        const shape = [filterHeight, filterWidth, channels, features];
        checkConvolutions([batch, height, width, channels], shape, geometry, seed);
      }),
      { numRuns: 200 },
    );
  });

  it('convolves more images than one group holds, and sums longer than it adds at once', () => {
    const same = { strideHeight: 1, strideWidth: 1, padTop: 1, padBottom: 1, padLeft: 1, padRight: 1 };
    checkConvolutions([9, 30, 30, 10], [3, 3, 10, 3], same, 1);
    checkConvolutions([1, 5, 5, 150], [3, 3, 150, 2], same, 2);
    checkConvolutions([1, 1, 700, 1], [1, 5, 1, 9], { ...same, padTop: 0, padBottom: 0 }, 3);
  });

  it('writes nothing but outputs and scratch', () => {
    const margin = 16;
    for (const { build } of primitiveCases) {
      const { value, leaves } = build(0);
      if (value.inputs.some(({ op }) => op !== 'leaf')) continue;
      const { op, attributes } = value;
      const backend = wasmBackend(relaxed ? relaxedKernels : strictKernels);
      const shapes = { inputs: value.inputs.map(({ shape }) => shape), output: value.shape };
      const scratchSize = backend.scratchSize({ op, attributes, shapes });
      let floats = margin;
      const place = (shape: readonly number[], count: number) => {
        const operand = { offset: floats, size: count, shape };
        floats = Math.ceil((floats + count + margin) / 4) * 4;
        return operand;
      };
      const inputs = value.inputs.map((input) => place(input.shape, input.size));
      const output = place(value.shape, value.size);
      const scratch = place([scratchSize], scratchSize);
      const memory = backend.createMemory(floats);
      memory.floats.fill(NaN);
      value.inputs.forEach((input, i) => {
        memory.floats.set(leaves.get(input)!, inputs[i].offset);
      });
      const before = memory.floats.slice();
      backend.bind({ op, inputs, output, scratch, attributes }, memory)();
      for (const { offset, size: count } of [output, scratch])
        before.set(memory.floats.subarray(offset, offset + count), offset);
      expect(memory.floats).toEqual(before);
      const written = memory.floats.subarray(output.offset, output.offset + output.size);
      expect(written.every((x) => !Number.isNaN(x))).toBe(true);
    }
  });
});

describe('WebAssembly backend', () => {
  it('gives the same bits in every run, on fresh memory and on used memory', () => {
    for (const { build } of primitiveCases) {
      const { value, leaves } = build(3);
      const executable = new Executable([value], wasmBackend());
      for (const [leaf, values] of leaves) executable.place(leaf)?.set(values);
      executable.run();
      const first = executable.place(value)!.slice();
      executable.run();
      expect(executable.place(value)).toEqual(first);
      expect(run(value, leaves)).toEqual(first);
    }
  });

  it('keeps softmax and cross-entropy finite for large logits', () => {
    const graph = new Graph();
    const logits = graph.leaf('logits', [1, 3]);
    const labels = graph.leaf('labels', [1]);
    const leaves = new Map([
      [logits, Float32Array.of(1000, 0, -1000)],
      [labels, Float32Array.of(1)],
    ]);
    expect([...run(graph.softmax(logits), leaves)]).toEqual([1, 0, 0]);
    expect([...run(graph.crossEntropy(logits, labels), leaves)]).toEqual([1000]);
  });

  it('lets NaN and infinity through, so that divergence is seen', () => {
    const graph = new Graph();
    const x = graph.leaf('x', [1, 5]);
    const leaves = new Map([[x, Float32Array.of(1, 2, NaN, 3, 4)]]);
    for (const make of [
      graph.exp(x),
      graph.log(x),
      graph.tanh(x),
      graph.sigmoid(x),
      graph.softplus(x),
      graph.erf(x),
      graph.gelu(x, 'erf'),
      graph.gelu(x, 'tanh'),
      graph.squareRoot(x),
    ]) {
      const found = run(make, leaves);
      expect([...found].map(Number.isNaN)).toEqual([false, false, true, false, false]);
    }
    expect(run(graph.softmax(x), leaves)).toEqual(new Float32Array(5).fill(NaN));
    const ends = new Map([[x, Float32Array.of(Infinity, 100, 0, -200, -Infinity)]]);
    expect([...run(graph.exp(x), ends)]).toEqual([Infinity, Infinity, 1, 0, 0]);
    expect([...run(graph.tanh(x), ends)]).toEqual([1, 1, 0, -1, -1]);
    expect([...run(graph.sigmoid(x), ends)].map((y) => Math.abs(y - Math.round(y)) < 1e-37)).toEqual([
      true,
      true,
      false,
      true,
      true,
    ]);
    expect([...run(graph.log(x), new Map([[x, Float32Array.of(Infinity, 1, 0, -0, -1)]]))]).toEqual([
      Infinity,
      0,
      -Infinity,
      -Infinity,
      NaN,
    ]);
  });

  it.each([
    ['exp', Math.exp, -87, 88],
    ['log', Math.log, 0.001, 20],
    ['tanh', Math.tanh, -12, 12],
    ['sigmoid', (x: number) => 1 / (1 + Math.exp(-x)), -80, 80],
    ['softplus', (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))), -80, 80],
    ['erf', erf, -5, 5],
  ] as const)('knows %s to 4e-7 of its value over its whole range', (op, exact, low, high) => {
    const many = 20000;
    const places = Float32Array.from({ length: many }, (_, i) => low + ((high - low) * (i + 0.5)) / many);
    const graph = new Graph();
    const leaf = graph.leaf('x', [many]);
    const found = run(graph[op](leaf), new Map([[leaf, places]]));
    const worst = found.reduce((most, y, i) => {
      const wanted = exact(places[i]);
      return Math.max(most, Math.abs(y - wanted) / Math.abs(wanted));
    }, 0);
    expect(worst).toBeLessThan(4e-7);
    if (op === 'tanh' || op === 'erf') expect(found.every((y) => y >= -1 && y <= 1)).toBe(true);
  });

  it('keeps the gates of an LSTM from 0 to 1 and its states from -1 to 1', () => {
    const graph = new Graph();
    const gates = graph.leaf('gates', [1, 500, 4]);
    const wh = graph.leaf('wh', [1, 4]);
    const drawn = Float32Array.from({ length: gates.size }, (_, i) => -20 + (40 * i) / gates.size);
    const leaves = new Map([
      [gates, drawn],
      [wh, new Float32Array(4)],
    ]);
    const states = run(graph.lstm(gates, wh), leaves);
    const [h, , i, f, g, o] = [0, 1, 2, 3, 4, 5].map((k) => states.subarray(500 * k, 500 * (k + 1)));
    for (const gate of [i, f, o]) expect(gate.every((y) => y >= 0 && y <= 1)).toBe(true);
    for (const state of [h, g]) expect(state.every((y) => y >= -1 && y <= 1)).toBe(true);
  });

  it('says how much memory it could not get', () => {
    expect(() => wasmBackend().createMemory(2 ** 31)).toThrow(/8589934684 bytes of memory/);
  });

  it('refuses memory of another backend', () => {
    const { value } = primitiveCases[0].build(0);
    const { op, attributes } = value;
    const operand = { offset: 0, size: 1, shape: [1, 1] };
    const call = { op, inputs: [operand, operand], output: operand, scratch: operand, attributes };
    expect(() => wasmBackend().bind(call, { floats: new Float32Array(4) })).toThrow(TypeError);
  });
});
