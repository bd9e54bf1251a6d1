import { lastAxis, placeOf, rowCount, type Kernels } from './binder.ts';

export const normalisations: Kernels<'normaliseRows' | 'normaliseRowsGradient'> = {
  normaliseRows: {
    bind({ inputs: [x], output, attributes: { epsilon } }, { normaliseRows }) {
      const [px, py, rows, columns] = [placeOf(x), placeOf(output), rowCount(x), lastAxis(x)];
      return () => {
        normaliseRows(px, py, rows, columns, epsilon);
      };
    },
  },
  normaliseRowsGradient: {
    bind({ inputs: [d, x], output, attributes: { epsilon } }, { normaliseRowsGradient }) {
      const [pd, px, py, rows, columns] = [placeOf(d), placeOf(x), placeOf(output), rowCount(x), lastAxis(x)];
      return () => {
        normaliseRowsGradient(pd, px, py, rows, columns, epsilon);
      };
    },
  },
};
