import type { Model } from '../ir/model.ts';
import type { Params } from '../parameters/layout.ts';
import type { Batch, Trainer } from './program.ts';
import { checkStep } from './rows.ts';
import type { Training } from './training.ts';

/** One course of training. Programs for it are shared with later ones, which then take their place over. */
export class CompiledTrainer implements Trainer {
  readonly rows: number;
  readonly #model: Model;
  readonly #params: Params;
  readonly #trainingFor: (rows: number) => Training;
  readonly #whole: Training;
  /** For the last smaller number of rows, where padding would change what the others give. */
  #rest: Training | undefined;
  #training: Training;

  constructor(
    model: Model,
    params: Params,
    { rows, seed }: { readonly rows: number; readonly seed: number },
    training: Training,
    trainingFor: (rows: number) => Training,
  ) {
    this.#model = model;
    this.rows = rows;
    this.#params = params;
    this.#trainingFor = trainingFor;
    this.#whole = training;
    this.#training = training;
    this.#training.begin(this, params, seed);
  }

  get arenaBytes(): number {
    return this.#training.executable.arenaBytes;
  }

  step(batch: Batch, { rate }: { readonly rate: number }): { readonly loss: number } {
    const count = checkStep(this.#model, batch, this.rows, rate);
    this.#requirePlace();
    if (this.#model.mixesRows && count !== this.#training.capacity) this.#moveTo(count);
    return { loss: this.#training.step(batch, rate) };
  }

  read(): Params {
    this.#requirePlace();
    const { layout, values } = this.#params;
    const params = { layout, values: values.slice() };
    this.#training.read(params);
    return params;
  }

  #moveTo(rows: number): void {
    if (rows !== this.rows && rows !== this.#rest?.capacity) this.#rest = this.#trainingFor(rows);
    const next = rows === this.rows ? this.#whole : this.#rest!; // made above unless it was there
    next.takeOver(this.#training);
    this.#training = next;
  }

  #requirePlace(): void {
    if (this.#whole.owner === this) return;
    throw new Error(
      'Another trainer of this program was started since; read the parameters before, or compile a program each.',
    );
  }
}
