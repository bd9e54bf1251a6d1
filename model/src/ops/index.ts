import { gelu, relu, sigmoid, softmax, tanh } from './activation.ts';
import { add, mul } from './arithmetic.ts';
import { attention } from './attention.ts';
import { conv1d, conv2d, depthwiseConv2d } from './convolution.ts';
import { dense } from './dense.ts';
import { dropout } from './dropout.ts';
import { embedding } from './embedding.ts';
import { batchNorm, groupNorm, layerNorm } from './normalisation.ts';
import type { Operation } from './operation.ts';
import { concat, flatten, reshape, slice, transpose } from './places.ts';
import {
  avgPool1d,
  avgPool2d,
  globalAvgPool1d,
  globalAvgPool2d,
  globalMaxPool1d,
  globalMaxPool2d,
  maxPool1d,
  maxPool2d,
} from './pooling.ts';
import { gru, lstm } from './recurrence.ts';
import { reduce } from './reduction.ts';
import { standardise } from './standardise.ts';

/** Opset 1: every op that a node of the IR may name. */
export const operations: ReadonlyMap<string, Operation> = new Map(
  Object.entries({
    standardise,
    dense,
    conv1d,
    conv2d,
    depthwiseConv2d,
    maxPool1d,
    avgPool1d,
    globalAvgPool1d,
    globalMaxPool1d,
    maxPool2d,
    avgPool2d,
    globalAvgPool2d,
    globalMaxPool2d,
    batchNorm,
    layerNorm,
    groupNorm,
    embedding,
    lstm,
    gru,
    attention,
    relu,
    tanh,
    sigmoid,
    gelu,
    softmax,
    add,
    mul,
    concat,
    flatten,
    reshape,
    transpose,
    slice,
    reduce,
    dropout,
  }),
);
