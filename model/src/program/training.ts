import { gradient } from '../graph/gradient.ts';
import { Graph, type Value } from '../graph/graph.ts';
import type { Model } from '../ir/model.ts';
import type { OptimiserIr } from '../ir/schema.ts';
import type { Backend } from '../kernels/backend.ts';
import { layoutOf, type Params } from '../parameters/layout.ts';
import { Executable } from '../plan/executable.ts';
import { TrainingDiverged } from './errors.ts';
import { classify, rowLeaves } from './classifier.ts';
import { Masks } from './masks.ts';
import { optimiserGraph, type OptimiserGraph } from './optimiser.ts';
import { ParameterLeaves } from './parameter-leaves.ts';
import type { Batch } from './program.ts';
import { rowCountOf, writeRows, type RowLeaves } from './rows.ts';

/**
 * A training step as one program: forward, backward and the optimiser's update. Weights and the optimiser's state stay in
 * the arena from step to step.
 */
export class Training {
  readonly executable: Executable;
  readonly capacity: number;
  readonly #parameters: ParameterLeaves;
  readonly #rows: RowLeaves;
  readonly #masks: Masks;
  readonly #losses: Value;
  readonly #squares: readonly Value[];
  readonly #optimiser: OptimiserGraph;
  #owner: object | undefined;
  #step = 0;
  #seed = 0;

  constructor(model: Model, capacity: number, optimiser: OptimiserIr, backend: Backend) {
    const graph = new Graph();
    this.capacity = capacity;
    this.#parameters = new ParameterLeaves(graph, layoutOf(model));
    this.#rows = rowLeaves(graph, model, 'batch', capacity);
    this.#masks = new Masks(graph);
    const { losses, loss } = classify(graph, model, this.#parameters.byName, this.#rows, this.#masks.context);
    this.#losses = losses;
    const weights = this.#parameters.ofRole('weight');
    const gradients = gradient(graph, loss, weights);
    this.#squares = gradients.map((slope) => graph.dot(slope, slope));
    const slopes = weights.map((weight, i) => ({ weight, gradient: gradients[i] }));
    this.#optimiser = optimiserGraph(graph, optimiser, slopes);
    this.executable = new Executable([losses, ...this.#squares], backend, this.#optimiser.carries);
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
    this.#parameters.write(this.executable, params);
    for (const leaf of this.#optimiser.state) this.executable.place(leaf)?.fill(0);
  }

  /** Goes on where another program for the same model and optimiser stands. */
  takeOver(from: Training): void {
    this.#owner = from.#owner;
    this.#seed = from.#seed;
    this.#step = from.#step;
    const places = (training: Training) =>
      [...training.#parameters.byName.values(), ...training.#optimiser.state].map((leaf) =>
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
    const step = this.#step + 1;
    const count = rowCountOf(batch);
    const weight = 1 / (count * this.#rows.perRow);
    writeRows(executable, this.#rows, batch, 0, count, weight);
    this.#masks.fill(executable, this.#seed, step);
    for (const dial of this.#optimiser.dials) executable.place(dial.leaf)![0] = dial.at(step, rate); // the update needs every dial
    executable.run();
    const losses = executable.place(this.#losses)!; // an output has a place
    let loss = 0;
    for (let i = 0; i < count * this.#rows.perRow; i++) loss += losses[i];
    if (!Number.isFinite(loss)) throw new TrainingDiverged(step, 'the loss');
    for (const square of this.#squares)
      if (!Number.isFinite(executable.place(square)![0])) throw new TrainingDiverged(step, 'a gradient'); // an output has a place
    executable.commit();
    this.#step = step;
    return loss * weight;
  }

  /** Copies the weights into parameters of the same model. */
  read(params: Params): void {
    this.#parameters.readWeights(this.executable, params);
  }
}
