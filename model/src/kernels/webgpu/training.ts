import type { Value } from '../../graph/graph.ts';
import type { Model } from '../../ir/model.ts';
import type { OptimiserIr } from '../../ir/schema.ts';
import type { Params } from '../../parameters/layout.ts';
import { planOf, type Plan } from '../../plan/plan.ts';
import { TrainingDiverged } from '../../program/errors.ts';
import type { Batch } from '../../program/program.ts';
import { rowCountOf, writeRows } from '../../program/rows.ts';
import { buildTrainingGraph, type TrainingGraph } from '../../program/training-graph.ts';
import type { GpuDevice } from './device.ts';
import { GpuExecutable } from './executable.ts';
import { gpuLayout } from './kernels.ts';
import { Reading, Writing } from './memory.ts';

/** A training step of one number of rows on a GPU; weights and the optimiser's state stay in its memory. */
export class GpuTraining {
  readonly capacity: number;
  readonly arenaBytes: number;
  readonly #device: GpuDevice;
  readonly #graph: TrainingGraph;
  readonly #executable: GpuExecutable;
  /** Rows, masks and dials, written before each step. */
  readonly #inputs: Writing;
  /** The losses and the sums of squares of the gradients. */
  readonly #outcome: Reading;

  private constructor(device: GpuDevice, capacity: number, graph: TrainingGraph, executable: GpuExecutable) {
    this.capacity = capacity;
    this.arenaBytes = executable.plan.arenaFloats * Float32Array.BYTES_PER_ELEMENT;
    this.#device = device;
    this.#graph = graph;
    this.#executable = executable;
    this.#inputs = new Writing(executable.plan);
    this.#outcome = new Reading(device, executable.plan, [graph.losses, ...graph.squares]);
  }

  static async create(
    device: GpuDevice,
    model: Model,
    capacity: number,
    optimiser: OptimiserIr,
  ): Promise<GpuTraining> {
    const graph = buildTrainingGraph(model, capacity, optimiser);
    const executable = await GpuExecutable.create(device, planOnGpu(graph));
    return new GpuTraining(device, capacity, graph, executable);
  }

  begin(params: Params): void {
    const values = new Writing(this.#executable.plan);
    this.#graph.parameters.write(values, params);
    values.send(this.#device, this.#executable.arena);
  }

  /** Goes on where another training of the same model and optimiser stands. */
  takeOver(from: GpuTraining): void {
    const [theirs, own] = [from.#carried(), this.#carried()];
    const pairs = theirs.map((value, i) => [value, own[i]] as const);
    const encoder = this.#device.createCommandEncoder();
    this.#executable.encodeTakeOver(encoder, from.#executable, pairs);
    this.#device.queue.submit([encoder.finish()]);
  }

  /** @throws TrainingDiverged When the loss or a gradient is not finite; the weights stay as they were. */
  async step(
    batch: Batch,
    { rate, seed, step }: { rate: number; seed: number; step: number },
  ): Promise<number> {
    const { rows, losses, squares, masks, optimiser } = this.#graph;
    const count = rowCountOf(batch);
    const weight = 1 / (count * rows.perRow);
    writeRows(this.#inputs, rows, batch, 0, count, weight);
    masks.fill(this.#inputs, seed, step);
    for (const dial of optimiser.dials) this.#inputs.place(dial.leaf)![0] = dial.at(step, rate); // the update needs every dial
    this.#inputs.send(this.#device, this.#executable.arena);

    const running = this.#device.createCommandEncoder();
    this.#executable.encodeRun(running);
    this.#outcome.encode(running, this.#executable.arena);
    this.#device.queue.submit([running.finish()]);
    await this.#outcome.arrive();

    const loss = this.#outcome
      .place(losses)! // an output has a place
      .subarray(0, count * rows.perRow)
      .reduce((sum, each) => sum + each, 0);
    if (!Number.isFinite(loss)) throw new TrainingDiverged(step, 'the loss');
    for (const square of squares)
      if (!Number.isFinite(this.#outcome.place(square)![0])) throw new TrainingDiverged(step, 'a gradient'); // an output has a place

    const committing = this.#device.createCommandEncoder();
    this.#executable.encodeCommit(committing);
    this.#device.queue.submit([committing.finish()]);
    return loss * weight;
  }

  /** Copies the weights into parameters of the same model. */
  async read(params: Params): Promise<void> {
    const weights = this.#graph.parameters.ofRole('weight');
    const reading = new Reading(this.#device, this.#executable.plan, weights);
    try {
      const encoder = this.#device.createCommandEncoder();
      reading.encode(encoder, this.#executable.arena);
      this.#device.queue.submit([encoder.finish()]);
      await reading.arrive();
    } finally {
      reading.destroy();
    }
    this.#graph.parameters.readWeights(reading, params);
  }

  destroy(): void {
    this.#executable.destroy();
    this.#outcome.destroy();
  }

  #carried(): readonly Value[] {
    return [...this.#graph.parameters.byName.values(), ...this.#graph.optimiser.state];
  }
}

function planOnGpu({ losses, squares, optimiser }: TrainingGraph): Plan {
  return planOf([losses, ...squares], gpuLayout, { carries: optimiser.carries });
}
