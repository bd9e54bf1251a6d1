import type { LayerAt, LayerImporter } from '../layer.ts';
import { activate } from './activation.ts';

export const conv1d: LayerImporter = (layer) => {
  const x = layer.input(2);
  const filters = layer.config.count('filters');
  const window = readWindow(layer, x.shape, 'kernel_size');
  const kernel = layer.parameter('kernel', [...window.size, x.shape[1], filters], 'glorotUniform');
  const y = layer.node('conv1d', [x.id, kernel, ...layer.bias(filters)], {
    stride: window.strides[0],
    pads: window.pads.flat(),
  });
  return activate(layer, y);
};

export const conv2d: LayerImporter = (layer) => {
  const x = layer.input(3);
  const filters = layer.config.count('filters');
  const { size, strides, pads } = readWindow(layer, x.shape, 'kernel_size');
  const kernel = layer.parameter('kernel', [...size, x.shape[2], filters], 'glorotUniform');
  const inputs = [x.id, kernel, ...layer.bias(filters)];
  return activate(layer, layer.node('conv2d', inputs, { strides, pads: pads.flat() }));
};

/** With one filter a channel: `depth_multiplier` 1. */
export const depthwiseConv2d: LayerImporter = (layer) => {
  const x = layer.input(3);
  const channels = x.shape[2];
  layer.expect('depth_multiplier', 1);
  const { size, strides, pads } = readWindow(layer, x.shape, 'kernel_size');
  const values = layer.weight('depthwise_kernel', [...size, channels, 1]);
  const kernel = layer.parameterOf('depthwise_kernel', [...size, channels], values, 'glorotUniform');
  const inputs = [x.id, kernel, ...layer.bias(channels)];
  return activate(layer, layer.node('depthwiseConv2d', inputs, { strides, pads: pads.flat() }));
};

export const maxPooling1d = pooling1d('maxPool1d');
export const averagePooling1d = pooling1d('avgPool1d');
export const maxPooling2d = pooling2d('maxPool2d');
export const averagePooling2d = pooling2d('avgPool2d');

function pooling1d(op: string): LayerImporter {
  return (layer) => {
    const x = layer.input(2);
    const { size, strides } = poolWindow(layer, x.shape);
    return layer.node(op, [x.id], { size: size[0], stride: strides[0] });
  };
}

function pooling2d(op: string): LayerImporter {
  return (layer) => {
    const x = layer.input(3);
    const { size, strides } = poolWindow(layer, x.shape);
    return layer.node(op, [x.id], { size, strides });
  };
}

export const globalAveragePooling1d = globalPooling('globalAvgPool1d', 2);
export const globalAveragePooling2d = globalPooling('globalAvgPool2d', 3);
export const globalMaxPooling1d = globalPooling('globalMaxPool1d', 2);
export const globalMaxPooling2d = globalPooling('globalMaxPool2d', 3);

function globalPooling(op: string, rank: number): LayerImporter {
  return (layer) => {
    layer.expect('data_format', 'channels_last');
    layer.expect('keepdims', false);
    return layer.node(op, [layer.input(rank).id]);
  };
}

interface Window {
  readonly size: readonly number[];
  readonly strides: readonly number[];
  /** Zeros before and after each axis of places. */
  readonly pads: readonly (readonly [before: number, after: number])[];
}

function readWindow(layer: LayerAt, shape: readonly number[], sizeKey: string): Window {
  layer.expect('data_format', 'channels_last');
  const places = shape.slice(0, -1);
  const rank = places.length;
  const ones = places.map(() => 1);
  const size = layer.config.counts(sizeKey, rank);
  const strides = layer.config.counts('strides', rank, sizeKey === 'pool_size' ? size : ones);
  if (layer.config.counts('dilation_rate', rank, ones).some((rate) => rate !== 1))
    throw layer.error('its windows are dilated; the IR has windows without gaps.');
  const padding = layer.config.text('padding', 'valid');
  const pads = places.map((length, i) => padsOf(layer, padding, length, size[i], strides[i]));
  return { size, strides, pads };
}

/**
 * `same` gives ceil(length / stride) windows; of an odd number of zeros the larger part stands behind (TensorFlow,
 * tf.nn.convolution). `causal` puts all of them in front.
 */
function padsOf(
  layer: LayerAt,
  padding: string,
  length: number,
  size: number,
  stride: number,
): readonly [number, number] {
  if (padding === 'valid') return [0, 0];
  if (padding === 'causal' && layer.inputs[0].shape.length === 2) return [size - 1, 0];
  if (padding !== 'same')
    throw layer.error(`its padding is "${padding.slice(0, 64)}"; expected "valid" or "same".`);
  const total = Math.max((Math.ceil(length / stride) - 1) * stride + size - length, 0);
  const before = Math.floor(total / 2);
  return [before, total - before];
}

function poolWindow(layer: LayerAt, shape: readonly number[]): Window {
  const window = readWindow(layer, shape, 'pool_size');
  if (window.pads.flat().some((pad) => pad > 0))
    throw layer.error(
      `its padding adds places to [${shape.join(', ')}], but the IR pools without padding; use "valid".`,
    );
  return window;
}
