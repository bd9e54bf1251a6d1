import { exp, log } from '../../numeric.ts';
import type { Kernels } from './binder.ts';

export const classification: Kernels<'softmax' | 'crossEntropy' | 'oneHot'> = {
  softmax({ inputs: [logits], output: y, attributes: { causal } }, f) {
    const [rows, classes] = causal ? y.shape.slice(-2) : [1, y.shape[y.shape.length - 1]];
    return () => {
      for (let start = 0, row = 0; start < y.size; start += classes, row = (row + 1) % rows) {
        const from = logits.offset + start;
        const to = y.offset + start;
        const seen = row + 1 + classes - rows;
        const visible = causal ? (seen > 0 ? seen : 0) : classes;
        const largest = largestOf(f, from, visible);
        let sum = 0;
        for (let c = 0; c < visible; c++) sum += f[to + c] = exp(f[from + c] - largest);
        for (let c = 0; c < visible; c++) f[to + c] /= sum;
        if (visible < classes) f.fill(0, to + visible, to + classes);
      }
    };
  },

  /** log sum exp(logits) - logits[label], shifted by the largest logit. */
  crossEntropy({ inputs: [logits, labels], output: y }, f) {
    const classes = logits.shape[logits.shape.length - 1];
    return () => {
      for (let r = 0; r < y.size; r++) {
        const from = logits.offset + r * classes;
        const largest = largestOf(f, from, classes);
        let sum = 0;
        for (let c = 0; c < classes; c++) sum += exp(f[from + c] - largest);
        f[y.offset + r] = log(sum) + largest - f[from + f[labels.offset + r]];
      }
    };
  },

  oneHot({ inputs: [labels], output: y }, f) {
    const classes = y.shape[1];
    return () => {
      f.fill(0, y.offset, y.offset + y.size);
      for (let r = 0; r < labels.size; r++) f[y.offset + r * classes + f[labels.offset + r]] = 1;
    };
  },
};

function largestOf(f: Float32Array, from: number, many: number): number {
  let largest = f[from];
  for (let i = 1; i < many; i++) if (f[from + i] > largest) largest = f[from + i];
  return largest;
}
