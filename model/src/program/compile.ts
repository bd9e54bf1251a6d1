import type { Model } from '../ir/model.ts';
import type { OptimiserIr } from '../ir/schema.ts';
import type { Backend } from '../kernels/backend.ts';
import { jsBackend } from '../kernels/js/index.ts';
import { withLimit } from '../kernels/memory-unavailable.ts';
import type { ParameterLayout, Params } from '../parameters/layout.ts';
import { Backward } from './backward.ts';
import { ExamplesMismatch } from './errors.ts';
import { Forward } from './forward.ts';
import { MetaGradient } from './meta-gradient.ts';
import type { MetaShape } from './meta-graph.ts';
import { JudgementSum } from './judge-rows.ts';
import { plainSgd } from './optimiser.ts';
import { checkParams } from './parameter-leaves.ts';
import type {
  Batch,
  Judgement,
  MetaOutcome,
  MetaRequest,
  Prediction,
  Program,
  Trainer,
  TrainerOptions,
} from './program.ts';
import { Recent } from './recent.ts';
import { checkRows, rowCountOf } from './rows.ts';
import { CompiledTrainer } from './trainer.ts';
import { Training } from './training.ts';

/** Programs of one kind kept; sizes are rounded up, so that the supports of one plan need about three. */
const maxSizes = 8;

/**
 * Compiles a model for passes of `batch` rows. Nothing is allocated for data before the first use; what would take more
 * than it may throws MemoryUnavailable then, before anything is taken.
 * @throws RangeError Unless `batch` is a positive integer.
 */
export function compile(model: Model, options: CompileOptions): Program {
  const { batch, backend = jsBackend, mostBytes = defaultMostBytes } = options;
  requireRows('batch', batch);
  return new CompiledProgram(model, batch, withLimit(backend, mostBytes));
}

export interface CompileOptions {
  /** Rows of one pass, 1 or more. */
  readonly batch: number;
  /** What runs it; plain JavaScript unless told. See `trustedBackend`. */
  readonly backend?: Backend;
  /** Bytes that one arena may take; 1 GiB unless told. */
  readonly mostBytes?: number;
}

const defaultMostBytes = 2 ** 30;

class CompiledProgram implements Program {
  readonly model: Model;
  readonly batch: number;
  readonly backend: Backend;
  readonly #forwards: Recent<number, Forward>;
  readonly #backwards: Recent<number, Backward>;
  readonly #trainings: Recent<string, Training>;
  readonly #metaPrograms: Recent<string, MetaGradient>;
  readonly #slope: Float32Array;
  /** Layouts that were compared with the model's before. */
  readonly #checked = new WeakSet<ParameterLayout>();

  constructor(model: Model, batch: number, backend: Backend) {
    this.model = model;
    this.batch = batch;
    this.backend = backend;
    this.#forwards = new Recent(maxSizes, (rows) => new Forward(model, rows, backend));
    this.#backwards = new Recent(maxSizes, (rows) => new Backward(model, rows, backend));
    this.#trainings = new Recent(maxSizes, (key) => {
      const { rows, optimiser } = JSON.parse(key) as TrainingKey; // as written below
      return new Training(model, rows, optimiser, backend);
    });
    this.#metaPrograms = new Recent(
      maxSizes,
      (key) => new MetaGradient(model, JSON.parse(key) as MetaShape, backend), // as written below
    );
    const weights = model.parameters.filter(({ statistic }) => statistic === undefined);
    this.#slope = new Float32Array(weights.reduce((sum, { size }) => sum + size, 0));
  }

  get arenaBytes(): number {
    const { arenaBytes: forward } = this.#forwards.get(this.batch).executable;
    return forward + this.#backwards.get(this.batch).executable.arenaBytes;
  }

  train(params: Params, batch: Batch, { rate }: { readonly rate: number }): { readonly loss: number } {
    const loss = this.gradient(params, batch, this.#slope);
    const slope = this.#slope;
    const { values } = params;
    const { offset } = params.layout.weights;
    for (let i = 0; i < slope.length; i++) values[offset + i] -= rate * slope[i];
    return { loss };
  }

  trainer(params: Params, options: TrainerOptions = {}): Trainer {
    const { rows = this.batch, optimiser = plainSgd, seed = 0 } = options;
    requireRows('rows', rows);
    this.#checkParams(params);
    const training = this.#trainings.get(JSON.stringify({ rows, optimiser } satisfies TrainingKey));
    return new CompiledTrainer(
      this.model,
      params,
      { rows, seed },
      training,
      (fewer) => new Training(this.model, fewer, optimiser, this.backend),
    );
  }

  evaluate(params: Params, batch: Batch): Judgement {
    this.#checkParams(params);
    checkRows(this.model, batch);
    const sum = new JudgementSum(this.model, batch);
    this.#forwards.get(this.#capacityFor(rowCountOf(batch))).judge(params, batch, sum);
    return sum.total();
  }

  predict(params: Params, x: Float32Array | Int32Array): Prediction {
    const { inputSize, labelSize, ir, nodeShapes } = this.model;
    const count = x.length / inputSize;
    if (!Number.isInteger(count) || count === 0)
      throw new ExamplesMismatch(`x has ${x.length} values; expected whole rows of ${inputSize} values.`);
    const batch = { x, y: new Int32Array(count * labelSize), count };
    this.#checkParams(params);
    checkRows(this.model, batch);
    const axes = nodeShapes.get(ir.loss.in[0])!.slice(1) as number[]; // the loss judges a node; the batch stands only in front
    const size = axes.reduce((product, axis) => product * axis, count);
    const out = { logits: new Float32Array(size), probabilities: new Float32Array(size) };
    this.#forwards.get(this.#capacityFor(count)).predict(params, batch, out);
    return { ...out, count, classes: axes.at(-1) ?? 1 };
  }

  gradient(params: Params, batch: Batch, out: Float32Array): number {
    this.#checkParams(params);
    checkRows(this.model, batch);
    return this.#backwards.get(this.#capacityFor(rowCountOf(batch))).gradient(params, batch, out);
  }

  metaGradient(params: Params, request: MetaRequest, out: Float32Array): MetaOutcome {
    const learnedRates = request.innerRate === 'learned';
    checkParams(this.model, params, learnedRates);
    checkRows(this.model, request.support);
    checkRows(this.model, request.query);
    const capacityFor = (batch: Batch) =>
      this.model.mixesRows ? rowCountOf(batch) : roundUp(rowCountOf(batch));
    const shape: MetaShape = {
      supportCapacity: capacityFor(request.support),
      queryCapacity: capacityFor(request.query),
      innerSteps: request.innerSteps,
      learnedRates,
      order: request.order,
    };
    return this.#metaPrograms.get(JSON.stringify(shape)).run(params, request, out);
  }

  #checkParams(params: Params): void {
    if (this.#checked.has(params.layout) && params.values.length === params.layout.size) return;
    checkParams(this.model, params, false);
    this.#checked.add(params.layout);
  }

  /** The capacity to run rows with. Where rows influence each other all run together, and none is padding. */
  #capacityFor(rows: number): number {
    return this.model.mixesRows ? rows : this.batch;
  }
}

interface TrainingKey {
  readonly rows: number;
  readonly optimiser: OptimiserIr;
}

function requireRows(what: string, rows: number): void {
  if (!Number.isInteger(rows) || rows < 1)
    throw new RangeError(`The ${what} is ${rows}; expected an integer of at least 1.`);
}

/** The next of four steps an octave, 8 at least: padding costs a fifth at most, and few sizes are compiled. */
function roundUp(rows: number): number {
  let step = 2;
  while (step * 8 < rows) step *= 2;
  return Math.max(8, Math.ceil(rows / step) * step);
}
