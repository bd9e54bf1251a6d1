import {
  compile,
  parseModel,
  trustedBackend,
  type Examples,
  type Params,
  type Program,
} from '@starling/model';
import { utf8Decode, type ServedModel } from '@starling/protocol';
import { readParams } from './models.ts';
import { PersonalModel } from './personal-model.ts';
import type { FetchedModel, Trainer } from './ports.ts';
import { predictionsOf, type ModelPrediction } from './predictions.ts';

/** Rows that are predicted in one pass: an app mostly asks for one or a few. */
const batch = 8;

/** A version of a model that is at hand: what it predicts as all are served it, and what becomes of it for one person. */
export class SharedModel {
  readonly #files: FetchedModel;
  readonly #program: Program;
  readonly #params: Params;

  constructor(files: FetchedModel) {
    this.#files = files;
    this.#program = compile(parseModel(JSON.parse(utf8Decode(files.ir.json))), {
      batch,
      backend: trustedBackend(),
    });
    this.#params = readParams(this.#program, files);
  }

  /** Axes of one row of x: `[52]`, `[64, 6]`. */
  get inputShape(): readonly number[] {
    return this.#program.model.inputShape;
  }

  /** Predicts rows of `inputShape`, one behind another in x. Throws ExamplesMismatch (code `examples-mismatch`). */
  predict(x: Float32Array | Int32Array): ModelPrediction[] {
    return predictionsOf(this.#program, this.#params, x);
  }

  /** Adapts it to `examples`, in the trainer's own thread. Throws WorkError. `version` is what the result says it came from. */
  async personalise(
    trainer: Trainer,
    { adaptation, version }: Pick<ServedModel, 'adaptation' | 'version'>,
    examples: Examples,
  ): Promise<PersonalModel> {
    const { bytes } = await trainer.run({ kind: 'personalise', model: this.#files, adaptation, examples });
    const personal = { layout: this.#params.layout, values: new Float32Array(bytes.slice().buffer) };
    return new PersonalModel({
      program: this.#program,
      shared: this.#params,
      personal,
      version,
      steps: adaptation.steps,
    });
  }
}

/**
 * Opens a model from its files, without being a device: for whoever has the files, as an operator's console does.
 * Nothing is asked of any server. Throws ModelError, WeightsMismatch, SafetensorsError.
 */
export function openModel(files: FetchedModel): SharedModel {
  return new SharedModel(files);
}
