import { judge, type Examples, type Judgement, type Params, type Program } from '@starling/model';
import { predictionsOf, type ModelPrediction } from './predictions.ts';

/** The parts of a personal model: the shared parameters that it started from, and the owner's own. */
export interface PersonalParts {
  readonly program: Program;
  readonly shared: Params;
  readonly personal: Params;
  readonly version: string;
  readonly steps: number;
}

/** A model adapted to this device's owner. It stays on the device: no method and no event sends it anywhere. */
export class PersonalModel {
  /** Id of the shared version that it was adapted from. */
  readonly version: string;
  /** Adaptation steps that were taken. */
  readonly steps: number;
  readonly #parts: PersonalParts;

  constructor(parts: PersonalParts) {
    this.version = parts.version;
    this.steps = parts.steps;
    this.#parts = parts;
  }

  /** Axes of one row of x: `[52]`, `[64, 6]`. */
  get inputShape(): readonly number[] {
    return this.#parts.program.model.inputShape;
  }

  /** Predicts rows of `inputShape`, one behind another in x. Throws ExamplesMismatch (code `examples-mismatch`). */
  predict(x: Float32Array | Int32Array): ModelPrediction[] {
    return predictionsOf(this.#parts.program, this.#parts.personal, x);
  }

  /** How well it does on labelled rows (that it was not adapted on): loss in nats, summed over rows, and hits. */
  judge(examples: Examples): Judgement {
    return judge(this.#parts.program, this.#parts.personal, examples);
  }

  /** How well the shared model does on the same rows: what adaptation bought is the difference. */
  judgeShared(examples: Examples): Judgement {
    return judge(this.#parts.program, this.#parts.shared, examples);
  }
}
