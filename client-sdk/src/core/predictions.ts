import type { Params, Program } from '@starling/model';

export interface ModelPrediction {
  /** One a class, adding up to 1. */
  readonly probabilities: Float32Array;
  /** The most probable class; the first of equals. */
  readonly classIndex: number;
}

/** What parameters predict for rows, one behind another in x. Throws ExamplesMismatch. */
export function predictionsOf(
  program: Program,
  params: Params,
  x: Float32Array | Int32Array,
): ModelPrediction[] {
  const { probabilities, count, classes } = program.predict(params, x);
  return Array.from({ length: count }, (_, row) => {
    const own = probabilities.slice(row * classes, (row + 1) * classes);
    return { probabilities: own, classIndex: own.indexOf(Math.max(...own)) };
  });
}
