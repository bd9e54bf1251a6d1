import type { Kernels } from './binder.ts';
import { multiplyMatrices } from './matmul.ts';

export const products: Kernels<'matmul'> = {
  matmul({ inputs: [a, b], output, attributes: { transposeA, transposeB } }, floats) {
    const [rows, columns] = output.shape;
    const inner = a.shape[transposeA ? 0 : 1];
    const [aRow, aInner] = transposeA ? [1, rows] : [inner, 1];
    const [bInner, bColumn] = transposeB ? [1, inner] : [columns, 1];
    return () => {
      // prettier-ignore
      multiplyMatrices(floats, rows, columns, inner, a.offset, aRow, aInner, b.offset, bInner, bColumn, output.offset, columns, false);
    };
  },
};
