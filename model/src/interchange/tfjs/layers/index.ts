import type { LayerImporter } from '../layer.ts';
import * as activation from './activation.ts';
import { dense, embedding } from './dense.ts';
import * as normalisation from './normalisation.ts';
import * as places from './places.ts';
import * as sequences from './sequences.ts';
import * as windows from './windows.ts';

/** Every class of layers that can be read, by its name in Keras 2 and tfjs. */
export const layerImporters: ReadonlyMap<string, LayerImporter> = new Map(
  Object.entries({
    Dense: dense,
    Embedding: embedding,
    Conv1D: windows.conv1d,
    Conv2D: windows.conv2d,
    DepthwiseConv2D: windows.depthwiseConv2d,
    MaxPooling1D: windows.maxPooling1d,
    MaxPooling2D: windows.maxPooling2d,
    AveragePooling1D: windows.averagePooling1d,
    AveragePooling2D: windows.averagePooling2d,
    GlobalAveragePooling1D: windows.globalAveragePooling1d,
    GlobalAveragePooling2D: windows.globalAveragePooling2d,
    GlobalMaxPooling1D: windows.globalMaxPooling1d,
    GlobalMaxPooling2D: windows.globalMaxPooling2d,
    Flatten: places.flatten,
    Reshape: places.reshape,
    Dropout: places.dropout,
    Add: places.add,
    Multiply: places.multiply,
    Concatenate: places.concatenate,
    Activation: activation.activation,
    ReLU: activation.relu,
    Softmax: activation.softmax,
    LayerNormalization: normalisation.layerNormalization,
    BatchNormalization: normalisation.batchNormalization,
    LSTM: sequences.lstm,
    GRU: sequences.gru,
  }),
);
