import type { PrimitiveAttributes } from '../../graph/primitives.ts';
import type { CallShapes } from '../backend.ts';
import type { GpuKernels } from './dispatch.ts';
import { multiply, productScratch } from './product.ts';

export const matmuls: GpuKernels<'matmul'> = {
  matmul({ inputs: [a, b], output, scratch, attributes }) {
    const { transposeA, transposeB } = attributes;
    const sizes = matmulSizes({ inputs: [a.shape, b.shape], output: output.shape }, attributes);
    const readers = `fn a(matrix: u32, row: u32, k: u32) -> f32 {
  return arena[call.a + matrix * call.rows * call.inner + ${transposeA ? 'k * call.rows + row' : 'row * call.inner + k'}];
}
fn b(matrix: u32, k: u32, column: u32) -> f32 {
  return arena[call.b + matrix * call.inner * call.columns + ${transposeB ? 'column * call.inner + k' : 'k * call.columns + column'}];
}`;
    const along = { a: transposeA ? 'row' : 'inner', b: transposeB ? 'inner' : 'column' } as const;
    const integers = { a: a.offset, b: b.offset };
    return multiply({ ...sizes, readers, along, integers }, output.offset, scratch.offset);
  },
};

export function matmulScratch(shapes: CallShapes, attributes: PrimitiveAttributes['matmul']): number {
  return productScratch(matmulSizes(shapes, attributes));
}

function matmulSizes({ inputs: [a], output }: CallShapes, { transposeA }: PrimitiveAttributes['matmul']) {
  const [rows, columns] = output.slice(-2);
  const many = output.slice(0, -2).reduce((size, length) => size * length, 1);
  return { many, rows, columns, inner: a[a.length - (transposeA ? 2 : 1)] };
}
