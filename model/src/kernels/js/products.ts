import type { Kernels } from './binder.ts';
import { multiplyMatrices } from './matmul.ts';

export const products: Kernels<'matmul'> = {
  matmul({ inputs: [a, b], output, attributes: { transposeA, transposeB } }, floats) {
    const [rows, columns] = output.shape.slice(-2);
    const inner = a.shape[a.shape.length - (transposeA ? 2 : 1)];
    const many = output.size / (rows * columns);
    const [aRow, aInner] = transposeA ? [1, rows] : [inner, 1];
    const [bInner, bColumn] = transposeB ? [1, inner] : [columns, 1];
    return () => {
      for (let n = 0; n < many; n++) {
        const aFirst = a.offset + n * rows * inner;
        const bFirst = b.offset + n * inner * columns;
        const first = output.offset + n * rows * columns;
        // prettier-ignore
        multiplyMatrices(floats, rows, columns, inner, aFirst, aRow, aInner, bFirst, bInner, bColumn, first, columns, false);
      }
    };
  },
};
