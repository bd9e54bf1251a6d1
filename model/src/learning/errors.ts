/** The caller's `stop` asked to end. */
export class TrainingStopped extends Error {
  override readonly name = 'TrainingStopped';
  readonly code = 'training-stopped';

  constructor(steps: number) {
    super(`Training was stopped after ${steps} steps, as asked; nothing was changed.`);
  }
}
