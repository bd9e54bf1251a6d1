import type { Value } from '../graph/graph.ts';
import type { Backend, Memory } from '../kernels/backend.ts';
import { planOf, type Plan } from './plan.ts';

interface Bound {
  readonly memory: Memory;
  readonly calls: readonly (() => void)[];
}

/** A planned graph with its memory: write the leaves, run, read the outputs. Memory is taken at the first use. */
export class Executable {
  readonly arenaBytes: number;
  readonly #plan: Plan;
  readonly #backend: Backend;
  readonly #views = new Map<Value, Float32Array>();
  #bound: Bound | undefined;

  constructor(outputs: readonly Value[], backend: Backend) {
    this.#plan = planOf(outputs, backend);
    this.#backend = backend;
    this.arenaBytes = this.#plan.arenaFloats * Float32Array.BYTES_PER_ELEMENT;
  }

  /** The place of a leaf or an output: write to it before a run, read from it after. Undefined when nothing needs it. */
  place(value: Value): Float32Array | undefined {
    const known = this.#views.get(value);
    if (known) return known;
    const operand = this.#plan.places.get(value);
    if (!operand) return undefined;
    const view = this.#bind().memory.floats.subarray(operand.offset, operand.offset + operand.size);
    this.#views.set(value, view);
    return view;
  }

  /** Computes all outputs. Allocates nothing once the memory is there. */
  run(): void {
    const { calls } = this.#bind();
    for (let i = 0; i < calls.length; i++) calls[i]();
  }

  #bind(): Bound {
    if (this.#bound) return this.#bound;
    const { arenaFloats, calls, constants } = this.#plan;
    const memory = this.#backend.createMemory(arenaFloats);
    for (const { operand, value } of constants)
      memory.floats.fill(value, operand.offset, operand.offset + operand.size);
    this.#bound = { memory, calls: calls.map((call) => this.#backend.bind(call, memory)) };
    return this.#bound;
  }
}
