import type { Kernels } from './binder.ts';

/** Layer normalisation without its scale and offset (Ba, Kiros and Hinton 2016); sums in float64. */
export const normalisations: Kernels<'normaliseRows' | 'normaliseRowsGradient'> = {
  normaliseRows({ inputs: [x], output: y, attributes: { epsilon } }, f) {
    const columns = x.shape[x.shape.length - 1];
    return () => {
      for (let start = 0; start < y.size; start += columns) {
        const from = x.offset + start;
        const to = y.offset + start;
        let sum = 0;
        for (let c = 0; c < columns; c++) sum += f[from + c];
        const mean = sum / columns;
        let squares = 0;
        for (let c = 0; c < columns; c++) squares += (f[from + c] - mean) * (f[from + c] - mean);
        const inverse = 1 / Math.sqrt(squares / columns + epsilon);
        for (let c = 0; c < columns; c++) f[to + c] = (f[from + c] - mean) * inverse;
      }
    };
  },

  /** s (d - mean(d) - y mean(d y)) with y the normalised row and s the inverse deviation. */
  normaliseRowsGradient({ inputs: [d, x], output: dx, attributes: { epsilon } }, f) {
    const columns = x.shape[x.shape.length - 1];
    return () => {
      for (let start = 0; start < dx.size; start += columns) {
        const slope = d.offset + start;
        const from = x.offset + start;
        const to = dx.offset + start;
        let sum = 0;
        let slopes = 0;
        for (let c = 0; c < columns; c++) {
          sum += f[from + c];
          slopes += f[slope + c];
        }
        const mean = sum / columns;
        let squares = 0;
        let products = 0;
        for (let c = 0; c < columns; c++) {
          const centred = f[from + c] - mean;
          squares += centred * centred;
          products += centred * f[slope + c];
        }
        const inverse = 1 / Math.sqrt(squares / columns + epsilon);
        const level = slopes / columns;
        const along = (products / columns) * inverse * inverse;
        for (let c = 0; c < columns; c++)
          f[to + c] = inverse * (f[slope + c] - level - (f[from + c] - mean) * along);
      }
    };
  },
};
