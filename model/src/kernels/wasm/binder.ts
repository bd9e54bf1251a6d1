import type { Primitive, PrimitiveAttributes } from '../../graph/primitives.ts';
import type { CallShapes, KernelCall, Operand } from '../backend.ts';

/** What `assembly/index.ts` exports: places in bytes, sizes and steps as its docstrings say. */
export type KernelExports = Readonly<Record<KernelName, (...numbers: number[]) => void>>;

export type KernelName =
  | 'matmul'
  | 'convolution'
  | 'convolutionFilterGradient'
  | 'convolutionInputGradient'
  | 'depthwise'
  | 'depthwiseFilterGradient'
  | 'depthwiseInputGradient'
  | 'averagePool'
  | 'averagePoolGradient'
  | 'gather'
  | 'maxPoolIndex'
  | 'scatter'
  | 'add'
  | 'descend'
  | 'erf'
  | 'exp'
  | 'geluByErf'
  | 'geluByTanh'
  | 'geluGradientByErf'
  | 'geluGradientByTanh'
  | 'log'
  | 'maskPositive'
  | 'multiply'
  | 'multiplyScalar'
  | 'reciprocal'
  | 'reciprocalRoot'
  | 'scale'
  | 'shift'
  | 'sigmoid'
  | 'softplus'
  | 'squareRoot'
  | 'subtract'
  | 'tanh'
  | 'addRowsAt'
  | 'copyRuns'
  | 'pad'
  | 'permute'
  | 'takeRows'
  | 'addRow'
  | 'addRowPositive'
  | 'columnDot'
  | 'columnSum'
  | 'dot'
  | 'multiplyColumn'
  | 'multiplyRow'
  | 'repeatColumn'
  | 'repeatRow'
  | 'rowDot'
  | 'rowSum'
  | 'normaliseRows'
  | 'normaliseRowsGradient'
  | 'lstm'
  | 'lstmGradient'
  | 'crossEntropy'
  | 'oneHot'
  | 'softmax';

/** How a primitive becomes a call of a kernel. */
export interface Kernel<Op extends Primitive> {
  /** Floats of scratch; none when missing. */
  scratch?(shapes: CallShapes, attributes: PrimitiveAttributes[Op]): number;
  /** Fixes places and sizes once; the returned function allocates nothing. */
  bind(call: KernelCall<Op>, kernels: KernelExports): () => void;
}

export type Kernels<Op extends Primitive> = { readonly [Each in Op]: Kernel<Each> };

/** Where the arena starts: place 0 means nowhere to the kernels. */
export const arenaStart = 64;

export function placeOf({ offset }: Operand): number {
  return arenaStart + offset * Float32Array.BYTES_PER_ELEMENT;
}

export function product(shape: readonly number[]): number {
  return shape.reduce((size, axis) => size * axis, 1);
}

export function lastAxis({ shape }: Operand): number {
  return shape[shape.length - 1];
}

/** All axes but the last, flattened. */
export function rowCount(operand: Operand): number {
  return operand.size / lastAxis(operand);
}

/** Floats of `columns` filled up to whole panels, whole lines of 16 bytes. */
export function panels(columns: number): number {
  return Math.ceil(columns / 8) * 8;
}
