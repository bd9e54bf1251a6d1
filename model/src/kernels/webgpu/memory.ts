import type { Value } from '../../graph/graph.ts';
import type { Plan } from '../../plan/plan.ts';
import { mapRead, usage, type GpuBuffer, type GpuCommandEncoder, type GpuDevice } from './device.ts';

const floatBytes = Float32Array.BYTES_PER_ELEMENT;

/** What is written to leaves before a run: each has an array here, and goes to the GPU whole. */
export class Writing {
  readonly #plan: Plan;
  readonly #arrays = new Map<Value, Float32Array<ArrayBuffer>>();

  constructor(plan: Plan) {
    this.#plan = plan;
  }

  /** Undefined when nothing needs the value. */
  place(value: Value): Float32Array | undefined {
    const known = this.#arrays.get(value);
    const operand = this.#plan.places.get(value);
    if (known || !operand) return known;
    const array = new Float32Array(operand.size);
    this.#arrays.set(value, array);
    return array;
  }

  send(device: GpuDevice, arena: GpuBuffer): void {
    for (const [value, array] of this.#arrays)
      device.queue.writeBuffer(arena, this.#plan.places.get(value)!.offset * floatBytes, array); // it had a place
  }
}

/** Some values, as they come back from the GPU. */
export class Reading {
  readonly #plan: Plan;
  readonly #values: readonly Value[];
  readonly #buffer: GpuBuffer;
  readonly #found = new Map<Value, Float32Array>();

  constructor(device: GpuDevice, plan: Plan, values: readonly Value[]) {
    this.#plan = plan;
    this.#values = values.filter((value) => plan.places.has(value));
    const floats = this.#values.reduce((sum, { size }) => sum + size, 0);
    this.#buffer = device.createBuffer({
      size: Math.max(floats, 1) * floatBytes,
      usage: usage.mapRead | usage.copyTarget,
    });
  }

  encode(encoder: GpuCommandEncoder, arena: GpuBuffer): void {
    let at = 0;
    for (const value of this.#values) {
      const { offset, size } = this.#plan.places.get(value)!; // kept above only if it has a place
      encoder.copyBufferToBuffer(
        arena,
        offset * floatBytes,
        this.#buffer,
        at * floatBytes,
        size * floatBytes,
      );
      at += size;
    }
  }

  /** Waits for what was encoded and submitted. */
  async arrive(): Promise<void> {
    await this.#buffer.mapAsync(mapRead);
    const floats = new Float32Array(this.#buffer.getMappedRange().slice(0));
    this.#buffer.unmap();
    let at = 0;
    for (const value of this.#values) {
      this.#found.set(value, floats.subarray(at, at + value.size));
      at += value.size;
    }
  }

  place(value: Value): Float32Array | undefined {
    return this.#found.get(value);
  }

  destroy(): void {
    this.#buffer.destroy();
  }
}
