import type { Model } from '../ir/model.ts';
import type { Backend } from '../kernels/backend.ts';
import { jsBackend } from '../kernels/js/index.ts';
import type { ParameterLayout, Params } from '../parameters/layout.ts';
import { Backward } from './backward.ts';
import { ExamplesMismatch } from './errors.ts';
import { Forward } from './forward.ts';
import { MetaGradient } from './meta-gradient.ts';
import type { MetaShape } from './meta-graph.ts';
import { checkParams } from './parameter-leaves.ts';
import type { Batch, Judgement, MetaOutcome, MetaRequest, Prediction, Program } from './program.ts';
import { checkRows, rowCountOf } from './rows.ts';

/** Meta-programs kept; sizes are rounded up, so that the supports of one plan need about three. */
const maxMetaPrograms = 8;

/**
 * Compiles a model for passes of `batch` rows. Nothing is allocated for data before the first use.
 * @param options - `batch`: rows of one pass, 1 or more. `backend`: what runs it; plain JavaScript when not given.
 * @throws RangeError Unless `batch` is a positive integer.
 */
export function compile(
  model: Model,
  options: { readonly batch: number; readonly backend?: Backend },
): Program {
  const { batch, backend = jsBackend } = options;
  if (!Number.isInteger(batch) || batch < 1)
    throw new RangeError(`The batch is ${batch}; expected an integer of at least 1.`);
  return new CompiledProgram(model, batch, backend);
}

class CompiledProgram implements Program {
  readonly model: Model;
  readonly batch: number;
  readonly backend: Backend;
  readonly arenaBytes: number;
  readonly #forward: Forward;
  readonly #backward: Backward;
  readonly #slope: Float32Array;
  /** Layouts that were compared with the model's before. */
  readonly #checked = new WeakSet<ParameterLayout>();
  /** The least recently used first. */
  readonly #metaPrograms = new Map<string, MetaGradient>();

  constructor(model: Model, batch: number, backend: Backend) {
    this.model = model;
    this.batch = batch;
    this.backend = backend;
    this.#forward = new Forward(model, batch, backend);
    this.#backward = new Backward(model, batch, backend);
    this.arenaBytes = this.#forward.executable.arenaBytes + this.#backward.executable.arenaBytes;
    const weights = model.parameters.filter(({ statistic }) => statistic === undefined);
    this.#slope = new Float32Array(weights.reduce((sum, { size }) => sum + size, 0));
  }

  train(params: Params, batch: Batch, { rate }: { readonly rate: number }): { readonly loss: number } {
    const loss = this.gradient(params, batch, this.#slope);
    const slope = this.#slope;
    const { values } = params;
    const { offset } = params.layout.weights;
    for (let i = 0; i < slope.length; i++) values[offset + i] -= rate * slope[i];
    return { loss };
  }

  evaluate(params: Params, batch: Batch): Judgement {
    this.#checkParams(params);
    checkRows(this.model, batch);
    return this.#forward.evaluate(params, batch);
  }

  predict(params: Params, x: Float32Array): Prediction {
    const count = x.length / this.model.inputSize;
    if (!Number.isInteger(count))
      throw new ExamplesMismatch(
        `x has ${x.length} values; expected whole rows of ${this.model.inputSize} values.`,
      );
    this.#checkParams(params);
    return this.#forward.predict(params, { x, y: new Int32Array(count), count });
  }

  gradient(params: Params, batch: Batch, out: Float32Array): number {
    this.#checkParams(params);
    checkRows(this.model, batch);
    return this.#backward.gradient(params, batch, out);
  }

  metaGradient(params: Params, request: MetaRequest, out: Float32Array): MetaOutcome {
    const learnedRates = request.innerRate === 'learned';
    checkParams(this.model, params, learnedRates);
    checkRows(this.model, request.support);
    checkRows(this.model, request.query);
    return this.#metaProgram({
      supportCapacity: roundUp(rowCountOf(request.support)),
      queryCapacity: roundUp(rowCountOf(request.query)),
      innerSteps: request.innerSteps,
      learnedRates,
      order: request.order,
    }).run(params, request, out);
  }

  #checkParams(params: Params): void {
    if (this.#checked.has(params.layout) && params.values.length === params.layout.size) return;
    checkParams(this.model, params, false);
    this.#checked.add(params.layout);
  }

  #metaProgram(shape: MetaShape): MetaGradient {
    const key = JSON.stringify(shape);
    const program = this.#metaPrograms.get(key) ?? new MetaGradient(this.model, shape, this.backend);
    this.#metaPrograms.delete(key);
    this.#metaPrograms.set(key, program);
    if (this.#metaPrograms.size > maxMetaPrograms) {
      const [oldest] = this.#metaPrograms.keys();
      this.#metaPrograms.delete(oldest);
    }
    return program;
  }
}

/** The next of four steps an octave, 8 at least: padding costs a fifth at most, and few sizes are compiled. */
function roundUp(rows: number): number {
  let step = 2;
  while (step * 8 < rows) step *= 2;
  return Math.max(8, Math.ceil(rows / step) * step);
}
