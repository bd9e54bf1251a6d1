import { lastAxis, panels, placeOf, product, type Kernels } from './binder.ts';

/** As in `assembly/matmul.ts`. */
const blockInner = 256;
const blockFloats = 65536;
const fewRows = 12;
const sameSet = 512;

export const products: Kernels<'matmul'> = {
  matmul: {
    scratch({ inputs: [a], output }, { transposeA, transposeB }) {
      const [rows, columns] = output.slice(-2);
      if (rows <= fewRows && !transposeA && (transposeB || columns % sameSet !== 0)) return 0;
      const terms = Math.min(a[a.length - (transposeA ? 2 : 1)], blockInner);
      return terms * Math.min(panels(columns), Math.floor(blockFloats / terms / 8) * 8);
    },
    bind({ inputs: [a, b], output, scratch, attributes }, { matmul }) {
      const [rows, columns] = output.shape.slice(-2);
      const many = product(output.shape.slice(0, -2));
      const transposeA = attributes.transposeA ? 1 : 0;
      const transposeB = attributes.transposeB ? 1 : 0;
      const inner = attributes.transposeA ? a.shape[a.shape.length - 2] : lastAxis(a);
      const [pa, pb, py, packed] = [placeOf(a), placeOf(b), placeOf(output), placeOf(scratch)];
      return () => {
        matmul(many, rows, columns, inner, pa, transposeA, pb, transposeB, py, packed);
      };
    },
  },
};
