import { fixedAxes, someAxes } from '../ir/shapes.ts';
import type { Operation } from './operation.ts';

/** x [B, …], ids of tokens, to their rows of table [V, D]: [B, …, D]. */
export const embedding: Operation = {
  inputs: ['x', 'table'],
  optional: 0,
  takesTokens: true,
  bind: () => ({
    attributes: {},
    infer: ([x, table]) => ['B', ...someAxes(x, 0, 'x'), fixedAxes(table, 2, 'table')[1]],
    lower: (graph, [x, table]) => graph.takeRows(table, x),
  }),
};
