import { relu, tanh } from './activation.ts';
import { conv1d } from './convolution.ts';
import { dense } from './dense.ts';
import { flatten } from './flatten.ts';
import type { Operation } from './operation.ts';
import { avgPool1d, globalAvgPool1d, maxPool1d } from './pooling.ts';
import { standardise } from './standardise.ts';

/** Opset 1: every op that a node of the IR may name. */
export const operations: ReadonlyMap<string, Operation> = new Map(
  Object.entries({
    standardise,
    dense,
    conv1d,
    maxPool1d,
    avgPool1d,
    globalAvgPool1d,
    flatten,
    relu,
    tanh,
  }),
);
