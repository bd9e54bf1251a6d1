import { ModelError } from './errors.ts';
import type { NodeIr, ParameterIr } from './schema.ts';

/**
 * Statistics of the input come as one pair, and only as mean and inverse deviation of one `standardise` of the
 * features: so it is known what to write into them.
 */
export function checkStatistics(
  params: readonly ParameterIr[],
  nodes: readonly NodeIr[],
  features: string,
): void {
  const kindOf = new Map(params.map(({ id, init }) => [id, init.kind]));
  const isStatistic = (id: string) => kindOf.get(id) === 'inputMean' || kindOf.get(id) === 'inputInverseSd';
  const users = nodes.flatMap((node, i) =>
    node.in.some(isStatistic) ? [{ node, path: `nodes[${i}].in` }] : [],
  );
  users.forEach(({ node, path }, n) => {
    const [x, mean, inverseSd] = node.in;
    const fits =
      node.op === 'standardise' &&
      x === features &&
      kindOf.get(mean) === 'inputMean' &&
      kindOf.get(inverseSd) === 'inputInverseSd';
    if (!fits)
      throw new ModelError(
        'model-statistics-misplaced',
        path,
        `statistics of the input serve only as a pair, inputMean and inputInverseSd, in one standardise of "${features}"; found ${node.op} of ${node.in.join(', ')}.`,
      );
    if (n > 0)
      throw new ModelError(
        'model-statistics-misplaced',
        path,
        `"${features}" is standardised with its statistics a second time; use the output of the first.`,
      );
  });
}
