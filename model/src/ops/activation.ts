import { someAxes } from '../ir/shapes.ts';
import { plain, type Operation } from './operation.ts';

/** max(x, 0); its derivative at 0 is 0. */
export const relu = plain(['x'], 0, {
  infer: ([x]) => x,
  lower: (graph, [x]) => graph.maskPositive(x, x),
});

export const tanh = plain(['x'], 0, {
  infer: ([x]) => x,
  lower: (graph, [x]) => graph.tanh(x),
});

/** 1 / (1 + exp(-x)) */
export const sigmoid = plain(['x'], 0, {
  infer: ([x]) => x,
  lower: (graph, [x]) => graph.sigmoid(x),
});

/** Hendrycks and Gimpel 2016. The variant has no default: frameworks disagree about it. */
export const gelu: Operation = {
  inputs: ['x'],
  optional: 0,
  bind(attributes) {
    const variant = attributes.oneOf('variant', ['erf', 'tanh']);
    return {
      attributes: { variant },
      infer: ([x]) => x,
      lower: (graph, [x]) => graph.gelu(x, variant),
    };
  },
};

/** Over the last axis: x [B, …, C]. */
export const softmax = plain(['x'], 0, {
  infer([x]) {
    someAxes(x, 1, 'x');
    return x;
  },
  lower: (graph, [x]) => graph.softmax(x),
});
