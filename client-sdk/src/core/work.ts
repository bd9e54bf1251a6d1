import {
  adapt,
  compile,
  inputMoments,
  learn,
  parseModel,
  probe,
  trustedBackend,
  type Examples,
  type Params,
  type Program,
} from '@starling/model';
import { metricClip, trainingMetrics, utf8Decode, utf8Encode, type Assignment } from '@starling/protocol';
import { evaluationCoordinates } from './evaluation.ts';
import { readParams } from './models.ts';
import type { FetchedModel, TrainerJob, TrainerResult } from './ports.ts';
import { updateFile, type Contribution } from './update-file.ts';

/** Rows of one pass, for work whose plan names no batch size. */
const defaultBatch = 32;
/** Programs that are kept: one for learning and one for judging, of the model in use and of the one before. */
const keptPrograms = 4;

/**
 * What a device computes: from a model and its examples to the bytes of an update file, or to a personal model. This
 * runs in a worker. Compiled programs are kept by the digest of their IR and their batch.
 */
export class Workbench {
  readonly #programs = new Map<string, Program>();
  readonly #now: () => number;

  /** @param now - A clock in milliseconds, to measure with. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Throws what parsing, compiling and learning throw; every such error has a `code`. */
  run(job: TrainerJob): TrainerResult {
    switch (job.kind) {
      case 'contribute':
        return {
          bytes: updateFile(job.assignment, this.#contribution(job.model, job.assignment, job.examples)),
        };
      case 'personalise': {
        const { program, params } = this.#open(job.model, defaultBatch);
        const { values } = adapt(program, params, job.examples, job.adaptation);
        return { bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength) };
      }
      case 'probe':
        return { bytes: utf8Encode(JSON.stringify(probe({ now: this.#now }))) };
    }
  }

  #contribution(
    model: FetchedModel,
    { work, seed }: Pick<Assignment, 'work' | 'seed'>,
    examples: Examples,
  ): Contribution {
    switch (work.kind) {
      case 'statistics': {
        const { mean, meanOfSquares, count } = inputMoments(
          this.#program(model.ir, defaultBatch).model,
          examples,
        );
        return { values: { moments: [...mean, ...meanOfSquares] }, weight: count };
      }
      case 'training': {
        const batch = 'batchSize' in work.learning ? work.learning.batchSize : defaultBatch;
        const { program, params } = this.#open(model, batch);
        const { vector, weight, metrics } = learn(program, params, examples, work.learning, { seed });
        const { weights } = params.layout;
        return {
          values: {
            parameters: vector.subarray(0, weights.size),
            rates: vector.subarray(weights.size),
            metrics: trainingMetrics.map((name) => Math.min(metricClip, metrics[name])),
          },
          weight,
        };
      }
      case 'evaluation': {
        const { program, params } = this.#open(model, defaultBatch);
        return {
          values: { metrics: evaluationCoordinates(program, params, examples, work.spec, seed) },
          weight: 1,
        };
      }
    }
  }

  #open(model: FetchedModel, batch: number): { program: Program; params: Params } {
    const program = this.#program(model.ir, batch);
    return { program, params: readParams(program, model) };
  }

  #program({ digest, json }: FetchedModel['ir'], batch: number): Program {
    const key = `${digest}/${batch}`;
    const program =
      this.#programs.get(key) ??
      compile(parseModel(JSON.parse(utf8Decode(json))), { batch, backend: trustedBackend() });
    this.#programs.delete(key);
    this.#programs.set(key, program);
    for (const [oldest] of this.#programs)
      if (this.#programs.size > keptPrograms) this.#programs.delete(oldest);
    return program;
  }
}
