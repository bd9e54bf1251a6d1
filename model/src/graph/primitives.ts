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
  matmul: { readonly transposeA: boolean; readonly transposeB: boolean }; // [M,K] [K,N] -> [M,N]
  convolution: ConvolutionGeometry; //            x [B,H,W,C], w [KH,KW,C,F] -> [B,OH,OW,F]
  convolutionInputGradient: ConvolutionGeometry; //  d [B,OH,OW,F], w -> [B,H,W,C]
  convolutionFilterGradient: ConvolutionGeometry; // x, d -> [KH,KW,C,F]
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
  maskPositive: object; //                        a where b > 0, else 0; relu(x) = maskPositive(x, x)
  tanh: object;
  view: object; //                                the same values under another shape, never copied

  // Rows, columns, scalars
  addRow: object; //                              [R,C] + [C]
  multiplyRow: object; //                         [R,C] * [C]
  repeatRow: object; //                           [C] -> [R,C]
  columnSum: object; //                           [R,C] -> [C]
  columnDot: object; //                           [R,C] [R,C] -> [C]
  multiplyColumn: object; //                      [R,C] * [R]
  rowDot: object; //                              [R,C] [R,C] -> [R]
  multiplyScalar: object; //                      a * [1]
  dot: object; //                                 a, b -> [1]

  // Classification
  softmax: object; //                             along C
  crossEntropy: object; //                        logits [R,C], labels [R] -> [R], natural logarithm
  oneHot: object; //                              labels [R] -> [R,C]
}

export type Primitive = keyof PrimitiveAttributes;

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
