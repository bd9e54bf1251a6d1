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

/** The caller's `stop` asked to end. */
export class TrainingStopped extends Error {
  override readonly name = 'TrainingStopped';
  readonly code = 'training-stopped';

  constructor(steps: number) {
    super(`Training was stopped after ${steps} steps, as asked; nothing was changed.`);
  }
}
