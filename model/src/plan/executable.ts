import type { Value } from '../graph/graph.ts';
import type { Backend, Memory } from '../kernels/backend.ts';
import { planOf, type Carry, type Plan } from './plan.ts';

interface Bound {
  readonly memory: Memory;
  readonly calls: readonly (() => void)[];
  readonly commits: readonly (() => void)[];
}

/** Where the values of a program lie, for those who only write and read them. */
export type Places = Pick<Executable, 'place'>;

/** A planned graph with its memory: write the leaves, run, read the outputs. Memory is taken at the first use. */
export class Executable {
  readonly arenaBytes: number;
  readonly #plan: Plan;
  readonly #backend: Backend;
  readonly #views = new Map<Value, Float32Array>();
  #bound: Bound | undefined;

  constructor(outputs: readonly Value[], backend: Backend, carries: readonly Carry[] = []) {
    this.#plan = planOf(outputs, backend, { carries });
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
    runAll(this.#bind().calls);
  }

  /** After a run: gives carried leaves their next values. The other values of the run are lost. */
  commit(): void {
    runAll(this.#bind().commits);
  }

  #bind(): Bound {
    if (this.#bound) return this.#bound;
    const { arenaFloats, calls, commits, constants } = this.#plan;
    const memory = this.#backend.createMemory(arenaFloats);
    for (const { operand, value } of constants)
      memory.floats.fill(value, operand.offset, operand.offset + operand.size);
    const bind = (list: Plan['calls']) => list.map((call) => this.#backend.bind(call, memory));
    this.#bound = { memory, calls: bind(calls), commits: bind(commits) };
    return this.#bound;
  }
}

function runAll(calls: readonly (() => void)[]): void {
  for (let i = 0; i < calls.length; i++) calls[i]();
}
