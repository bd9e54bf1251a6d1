export type SafetensorsErrorCode =
  | 'header-truncated'
  | 'header-too-large'
  | 'header-not-utf8'
  | 'header-not-json'
  | 'header-not-object'
  | 'duplicate-name'
  | 'invalid-name'
  | 'too-many-tensors'
  | 'invalid-metadata'
  | 'invalid-entry'
  | 'unknown-dtype'
  | 'invalid-shape'
  | 'invalid-offsets'
  | 'wrong-length'
  | 'gap'
  | 'overlap'
  | 'data-truncated'
  | 'trailing-bytes';

/** A file that is not safetensors as we read it, or tensors that cannot be written. `tensor` names the one at fault. */
export class SafetensorsError extends Error {
  override readonly name = 'SafetensorsError';
  readonly code: SafetensorsErrorCode;
  readonly tensor: string | undefined;

  constructor(code: SafetensorsErrorCode, message: string, tensor?: string) {
    super(message);
    this.code = code;
    this.tensor = tensor;
  }
}
