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

/** A loss, a gradient or a parameter became NaN or infinite. The parameters that learning started from are untouched. */
export class TrainingDiverged extends Error {
  override readonly name = 'TrainingDiverged';
  readonly code = 'training-diverged';
  /** The step at which it was seen, counted from 1. */
  readonly step: number;

  constructor(step: number, what: string) {
    super(
      `At step ${step} ${what} was not finite. Use a smaller rate, or look for NaN and huge values in the examples.`,
    );
    this.step = step;
  }
}
