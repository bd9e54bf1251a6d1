import type { Model } from '../ir/model.ts';
import type { OptimiserIr } from '../ir/schema.ts';
import type { Backend } from '../kernels/backend.ts';
import type { Params } from '../parameters/layout.ts';
import { Executable } from '../plan/executable.ts';
import { TrainingDiverged } from './errors.ts';
import type { Batch } from './program.ts';
import { rowCountOf, writeRows } from './rows.ts';
import { buildTrainingGraph, type TrainingGraph } from './training-graph.ts';

/** A training step as one program. Weights and the optimiser's state stay in the arena from step to step. */
export class Training {
  readonly executable: Executable;
  readonly capacity: number;
  readonly #graph: TrainingGraph;
  #owner: object | undefined;
  #step = 0;
  #seed = 0;

  constructor(model: Model, capacity: number, optimiser: OptimiserIr, backend: Backend) {
    this.capacity = capacity;
    this.#graph = buildTrainingGraph(model, capacity, optimiser);
    const { losses, squares, optimiser: update } = this.#graph;
    this.executable = new Executable([losses, ...squares], backend, update.carries);
  }

  /** Whoever began last: the arena holds the weights of one course of training at a time. */
  get owner(): object | undefined {
    return this.#owner;
  }

  /** Starts from these parameters, with fresh state of the optimiser. */
  begin(owner: object, params: Params, seed: number): void {
    this.#owner = owner;
    this.#step = 0;
    this.#seed = seed;
    this.#graph.parameters.write(this.executable, params);
    for (const leaf of this.#graph.optimiser.state) this.executable.place(leaf)?.fill(0);
  }

  /** Goes on where another program for the same model and optimiser stands. */
  takeOver(from: Training): void {
    this.#owner = from.#owner;
    this.#seed = from.#seed;
    this.#step = from.#step;
    const places = (training: Training) =>
      [...training.#graph.parameters.byName.values(), ...training.#graph.optimiser.state].map((leaf) =>
        training.executable.place(leaf),
      );
    const sources = places(from);
    places(this).forEach((place, i) => {
      const source = sources[i];
      if (source) place?.set(source);
    });
  }

  /**
   * One step on the mean loss of at most `capacity` rows; gives the mean loss before it.
   * @throws TrainingDiverged When the loss or a gradient is not finite; the weights stay as they were.
   */
  step(batch: Batch, rate: number): number {
    const { executable } = this;
    const { rows, losses } = this.#graph;
    const step = this.#step + 1;
    const count = rowCountOf(batch);
    const weight = 1 / (count * rows.perRow);
    writeRows(executable, rows, batch, 0, count, weight);
    this.#graph.masks.fill(executable, this.#seed, step);
    this.#turnDials(step, rate);
    executable.run();
    const loss = sumOf(executable.place(losses)!, count * rows.perRow); // an output has a place
    if (!Number.isFinite(loss)) throw new TrainingDiverged(step, 'the loss');
    if (!this.#areSlopesFinite()) throw new TrainingDiverged(step, 'a gradient');
    executable.commit();
    this.#step = step;
    return loss * weight;
  }

  #turnDials(step: number, rate: number): void {
    const { dials } = this.#graph.optimiser;
    for (let i = 0; i < dials.length; i++) this.executable.place(dials[i].leaf)![0] = dials[i].at(step, rate); // the update needs every dial
  }

  #areSlopesFinite(): boolean {
    const { squares } = this.#graph;
    for (let i = 0; i < squares.length; i++)
      if (!Number.isFinite(this.executable.place(squares[i])![0])) return false; // an output has a place
    return true;
  }

  /** Copies the weights into parameters of the same model. */
  read(params: Params): void {
    this.#graph.parameters.readWeights(this.executable, params);
  }
}

function sumOf(values: Float32Array, many: number): number {
  let sum = 0;
  for (let i = 0; i < many; i++) sum += values[i];
  return sum;
}
