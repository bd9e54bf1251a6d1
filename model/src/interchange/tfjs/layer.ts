import type { Config } from './config.ts';
import type { Draft, DraftParameter, Tensor } from './draft.ts';
import { TfjsImportError } from './errors.ts';
import type { TopologyLayer } from './topology.ts';
import type { TfjsWeights } from './weights.ts';

/** Writes what a layer means into the draft; returns the layer's output. */
export type LayerImporter = (layer: LayerAt) => Tensor;

/** A layer at its place: configuration, inputs, weights, and the model to be. */
export class LayerAt {
  readonly name: string;
  readonly config: Config;
  readonly inputs: readonly Tensor[];
  readonly draft: Draft;
  readonly #weights: TfjsWeights;

  constructor(layer: TopologyLayer, inputs: readonly Tensor[], draft: Draft, weights: TfjsWeights) {
    this.name = layer.name;
    this.config = layer.config;
    this.inputs = inputs;
    this.draft = draft;
    this.#weights = weights;
  }

  /** The only input, with `rank` axes behind the batch, or at least one. */
  input(rank?: number): Tensor {
    const [tensor] = this.inputs;
    if (this.inputs.length !== 1) throw this.error(`has ${this.inputs.length} inputs; expected one.`);
    if (rank === undefined ? tensor.shape.length === 0 : tensor.shape.length !== rank)
      throw this.error(
        `its input has the shape [B, ${tensor.shape.join(', ')}]; expected ${rank ?? 'one or more'} axes behind the batch.`,
      );
    return tensor;
  }

  /** The values of a weight. */
  weight(name: string, shape: readonly number[]): Float32Array {
    return this.#weights.take(this.name, name, shape);
  }

  /** A weight of the layer as a parameter; returns its id. */
  parameter(name: string, shape: readonly number[], kind: DraftParameter['init']['kind']): string {
    return this.parameterOf(name, shape, this.weight(name, shape), kind);
  }

  parameterOf(
    name: string,
    shape: readonly number[],
    values: Float32Array,
    kind: DraftParameter['init']['kind'],
  ): string {
    return this.draft.parameter(this.name, name, shape, values, kind);
  }

  /** The bias, where the layer has one, as a list to be appended to the inputs of a node. */
  bias(length: number): readonly string[] {
    return this.config.flag('use_bias', true) ? [this.parameter('bias', [length], 'zeros')] : [];
  }

  node(op: string, inputs: readonly string[], attrs: Readonly<Record<string, unknown>> = {}): Tensor {
    return this.draft.node(this.name, op, inputs, attrs);
  }

  /** @throws TfjsImportError Unless a number or flag of the configuration is missing, or what the IR can express. */
  expect(key: string, ...allowed: readonly unknown[]): void {
    const value = this.config.get(key);
    if (value === undefined || allowed.includes(value)) return;
    throw this.error(
      `"${key}" is ${JSON.stringify(value).slice(0, 64)}; only ${allowed.map((item) => JSON.stringify(item)).join(' or ')} has a meaning in the IR.`,
    );
  }

  error(message: string): TfjsImportError {
    return new TfjsImportError(message, this.name);
  }
}
