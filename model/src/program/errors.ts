/** Examples do not fit the model. */
export class ExamplesMismatch extends Error {
  override readonly name = 'ExamplesMismatch';
  readonly code = 'examples-mismatch';
}

/** Parameters are not laid out for the model, or lack the rates that were asked for. */
export class ParamsMismatch extends Error {
  override readonly name = 'ParamsMismatch';
  readonly code = 'params-mismatch';
}
