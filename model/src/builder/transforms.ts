import type { Draft, NodeOptions, Tensor } from './draft.ts';

type Pair = readonly [number, number];

interface LineWindows extends NodeOptions {
  readonly size: number;
  /** As `size` when not given. */
  readonly stride?: number;
  /** `false` refuses a remainder that no window covers. */
  readonly floor?: boolean;
}

interface PlaneWindows extends NodeOptions {
  readonly size: Pair;
  /** As `size` when not given. */
  readonly strides?: Pair;
  readonly floor?: boolean;
}

type Unary<Options> = (x: Tensor, options: Options) => Tensor;

/** Ops without parameters; their options are the attributes of the IR. */
export function transforms(draft: Draft) {
  const node = (op: string, operands: readonly Tensor[], options: NodeOptions): Tensor => {
    const { name, ...attributes } = options;
    return draft.node(op, draft.nameOf(op, name), operands, attributes);
  };
  const unary = <Options extends NodeOptions>(op: string): Unary<Options> => {
    return (x, options) => node(op, [x], options);
  };
  const plain =
    (op: string) =>
    (x: Tensor, options: NodeOptions = {}): Tensor =>
      node(op, [x], options);
  const binary =
    (op: string) =>
    (a: Tensor, b: Tensor, options: NodeOptions = {}): Tensor =>
      node(op, [a, b], options);
  return {
    maxPool1d: unary<LineWindows>('maxPool1d'),
    avgPool1d: unary<LineWindows>('avgPool1d'),
    maxPool2d: unary<PlaneWindows>('maxPool2d'),
    avgPool2d: unary<PlaneWindows>('avgPool2d'),
    globalAvgPool1d: plain('globalAvgPool1d'),
    globalMaxPool1d: plain('globalMaxPool1d'),
    globalAvgPool2d: plain('globalAvgPool2d'),
    globalMaxPool2d: plain('globalMaxPool2d'),

    relu: plain('relu'),
    tanh: plain('tanh'),
    sigmoid: plain('sigmoid'),
    softmax: plain('softmax'),
    gelu: unary<NodeOptions & { readonly variant: 'erf' | 'tanh' }>('gelu'),
    dropout: unary<NodeOptions & { readonly rate: number }>('dropout'),

    add: binary('add'),
    mul: binary('mul'),

    /** q [B, T, D], k and v [B, S, D]. */
    attention: (
      q: Tensor,
      k: Tensor,
      v: Tensor,
      options: NodeOptions & { readonly heads?: number; readonly causal?: boolean } = {},
    ): Tensor => node('attention', [q, k, v], options),

    flatten: plain('flatten'),
    /** `shape`: the axes behind the batch. */
    reshape: unary<NodeOptions & { readonly shape: readonly number[] }>('reshape'),
    /** `axes`: a permutation of the axes behind the batch, counted from 1. */
    transpose: unary<NodeOptions & { readonly axes: readonly number[] }>('transpose'),
    slice: unary<NodeOptions & { readonly axis: number; readonly start: number; readonly end: number }>(
      'slice',
    ),
    /** `axis` is counted with the batch as 0, for all ops. */
    concat: (tensors: readonly Tensor[], options: NodeOptions & { readonly axis: number }): Tensor =>
      node('concat', tensors, options),
    reduce: unary<
      NodeOptions & {
        readonly kind: 'mean' | 'sum' | 'max';
        readonly axes: readonly number[];
        readonly keep?: boolean;
      }
    >('reduce'),
  };
}
