import {
  adapt,
  compile,
  parseModel,
  probe,
  trustedBackend,
  type Params,
  type Program,
} from '@starling/model';
import { utf8Decode, utf8Encode } from '@starling/protocol';
import { batchOf, contribute, defaultBatch } from './contribution.ts';
import { readParams } from './models.ts';
import type { FetchedModel, TrainerJob, TrainerResult } from './ports.ts';
import { updateFile } from './update-file.ts';

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
      case 'contribute': {
        const { program, params } = this.#open(job.model, batchOf(job.assignment.work));
        return {
          bytes: updateFile(job.assignment, contribute(program, params, job.assignment, job.examples)),
        };
      }
      case 'personalise': {
        const { program, params } = this.#open(job.model, defaultBatch);
        const { values } = adapt(program, params, job.examples, job.adaptation);
        return { bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength) };
      }
      case 'probe':
        return { bytes: utf8Encode(JSON.stringify(probe({ now: this.#now }))) };
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
