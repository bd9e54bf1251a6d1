import type { Model } from '../../ir/model.ts';
import type { Params } from '../../parameters/layout.ts';
import { plainSgd } from '../../program/optimiser.ts';
import { checkParams } from '../../program/parameter-leaves.ts';
import type { Batch, TrainerOptions } from '../../program/program.ts';
import { checkStep } from '../../program/rows.ts';
import { buildTrainingGraph } from '../../program/training-graph.ts';
import type { GpuDevice } from './device.ts';
import { uncovered } from './kernels.ts';
import { GpuTraining } from './training.ts';

/** Options of a trainer; on a GPU the rows of a step have no default. */
export type GpuTrainerOptions = TrainerOptions & { readonly rows: number };

/** A `Trainer` on a GPU: what is computed is the same up to the rounding of f32, when it is known differs. */
export interface GpuTrainer {
  readonly rows: number;
  /** Bytes of GPU memory that its arena takes, weights included. */
  readonly arenaBytes: number;
  /**
   * One step on the mean loss of the rows; gives the mean loss before it. A step waits for those before it; its batch must not
   * change until it has settled.
   * @throws TrainingDiverged When the loss or a gradient is not finite: the weights stay as they were before the step.
   * @throws ExamplesMismatch, RangeError For more rows than were announced.
   */
  step(batch: Batch, options: { readonly rate: number }): Promise<{ readonly loss: number }>;
  /** The parameters as the steps asked for so far leave them, a copy. */
  read(): Promise<Params>;
  /** Gives the memory of the GPU back. Steps and reads fail from then on. */
  destroy(): void;
}

/** The name of a primitive that training this model needs and that has no shader; undefined where all have one. */
export function gpuSupports(model: Model): string | undefined {
  const { losses, squares, optimiser } = buildTrainingGraph(model, 2, plainSgd);
  return uncovered([losses, ...squares, ...optimiser.carries.map(({ next }) => next)]);
}

/**
 * Starts training on a GPU, on batches of at most `rows` rows.
 * @param device - A browser's `GPUDevice`, best requested with the limits of its adapter: the arena is one buffer.
 * @param params - Where training starts; not changed.
 * @throws GpuUnsuitable When a primitive has no shader, or the arena does not fit.
 * @throws ParamsMismatch, RangeError
 */
export async function createGpuTrainer(
  device: GpuDevice,
  model: Model,
  params: Params,
  { rows, optimiser = plainSgd, seed = 0 }: GpuTrainerOptions,
): Promise<GpuTrainer> {
  if (!Number.isInteger(rows) || rows < 1)
    throw new RangeError(`The rows is ${rows}; expected an integer of at least 1.`);
  checkParams(model, params, false);
  const trainingFor = (exactly: number) => GpuTraining.create(device, model, exactly, optimiser);
  const training = await trainingFor(rows);
  training.begin(params);
  return new PlannedGpuTrainer(model, params, { rows, seed }, training, trainingFor);
}

class PlannedGpuTrainer implements GpuTrainer {
  readonly rows: number;
  readonly #model: Model;
  readonly #params: Params;
  readonly #seed: number;
  readonly #trainingFor: (rows: number) => Promise<GpuTraining>;
  /** For `rows` rows, and for the last other number, which only models that mix rows need. */
  readonly #whole: GpuTraining;
  #rest: GpuTraining | undefined;
  #current: GpuTraining;
  #steps = 0;
  #destroyed = false;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(
    model: Model,
    params: Params,
    { rows, seed }: { readonly rows: number; readonly seed: number },
    training: GpuTraining,
    trainingFor: (rows: number) => Promise<GpuTraining>,
  ) {
    this.rows = rows;
    this.#model = model;
    this.#params = params;
    this.#seed = seed;
    this.#trainingFor = trainingFor;
    this.#whole = training;
    this.#current = training;
  }

  get arenaBytes(): number {
    return this.#current.arenaBytes;
  }

  step(batch: Batch, { rate }: { readonly rate: number }): Promise<{ readonly loss: number }> {
    return this.#inTurn(async () => {
      const count = checkStep(this.#model, batch, this.rows, rate);
      if (this.#model.mixesRows && count !== this.#current.capacity) await this.#resize(count);
      const step = this.#steps + 1;
      const loss = await this.#current.step(batch, { rate, seed: this.#seed, step });
      this.#steps = step;
      return { loss };
    });
  }

  read(): Promise<Params> {
    return this.#inTurn(async () => {
      const { layout, values } = this.#params;
      const params = { layout, values: values.slice() };
      await this.#current.read(params);
      return params;
    });
  }

  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    this.#whole.destroy();
    this.#rest?.destroy();
  }

  async #resize(count: number): Promise<void> {
    const known = [this.#whole, this.#rest].find((training) => training?.capacity === count);
    const next = known ?? (await this.#trainingFor(count));
    next.takeOver(this.#current);
    this.#current = next;
    if (known) return;
    this.#rest?.destroy();
    this.#rest = next;
    if (this.#destroyed) next.destroy();
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const mine = this.#turn.then(() => {
      if (this.#destroyed) throw new Error('This trainer was destroyed; create another.');
      return work();
    });
    this.#turn = mine.catch(() => undefined);
    return mine;
  }
}
