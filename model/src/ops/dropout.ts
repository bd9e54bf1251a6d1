import type { Operation } from './operation.ts';

/** In training, 0 with probability `rate`, else x / (1 - rate) (Srivastava et al. 2014); x itself in evaluation. */
export const dropout: Operation = {
  inputs: ['x'],
  optional: 0,
  bind(attributes) {
    const rate = attributes.within('rate', 0, 1);
    return {
      attributes: { rate },
      random: rate > 0,
      infer: ([x]) => x,
      lower: (graph, [x], context) =>
        context.training && rate > 0 ? graph.multiply(x, context.mask(x.shape, rate)) : x,
    };
  },
};
