import { ancestors } from '../graph/gradient.ts';
import type { Value } from '../graph/graph.ts';
import type { Primitive } from '../graph/primitives.ts';
import type { Backend, KernelCall, Operand } from '../kernels/backend.ts';
import { FirstFitArena, type Arena } from './arena.ts';
import { fuse, type Step } from './fusion.ts';
import { sharesPlace, storageOf } from './storage.ts';

/** A graph laid out in one arena: where each value lies, and the calls in their order. */
export interface Plan {
  readonly arenaFloats: number;
  /** What computes the outputs. */
  readonly calls: readonly KernelCall[];
  /** What gives leaves their next values, from the outputs and what led to them. */
  readonly commits: readonly KernelCall[];
  /** Places of leaves and outputs; they hold their values when a run has ended. */
  readonly places: ReadonlyMap<Value, Operand>;
  readonly constants: readonly { readonly operand: Operand; readonly value: number }[];
}

/** A leaf and the value it is to have in the next run. */
export interface Carry {
  readonly leaf: Value<'leaf'>;
  readonly next: Value;
}

/** Primitives that read each element of their first inputs just before they write it: the output may take their place. */
const elementwise: ReadonlySet<Primitive> = new Set([
  'add',
  'subtract',
  'multiply',
  'scale',
  'shift',
  'descend',
  'maskPositive',
  'exp',
  'log',
  'reciprocal',
  'squareRoot',
  'reciprocalRoot',
  'tanh',
  'sigmoid',
  'softplus',
  'erf',
  'gelu',
  'geluGradient',
  'addRow',
  'addRowPositive',
  'multiplyRow',
  'multiplyColumn',
  'multiplyScalar',
]);

/**
 * Lays out what `outputs` and `carries` need. Leaves, constants and outputs keep their places; every other value gives its
 * place back after its last use, or hands it to a result that is computed element by element. So the arena is known
 * before any of it is allocated.
 */
export function planOf(
  outputs: readonly Value[],
  backend: Pick<Backend, 'scratchSize'>,
  { carries = [], arena = new FirstFitArena() }: { carries?: readonly Carry[]; arena?: Arena } = {},
): Plan {
  return new Layout(outputs, carries, backend, arena).plan();
}

class Layout {
  readonly #steps: readonly Step[];
  readonly #firstCommit: number;
  readonly #kept: ReadonlySet<Value>;
  readonly #carriedBy: ReadonlyMap<Value, Value>;
  readonly #carries: readonly Carry[];
  readonly #lastUse: ReadonlyMap<Value, number>;
  readonly #backend: Pick<Backend, 'scratchSize'>;
  readonly #arena: Arena;
  readonly #places = new Map<Value, Operand>();
  readonly #constants: Plan['constants'][number][] = [];

  constructor(
    outputs: readonly Value[],
    carries: readonly Carry[],
    backend: Pick<Backend, 'scratchSize'>,
    arena: Arena,
  ) {
    this.#backend = backend;
    this.#arena = arena;
    this.#carries = carries;
    this.#carriedBy = new Map(carries.map(({ leaf, next }) => [next, leaf]));
    const first = ancestors(outputs);
    const known = new Set(first);
    const rest = ancestors(carries.map(({ next }) => next)).filter((value) => !known.has(value));
    const wanted = new Set([...outputs, ...carries.map(({ next }) => next)]);
    this.#steps = fuse([...first, ...rest], wanted);
    this.#firstCommit = this.#steps.filter(({ value }) => known.has(value)).length;
    const carried = carries.map(({ leaf }) => leaf);
    this.#kept = new Set([
      ...[...wanted, ...carried].map((value) => storageOf(value).root),
      ...this.#steps.map(({ value }) => value).filter(isGiven),
    ]);
    this.#lastUse = lastUses(this.#steps);
  }

  plan(): Plan {
    for (const { value } of this.#steps) if (isGiven(value)) this.#placeGiven(value);
    const calls: KernelCall[] = [];
    const commits: KernelCall[] = [];
    this.#steps.forEach((step, i) => {
      const call = this.#places.has(step.value) ? undefined : this.#place(step, i);
      if (call) (i < this.#firstCommit ? calls : commits).push(call);
      if (!isGiven(step.value)) this.#bury(step, i);
    });
    for (const { leaf, next } of this.#carries) {
      const [from, to] = [this.#places.get(next)!, this.#places.get(leaf)!]; // both were placed above
      if (from.offset !== to.offset) commits.push(copyOf(from, to));
    }
    const { peak } = this.#arena;
    return { arenaFloats: peak, calls, commits, places: this.#places, constants: this.#constants };
  }

  #placeGiven(value: Value): void {
    const operand = operandOf(value, this.#arena.take(value.size));
    this.#places.set(value, operand);
    if (value.op === 'constant')
      this.#constants.push({ operand, value: (value as Value<'constant'>).attributes.value }); // by its op
  }

  /** Gives a value its place, and the call that computes it unless it lies in another. */
  #place({ value, op, inputs: sources, attributes }: Step, step: number): KernelCall | undefined {
    if (sharesPlace(value)) {
      const { root, offset } = storageOf(value);
      this.#places.set(value, operandOf(value, this.#places.get(root)!.offset + offset)); // inputs come before in the order
      return undefined;
    }
    const inputs = sources.map((input) => this.#places.get(input)!); // inputs come before in the order
    const heir = elementwise.has(op)
      ? sources.find((input) => this.#mayInherit(value, input, step))
      : undefined;
    const offset = heir ? this.#places.get(heir)!.offset : this.#arena.take(value.size);
    const output = operandOf(value, offset);
    this.#places.set(value, output);
    if (heir) this.#inherited.add(storageOf(heir).root);
    const shapes = { inputs: inputs.map((input) => input.shape), output: output.shape };
    const size = this.#backend.scratchSize({ op, attributes, shapes });
    const scratch = { offset: size > 0 ? this.#arena.take(size) : 0, size, shape: [size] };
    if (size > 0) this.#arena.giveBack(scratch.offset, size);
    return { op, inputs, output, scratch, attributes };
  }

  /** Roots whose place another value took over. */
  readonly #inherited = new Set<Value>();

  /** Whether `value` may overwrite an input of the same size that nothing needs any more, or the leaf it is carried to. */
  #mayInherit(value: Value, input: Value, step: number): boolean {
    const { root, offset } = storageOf(input);
    if (offset !== 0 || root.size !== value.size || this.#lastUse.get(root) !== step) return false;
    return this.#carriedBy.get(value) === root || !this.#kept.has(root);
  }

  /** Gives back the places of what this step used last. */
  #bury({ value, inputs }: Step, step: number): void {
    for (const root of new Set([value, ...inputs].map((used) => storageOf(used).root))) {
      if (this.#lastUse.get(root) !== step || this.#kept.has(root) || this.#inherited.has(root)) continue;
      this.#arena.giveBack(this.#places.get(root)!.offset, root.size);
    }
  }
}

function lastUses(steps: readonly Step[]): ReadonlyMap<Value, number> {
  const last = new Map<Value, number>();
  steps.forEach(({ value, inputs }, step) => {
    for (const used of [value, ...inputs]) last.set(storageOf(used).root, step);
  });
  return last;
}

/** Written from outside, or once for all runs. */
function isGiven({ op }: Value): boolean {
  return op === 'leaf' || op === 'constant';
}

function copyOf(from: Operand, to: Operand): KernelCall<'scale'> {
  return {
    op: 'scale',
    inputs: [from],
    output: to,
    scratch: { offset: 0, size: 0, shape: [0] },
    attributes: { factor: 1 },
  };
}

function operandOf({ size, shape }: Value, offset: number): Operand {
  return { offset, size, shape };
}
