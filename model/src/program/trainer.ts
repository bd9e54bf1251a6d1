import type { Model } from '../ir/model.ts';
import type { Params } from '../parameters/layout.ts';
import type { Batch, Trainer } from './program.ts';
import { checkRows, rowCountOf } from './rows.ts';
import type { Training } from './training.ts';

/** One course of training. Programs for it are shared with later ones, which then take their place over. */
export class CompiledTrainer implements Trainer {
  readonly rows: number;
  readonly #model: Model;
  readonly #params: Params;
  readonly #trainingFor: (rows: number) => Training;
  #training: Training;

  constructor(
    model: Model,
    params: Params,
    { rows, seed }: { readonly rows: number; readonly seed: number },
    trainingFor: (rows: number) => Training,
  ) {
    this.#model = model;
    this.rows = rows;
    this.#params = params;
    this.#trainingFor = trainingFor;
    this.#training = trainingFor(rows);
    this.#training.begin(this, params, seed);
  }

  get arenaBytes(): number {
    return this.#training.executable.arenaBytes;
  }

  step(batch: Batch, { rate }: { readonly rate: number }): { readonly loss: number } {
    checkRows(this.#model, batch);
    const count = rowCountOf(batch);
    if (count > this.rows)
      throw new RangeError(`A step of ${count} rows was asked for; the trainer takes at most ${this.rows}.`);
    this.#requirePlace();
    if (this.#model.mixesRows && count !== this.#training.capacity) {
      const next = this.#trainingFor(count);
      next.takeOver(this.#training);
      this.#training = next;
    }
    return { loss: this.#training.step(batch, rate) };
  }

  read(): Params {
    this.#requirePlace();
    const { layout, values } = this.#params;
    const params = { layout, values: values.slice() };
    this.#training.read(params);
    return params;
  }

  #requirePlace(): void {
    if (this.#training.owner === this) return;
    throw new Error(
      'Another trainer of this program was started since; read the parameters before, or compile a program each.',
    );
  }
}
