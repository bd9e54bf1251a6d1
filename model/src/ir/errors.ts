/** Why an IR was refused. Codes are stable; the text of a message may change. */
export type ModelErrorCode =
  | 'model-malformed'
  | 'model-version-unsupported'
  | 'model-unknown-key'
  | 'model-unknown-op'
  | 'model-duplicate-id'
  | 'model-undefined-value'
  | 'model-wrong-arity'
  | 'model-shape-mismatch'
  | 'model-type-mismatch'
  | 'model-classes-mismatch'
  | 'model-unused-value'
  | 'model-statistics-misplaced'
  | 'model-limit-exceeded';

/** An IR that cannot be run. `path` names the place, for example `nodes[2].in[1]`; empty for the whole document. */
export class ModelError extends Error {
  override readonly name = 'ModelError';
  readonly code: ModelErrorCode;
  readonly path: string;

  constructor(code: ModelErrorCode, path: string, message: string) {
    super(path === '' ? message : `${path}: ${message}`);
    this.code = code;
    this.path = path;
  }
}
