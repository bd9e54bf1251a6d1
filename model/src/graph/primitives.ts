/**
 * The whole vocabulary of the engine, with the constants each primitive carries. It is closed under differentiation:
 * every gradient is written in these same primitives (`rules.ts`), so a gradient can be differentiated again.
 * R are rows (all axes but the last, flattened), C is the last axis.
 */
export interface PrimitiveAttributes {
  // Leaves
  leaf: { readonly name: string }; //             written from outside before a run
  constant: { readonly value: number }; //        every element the same

  // Matrices and windows
  matmul: { readonly transposeA: boolean; readonly transposeB: boolean }; // [M,K] [K,N] -> [M,N], or N of them: [N,M,K] [N,K,P] -> [N,M,P]
  convolution: ConvolutionGeometry; //            x [B,H,W,C], w [KH,KW,C,F] -> [B,OH,OW,F]
  convolutionInputGradient: ConvolutionGeometry; //  d [B,OH,OW,F], w -> [B,H,W,C]
  convolutionFilterGradient: ConvolutionGeometry; // x, d -> [KH,KW,C,F]
  depthwise: ConvolutionGeometry; //              x [B,H,W,C], w [KH,KW,C] -> [B,OH,OW,C], each channel by its own filter
  depthwiseInputGradient: ConvolutionGeometry; //    d [B,OH,OW,C], w -> [B,H,W,C]
  depthwiseFilterGradient: ConvolutionGeometry; //   x, d -> [KH,KW,C]
  maxPoolIndex: PoolGeometry; //                  x -> [B,OH,OW,C]: where in its example the first maximum lies
  gather: object; //                              x [B,…], index [B,…] -> shape of index
  scatter: object; //                             d [B,…], index [B,…] -> [B,…], adding where indices meet
  averagePool: PoolGeometry; //                   x -> [B,OH,OW,C]
  averagePoolGradient: PoolGeometry; //           its transpose

  // Element by element
  add: object;
  subtract: object;
  multiply: object;
  scale: { readonly factor: number };
  shift: { readonly offset: number }; //          a + offset
  descend: object; //                             a - s * b: a, b of one shape, s [1]
  maskPositive: object; //                        a where b > 0, else 0; relu(x) = maskPositive(x, x)
  exp: object;
  log: object; //                                 natural; of positive values
  reciprocal: object; //                          1 / a
  squareRoot: object; //                          of values from 0
  reciprocalRoot: object; //                      1 / sqrt(a), of positive values
  tanh: object;
  sigmoid: object; //                             1 / (1 + exp(-a))
  softplus: object; //                            log(1 + exp(a)), stable for large |a|
  erf: object; //                                 the error function
  gelu: GeluVariant;
  geluGradient: GeluVariant; //                   d, x -> d * gelu'(x)

  // Places
  view: object; //                                the same values under another shape, never copied
  permute: { readonly axes: readonly number[] }; // axis i of the result is axis axes[i] of a
  slice: { readonly axis: number; readonly start: number; readonly end: number };
  pad: { readonly axis: number; readonly before: number; readonly after: number }; // zeros around a along one axis
  concat: { readonly axis: number }; //           one or more values, equal in all axes but this
  takeRows: object; //                            table [V,D], index […] -> […,D]
  addRowsAt: object; //                           d […,D], index […] -> [V,D], adding where indices meet

  // Rows, columns, scalars
  addRow: object; //                              [R,C] + [C]
  addRowPositive: object; //                      max([R,C] + [C], 0); made by the planner alone
  multiplyRow: object; //                         [R,C] * [C]
  repeatRow: object; //                           [C] -> [R,C]
  columnSum: object; //                           [R,C] -> [C]
  columnDot: object; //                           [R,C] [R,C] -> [C]
  multiplyColumn: object; //                      [R,C] * [R]
  repeatColumn: object; //                        [R] -> [R,C]
  rowSum: object; //                              [R,C] -> [R]
  rowDot: object; //                              [R,C] [R,C] -> [R]
  normaliseRows: { readonly epsilon: number }; // (x - mean) / sqrt(variance + epsilon) along C, variance over C values
  normaliseRowsGradient: { readonly epsilon: number }; // d, x -> cotangent of x
  multiplyScalar: object; //                      a * [1]
  dot: object; //                                 a, b -> [1]

  // Sequences
  lstm: object; //                                gates [T,B,4H] without the recurrent part, wh [H,4H] -> [6,T,B,H]: h, c, i, f, g, o
  lstmGradient: object; //                        cotangent of h [T,B,H], wh, states [6,T,B,H] -> cotangent of the gates [T,B,4H]

  // Classification
  softmax: { readonly causal: boolean }; //       along C; causal: row i of [R,C] sees columns up to i + C - R (R, C the last two axes)
  crossEntropy: object; //                        logits [R,C], labels [R] -> [R], natural logarithm
  oneHot: object; //                              labels [R] -> [R,C]
}

export type Primitive = keyof PrimitiveAttributes;

/** Those that a backend computes: the others are places in memory rather than work. */
export type ComputedPrimitive = Exclude<Primitive, 'leaf' | 'constant' | 'view'>;

/** `erf`: x Phi(x), Phi the normal distribution; `tanh`: its approximation (Hendrycks and Gimpel 2016, section 2). */
export interface GeluVariant {
  readonly variant: 'erf' | 'tanh';
}

/** Steps and zero padding of a convolution. Sizes come from the shapes of its values. */
export interface ConvolutionGeometry {
  readonly strideHeight: number;
  readonly strideWidth: number;
  readonly padTop: number;
  readonly padBottom: number;
  readonly padLeft: number;
  readonly padRight: number;
}

/** Windows of pooling; they never reach beyond the input. */
export interface PoolGeometry {
  readonly height: number;
  readonly width: number;
  readonly strideHeight: number;
  readonly strideWidth: number;
}

/** How many windows fit along one axis: a remainder at the end belongs to none. At least 1 where the window fits. */
export function windowCount(length: number, size: number, stride: number): number {
  return Math.floor((length - size) / stride) + 1;
}
