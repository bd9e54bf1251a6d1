/** A model that cannot be written as ONNX. `node` is the index among the model's nodes, undefined for the whole. */
export class OnnxExportError extends Error {
  override readonly name = 'OnnxExportError';
  readonly code = 'onnx-not-exportable';
  readonly node: number | undefined;

  constructor(message: string, node?: number) {
    super(message);
    this.node = node;
  }
}
