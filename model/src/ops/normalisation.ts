import { rowCount, type Graph, type Value } from '../graph/graph.ts';
import type { Shape } from '../ir/schema.ts';
import { expectLength, fixedAxes, formatShape, ShapeMismatch, someAxes } from '../ir/shapes.ts';
import type { Operation } from './operation.ts';

const defaultEpsilon = 1e-5;
const inputs = ['x', 'gamma', 'beta'];

/**
 * (x - mean) / sqrt(variance + epsilon) gamma + beta for each channel of x [B, …, C] (Ioffe and Szegedy 2015), with mean
 * and variance of the rows that are run together, in training and in evaluation. No running statistics: what they would
 * describe differs from person to person.
 */
export const batchNorm: Operation = {
  inputs,
  optional: 0,
  mixesRows: true,
  bind(attributes) {
    const epsilon = attributes.positive('epsilon', defaultEpsilon);
    return {
      attributes: { epsilon },
      infer: inferChannels,
      lower(graph, [x, gamma, beta]) {
        const share = 1 / rowCount(x);
        const mean = graph.scale(graph.columnSum(x), share);
        const centred = graph.addRow(x, graph.scale(mean, -1));
        const variance = graph.scale(graph.columnDot(centred, centred), share);
        const inverse = graph.reciprocalRoot(graph.shift(variance, epsilon));
        return graph.addRow(graph.multiplyRow(centred, graph.multiply(inverse, gamma)), beta);
      },
    };
  },
};

/** The same along the last axis of x [B, …, C], row by row (Ba, Kiros and Hinton 2016). */
export const layerNorm: Operation = {
  inputs,
  optional: 0,
  bind(attributes) {
    const epsilon = attributes.positive('epsilon', defaultEpsilon);
    return {
      attributes: { epsilon },
      infer: inferChannels,
      lower: (graph, [x, gamma, beta]) => affine(graph, graph.normaliseRows(x, epsilon), gamma, beta),
    };
  },
};

/** The same over each example's places and each of `groups` equal parts of its channels (Wu and He 2018). */
export const groupNorm: Operation = {
  inputs,
  optional: 0,
  bind(attributes) {
    const groups = attributes.integer('groups', 1, 2 ** 16);
    const epsilon = attributes.positive('epsilon', defaultEpsilon);
    return {
      attributes: { groups, epsilon },
      infer(shapes) {
        const channels = someAxes(shapes[0], 1, 'x').at(-1)!;
        if (channels % groups !== 0)
          throw new ShapeMismatch(
            `the ${channels} channels of x ${formatShape(shapes[0])} cannot be parted into ${groups} equal groups.`,
          );
        return inferChannels(shapes);
      },
      lower(graph, [x, gamma, beta]) {
        const [batch, channels] = [x.shape[0], x.shape.at(-1)!];
        const [places, part] = [x.size / (batch * channels), channels / groups];
        const row = places * part;
        const parted = graph.view(x, [batch, places, groups, part]);
        const swap = places > 1 && groups > 1;
        const rows = graph.view(swap ? graph.permute(parted, [0, 2, 1, 3]) : parted, [batch * groups, row]);
        const y = graph.normaliseRows(rows, epsilon);
        const back = swap ? graph.permute(graph.view(y, [batch, groups, places, part]), [0, 2, 1, 3]) : y;
        return affine(graph, graph.view(back, x.shape), gamma, beta);
      },
    };
  },
};

function inferChannels([x, gamma, beta]: readonly Shape[]): Shape {
  const channels = someAxes(x, 1, 'x').at(-1)!;
  expectLength(fixedAxes(gamma, 1, 'gamma')[0], channels, 'the length of gamma');
  expectLength(fixedAxes(beta, 1, 'beta')[0], channels, 'the length of beta');
  return x;
}

function affine(graph: Graph, x: Value, gamma: Value, beta: Value): Value {
  return graph.addRow(graph.multiplyRow(x, gamma), beta);
}
