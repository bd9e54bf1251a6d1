import type { Shape } from '../../ir/schema.ts';
import { between, identity, isIdentity, permuteValues, type Permutation } from './permutation.ts';
import { floatTensor, integerTensor, nodeMessage, type AttributeValue } from './messages.ts';
import type { Message } from './wire.ts';

/** A parameter of the model: axes as the IR lays them out. */
export interface Weights {
  readonly id: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** One tensor of the ONNX graph that holds a value of the IR, its axes in some order. */
interface Stored {
  readonly name: string;
  readonly permutation: Permutation;
}

/**
 * The ONNX graph as it grows. ONNX wants channels or time in front where the IR has them behind, so each value remembers
 * in which orders of its axes it is stored; a Transpose is written only when an op asks for an order that is not there.
 * Two inverse transposes can therefore never follow each other.
 */
export class GraphWriter {
  readonly nodes: Message[] = [];
  readonly initializers: Message[] = [];
  readonly #stored = new Map<string, Stored[]>();
  readonly #shapes: ReadonlyMap<string, Shape>;
  readonly #weights: ReadonlyMap<string, Weights>;
  readonly #initializerNames = new Set<string>();
  #fresh = 0;

  constructor(shapes: ReadonlyMap<string, Shape>, weights: readonly Weights[]) {
    this.#shapes = shapes;
    this.#weights = new Map(weights.map((tensor) => [tensor.id, tensor]));
  }

  /** Axes of a value of the IR, the batch as `B`. */
  shape(id: string): Shape {
    return this.#shapes.get(id)!; // the parser gave every id a shape
  }

  rank(id: string): number {
    return this.shape(id).length;
  }

  /** The parameter of this id, or undefined for a value that is computed. */
  weights(id: string): Weights | undefined {
    return this.#weights.get(id);
  }

  /** The order of axes in which a value was first stored. */
  order(id: string): Permutation {
    return this.#stored.get(id)?.[0].permutation ?? identity(this.rank(id));
  }

  /** Records that the tensor `name` of the ONNX graph holds the value. */
  store(id: string, permutation: Permutation, name: string): void {
    this.#stored.set(id, [{ name, permutation }]);
  }

  /** What a tensor is called that holds a value in some order: the id itself in the IR's own. */
  nameOf(id: string, permutation: Permutation): string {
    return isIdentity(permutation) ? id : `${id}:${permutation.join('')}`;
  }

  /** The name of a tensor that holds the value in the order asked for. */
  read(id: string, permutation: Permutation = identity(this.rank(id))): string {
    const weights = this.#weights.get(id);
    if (weights) return this.#readWeights(weights, permutation);
    const stored = this.#stored.get(id)!; // nodes come in the order of their use
    const key = permutation.join();
    const found = stored.find((tensor) => tensor.permutation.join() === key);
    if (found) return found.name;
    const perm = between(stored[0].permutation, permutation);
    const name = this.nameOf(id, permutation);
    this.node('Transpose', [stored[0].name], { perm }, name);
    stored.push({ name, permutation });
    return name;
  }

  #readWeights({ id, shape, values }: Weights, permutation: Permutation): string {
    return this.floats(
      this.nameOf(id, permutation),
      permutation.map((axis) => shape[axis]),
      () => permuteValues(values, shape, permutation),
    );
  }

  /** A value without a batch that is repeated along the last axes of one of `rank`, in that one's order of axes. */
  readBroadcast(id: string, rank: number, permutation: Permutation): string {
    if (isIdentity(permutation)) return this.read(id);
    const shape = this.shape(id) as readonly number[]; // without a batch every axis is a number
    const full = [...identity(rank - shape.length).map(() => 1), ...shape];
    const weights = this.#weights.get(id);
    if (weights)
      return this.floats(
        this.nameOf(id, permutation),
        permutation.map((axis) => full[axis]),
        () => permuteValues(weights.values, full, permutation),
      );
    const repeated = this.node('Reshape', [this.read(id), this.integers(...full)]);
    return this.node('Transpose', [repeated], { perm: permutation });
  }

  /** A constant tensor; the values are asked for when the name is new. */
  floats(name: string, shape: readonly number[], values: () => Float32Array): string {
    if (!this.#initializerNames.has(name)) {
      this.#initializerNames.add(name);
      this.initializers.push(floatTensor(name, shape, values()));
    }
    return name;
  }

  scalar(value: number): string {
    return this.floats(`:${value}`, [], () => Float32Array.of(value));
  }

  /** A constant vector of int64. */
  integers(...values: readonly number[]): string {
    const name = `:[${values.join()}]`;
    if (!this.#initializerNames.has(name)) {
      this.#initializerNames.add(name);
      this.initializers.push(integerTensor(name, values));
    }
    return name;
  }

  /** Writes a node with one output, and returns the output's name. */
  node(
    type: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, AttributeValue>> = {},
    output = this.#freshName(),
  ): string {
    this.nodeWithOutputs(type, inputs, attributes, [output]);
    return output;
  }

  /** An output named `''` is left out. */
  nodeWithOutputs(
    type: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, AttributeValue>>,
    outputs: readonly string[],
  ): void {
    const name = `${type}:${this.nodes.length}`;
    this.nodes.push(nodeMessage(name, type, inputs, outputs, attributes));
  }

  #freshName(): string {
    this.#fresh += 1;
    return `:t${this.#fresh}`;
  }
}
