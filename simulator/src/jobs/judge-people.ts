import { meanOfLowest, quantile } from '@starling/aggregation';
import {
  adapt,
  compile,
  judge,
  splitSupport,
  trustedBackend,
  type Examples,
  type Model,
  type Params,
} from '@starling/model';
import { evaluationPoints, spreadBin, spreadBins, type EvaluationResult } from '@starling/protocol';
import type { Judging } from './job.ts';

/**
 * Judges a model on people as an evaluation round judges it on devices: each adapts on its support and is judged on its
 * query, before and after the steps. @throws ExamplesMismatch
 */
export function judgePeople(
  model: Model,
  shared: Params,
  people: ReadonlyMap<string, Examples>,
  judging: Judging,
): EvaluationResult[] {
  const program = compile(model, { batch: 32, backend: trustedBackend() });
  return evaluationPoints({ ...judging, goal: 1, minimum: 1 }).map(({ supportShare, steps }) => {
    const bins = new Float64Array(spreadBins);
    let [accuracy, loss] = [0, 0];
    for (const examples of people.values()) {
      const { support, query } = splitSupport(examples, model, supportShare);
      const params = steps > 0 ? adapt(program, shared, support, { steps, rate: judging.rate }) : shared;
      const { correct, count, loss: total } = judge(program, params, query);
      accuracy += correct / count;
      loss += total / count;
      bins[spreadBin(correct / count)]!++;
    }
    return {
      supportShare,
      steps,
      accuracy: accuracy / people.size,
      loss: loss / people.size,
      worstDecile: meanOfLowest(bins, 0.1),
      deciles: Array.from({ length: 9 }, (_, decile) => quantile(bins, (decile + 1) / 10)),
    };
  });
}
