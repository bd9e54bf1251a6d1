import type { LayerAt, LayerImporter } from '../layer.ts';

/** Keras's own, larger than the IR's. */
const defaultEpsilon = 1e-3;

export const layerNormalization: LayerImporter = (layer) => {
  const x = layer.input();
  const channels = lastAxis(layer, x.shape);
  layer.expect('center', true);
  layer.expect('scale', true);
  const gamma = layer.parameter('gamma', [channels], 'ones');
  const beta = layer.parameter('beta', [channels], 'zeros');
  const epsilon = layer.config.number('epsilon', defaultEpsilon);
  return layer.node('layerNorm', [x.id, gamma, beta], { epsilon });
};

/**
 * Folded: the IR's `batchNorm` knows no moving statistics, so the layer becomes `mul` by gamma / sqrt(variance + epsilon)
 * and `add` of beta - mean times that, as it computes in inference. Both are parameters, and are trained from there.
 */
export const batchNormalization: LayerImporter = (layer) => {
  const x = layer.input();
  const channels = lastAxis(layer, x.shape);
  const epsilon = layer.config.number('epsilon', defaultEpsilon);
  const filled = (value: number) => new Float32Array(channels).fill(value);
  const gamma = layer.config.flag('scale', true) ? layer.weight('gamma', [channels]) : filled(1);
  const beta = layer.config.flag('center', true) ? layer.weight('beta', [channels]) : filled(0);
  const mean = layer.weight('moving_mean', [channels]);
  const variance = layer.weight('moving_variance', [channels]);
  const factor = gamma.map((value, i) => value / Math.sqrt(variance[i] + epsilon));
  const offset = beta.map((value, i) => value - mean[i] * factor[i]);
  const scaled = layer.node('mul', [x.id, layer.parameterOf('scale', [channels], factor, 'ones')]);
  return layer.node('add', [scaled.id, layer.parameterOf('shift', [channels], offset, 'zeros')]);
};

/** The length of the last axis, which must be the only one that is normalised. */
function lastAxis(layer: LayerAt, shape: readonly number[]): number {
  const axis = layer.config.get('axis') ?? -1;
  const axes: readonly unknown[] = Array.isArray(axis) ? axis : [axis];
  if (axes.length !== 1 || (axes[0] !== -1 && axes[0] !== shape.length))
    throw layer.error(
      `"axis" is ${JSON.stringify(axis).slice(0, 64)}; the IR normalises the last axis, ${shape.length} here.`,
    );
  return shape.at(-1)!; // the input has an axis
}
