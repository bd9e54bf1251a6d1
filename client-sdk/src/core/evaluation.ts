import {
  adapt,
  judge,
  splitSupport,
  trainAlone,
  type Examples,
  type Params,
  type Program,
} from '@starling/model';
import {
  evaluationPoints,
  evaluationScalars,
  evaluationWidth,
  metricClip,
  spreadBin,
  type EvaluationSpec,
} from '@starling/protocol';

/**
 * Judges a model before and after adaptation. For each point of the specification: accuracy and loss a row on the
 * query set, then the one-hot bin of the accuracy. Steps add up (20 are 5 more than 15), except for Adam on the
 * support alone, whose moments start with each run. Throws ExamplesMismatch when support or query is empty, TrainingDiverged.
 */
export function evaluationCoordinates(
  program: Program,
  shared: Params,
  examples: Examples,
  spec: EvaluationSpec,
  seed: number,
): Float64Array {
  const points = evaluationPoints(spec);
  const coordinates = new Float64Array(points.length * evaluationWidth);
  for (const share of new Set(spec.supportShares)) {
    const { support, query } = splitSupport(examples, program.model, share);
    const own = [...points.entries()].filter(([, point]) => point.supportShare === share);
    own.sort(([, a], [, b]) => a.steps - b.steps);
    let [params, taken] = [shared, 0];
    for (const [index, { steps }] of own) {
      if (spec.alone) params = trainAlone(program, seed, shared, support, { ...spec.alone, steps });
      else if (steps > taken)
        params = adapt(program, params, support, { steps: steps - taken, rate: spec.rate });
      taken = steps;
      const { loss, correct, count } = judge(program, params, query);
      writePoint(coordinates.subarray(index * evaluationWidth), correct / count, loss / count);
    }
  }
  return coordinates;
}

function writePoint(into: Float64Array, accuracy: number, loss: number): void {
  into.set([accuracy, Math.min(metricClip, loss)]);
  into[evaluationScalars.length + spreadBin(accuracy)] = 1;
}
