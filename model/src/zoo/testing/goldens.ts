/// <reference types="node" />
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { jsBackend } from '../../kernels/js/index.ts';
import { isWasmSupported, wasmBackend } from '../../kernels/wasm/index.ts';
import { relaxedKernels } from '../../kernels/wasm/relaxed.ts';
import type { ParameterLayout } from '../../parameters/layout.ts';

/** What cluster/scripts/goldens.py writes: results of PyTorch in float64. */
export interface TensorGolden {
  readonly norm: number;
  readonly max: number;
  /** At floor(j (n - 1) / 11) for j = 0 … 11, each place once. */
  readonly entries: readonly number[];
}

export interface GradientGolden {
  readonly loss: number;
  readonly gradients: Readonly<Record<string, TensorGolden>>;
}

export interface MetaGolden {
  readonly supportRows: number;
  readonly queryRows: number;
  readonly innerRate: number;
  /** The gradient at the adapted weights, and the one through the inner step. */
  readonly first: GradientGolden;
  readonly second: GradientGolden;
}

export interface OpGolden extends GradientGolden {
  readonly ir: { readonly name: string };
  readonly rows: number;
  readonly meta: MetaGolden;
}

export interface ZooGolden extends GradientGolden {
  readonly name: string;
  readonly rows: number;
  readonly meta?: MetaGolden;
}

export interface OptimiserGoldens {
  readonly ir: object;
  readonly rows: number;
  readonly runs: readonly {
    readonly optimiser: object;
    readonly losses: readonly number[];
    readonly weights: Readonly<Record<string, TensorGolden>>;
  }[];
}

interface Goldens {
  ops: readonly OpGolden[];
  zoo: readonly ZooGolden[];
  optimisers: OptimiserGoldens;
}

export function readGolden<Name extends keyof Goldens>(name: Name): Goldens[Name] {
  return readJson(`../../../src/zoo/goldens/${name}.json`) as Goldens[Name]; // our own file: its writer names the type
}

/** A document of the zoo. */
export function readZoo(name: string): unknown {
  return readJson(`../../../zoo/${name}.json`);
}

/** What people read about it. */
export function readCard(name: string): string {
  return read(`../../../zoo/${name}.md`);
}

function readJson(path: string): unknown {
  return JSON.parse(read(path));
}

function read(path: string): string {
  return readFileSync(new URL(path, import.meta.url), 'utf8');
}

/** Relaxed SIMD is not on everywhere: Node 20 wants a flag for it. */
export const backends = [
  jsBackend,
  wasmBackend(),
  ...(isWasmSupported(relaxedKernels) ? [wasmBackend(relaxedKernels)] : []),
];

/** Entries, largest magnitude and norm of each tensor, each within `tolerance` of the tensor's largest magnitude. */
export function expectTensors(
  found: Float32Array,
  layout: ParameterLayout,
  goldens: Readonly<Record<string, TensorGolden>>,
  tolerance: number,
): void {
  const weights = layout.entries.filter(({ role }) => role === 'weight');
  expect(weights.map(({ name }) => name)).toEqual(Object.keys(goldens));
  for (const { name, offset, size } of weights) {
    const golden = goldens[name];
    const tensor = Float64Array.from(found.subarray(offset, offset + size));
    const places = new Set(Array.from({ length: 12 }, (_, j) => Math.floor((j * (size - 1)) / 11)));
    const entries = [...places].map((place) => tensor[place]);
    const largest = tensor.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const norm = Math.sqrt(tensor.reduce((sum, value) => sum + value * value, 0));
    const wrong = (value: number, wanted: number, scale: number) =>
      !(Math.abs(value - wanted) <= tolerance * scale);
    const faults = [
      ...(wrong(largest, golden.max, golden.max) ? [`largest ${largest}, not ${golden.max}`] : []),
      ...(wrong(norm, golden.norm, golden.norm) ? [`norm ${norm}, not ${golden.norm}`] : []),
      ...entries.flatMap((value, i) =>
        wrong(value, golden.entries[i], golden.max) ? [`${value}, not ${golden.entries[i]}`] : [],
      ),
    ];
    expect(faults, `${name} of largest magnitude ${golden.max}`).toEqual([]);
    expect(entries).toHaveLength(golden.entries.length);
  }
}
