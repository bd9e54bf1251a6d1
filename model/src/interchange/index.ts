export { OnnxExportError } from './onnx/errors.ts';
export { toOnnx, type OnnxOptions } from './onnx/to-onnx.ts';
export { TfjsImportError } from './tfjs/errors.ts';
export { fromTfjsLayers, type ImportedModel, type TfjsOptions } from './tfjs/from-tfjs-layers.ts';
