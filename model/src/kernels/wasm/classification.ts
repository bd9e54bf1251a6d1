import { lastAxis, placeOf, rowCount, type Kernels } from './binder.ts';

export const classification: Kernels<'softmax' | 'crossEntropy' | 'oneHot'> = {
  softmax: {
    bind({ inputs: [x], output, attributes }, { softmax }) {
      const [from, to, columns] = [placeOf(x), placeOf(output), lastAxis(x)];
      const causal = attributes.causal ? 1 : 0;
      const rows = attributes.causal ? (x.shape.at(-2) ?? 1) : rowCount(x);
      const many = x.size / (rows * columns);
      return () => {
        softmax(from, to, many, rows, columns, causal);
      };
    },
  },
  crossEntropy: {
    bind({ inputs: [logits, labels], output }, { crossEntropy }) {
      const [px, pl, py] = [placeOf(logits), placeOf(labels), placeOf(output)];
      const [rows, columns] = [rowCount(logits), lastAxis(logits)];
      return () => {
        crossEntropy(px, pl, py, rows, columns);
      };
    },
  },
  oneHot: {
    bind({ inputs: [labels], output }, { oneHot }) {
      const [pl, py, rows, columns] = [placeOf(labels), placeOf(output), labels.size, lastAxis(output)];
      return () => {
        oneHot(pl, py, rows, columns);
      };
    },
  },
};
