import { plain } from './operation.ts';

/** max(x, 0); its derivative at 0 is 0. */
export const relu = plain(['x'], 0, {
  infer: ([x]) => x,
  lower: (graph, [x]) => graph.maskPositive(x, x),
});

export const tanh = plain(['x'], 0, {
  infer: ([x]) => x,
  lower: (graph, [x]) => graph.tanh(x),
});
