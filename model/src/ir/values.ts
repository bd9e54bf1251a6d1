import { ModelError } from './errors.ts';
import type { ModelLimits } from './limits.ts';
import type { Shape } from './schema.ts';
import { countValues, formatShape } from './shapes.ts';
import type { Cost } from '../ops/operation.ts';

/** Every id of a model with its shape, in order of definition, and whether something uses it. */
export class ValueTable {
  readonly #limits: ModelLimits;
  readonly #values = new Map<string, { shape: Shape; size: number; path: string; used: boolean }>();
  #labels: string | undefined;
  #tokens: { readonly id: string; readonly vocabulary: number } | undefined;
  #parameters = 0;
  #activations = 0;
  #products = 0;
  #recurrentSteps = 0;

  constructor(limits: ModelLimits) {
    this.#limits = limits;
  }

  define(id: string, shape: Shape, path: string, shapePath: string): void {
    this.#insert(id, shape, path, shapePath);
  }

  /** Labels have an id, but no node may use them: only the loss does. */
  defineLabels(id: string, shape: Shape, path: string, shapePath: string): void {
    this.#insert(id, shape, path, shapePath);
    this.#labels = id;
  }

  /** @throws ModelError `model-limit-exceeded`, for all parameters together. */
  defineParameter(id: string, shape: Shape, path: string, shapePath: string): void {
    this.#insert(id, shape, path, shapePath);
    const { maxParameters } = this.#limits;
    this.#parameters += this.size(id);
    if (this.#parameters > maxParameters)
      throw new ModelError(
        'model-limit-exceeded',
        shapePath,
        `with shape ${formatShape(shape)} the model has ${this.#parameters} parameters; at most ${maxParameters} are allowed here.`,
      );
  }

  /** Ids of tokens: only an op that looks them up may use them. */
  defineTokens(id: string, vocabulary: number, shape: Shape, path: string, shapePath: string): void {
    this.#insert(id, shape, path, shapePath);
    this.#tokens = { id, vocabulary };
  }

  /** What a node computes, and what it takes inside. @throws ModelError `model-limit-exceeded`, for all nodes together. */
  defineOutput(id: string, shape: Shape, path: string, nodePath: string, inside: Cost): void {
    this.#insert(id, shape, path, nodePath);
    const { maxActivations, maxProducts, maxRecurrentSteps } = this.#limits;
    this.#activations += this.size(id) + (inside.values ?? 0);
    this.#products += inside.products ?? 0;
    this.#recurrentSteps += inside.steps ?? 0;
    if (this.#activations > maxActivations)
      throw new ModelError(
        'model-limit-exceeded',
        nodePath,
        `with this node of shape ${formatShape(shape)} the model computes ${this.#activations} values for one example; at most ${maxActivations} are allowed here.`,
      );
    if (this.#products > maxProducts)
      throw new ModelError(
        'model-limit-exceeded',
        nodePath,
        `with this node the model takes ${this.#products} multiplications for one example; at most ${maxProducts} are allowed here.`,
      );
    if (this.#recurrentSteps > maxRecurrentSteps)
      throw new ModelError(
        'model-limit-exceeded',
        nodePath,
        `with this node the recurrent nodes take ${this.#recurrentSteps} steps; at most ${maxRecurrentSteps} are allowed here.`,
      );
  }

  /** How many ids there are, where `id` is the tokens. */
  vocabularyOf(id: string): number | undefined {
    return this.#tokens?.id === id ? this.#tokens.vocabulary : undefined;
  }

  #insert(id: string, shape: Shape, path: string, shapePath: string): void {
    if (this.#values.has(id))
      throw new ModelError(
        'model-duplicate-id',
        path,
        `"${id}" is defined a second time; give every input, parameter and node an id of its own.`,
      );
    const size = countValues(shape, this.#limits.maxTensorValues, shapePath);
    this.#values.set(id, { shape, size, path, used: false });
  }

  /** The shape of a value that was defined before. */
  use(id: string, path: string): Shape {
    const value = this.#values.get(id);
    if (!value)
      throw new ModelError(
        'model-undefined-value',
        path,
        `"${id}" is not defined above; list nodes in the order of their use, without cycles.`,
      );
    if (id === this.#labels)
      throw new ModelError(
        'model-undefined-value',
        path,
        `"${id}" holds the labels, which only the loss may use; name the features or a node.`,
      );
    value.used = true;
    return value.shape;
  }

  /** Number of values; one example where the value carries a batch. */
  size(id: string): number {
    return this.#values.get(id)!.size; // asked only for ids that were defined
  }

  shapes(): ReadonlyMap<string, Shape> {
    return new Map([...this.#values].map(([id, { shape }]) => [id, Object.freeze([...shape])]));
  }

  expectAllUsed(): void {
    for (const [id, { used, path }] of this.#values) {
      if (used || id === this.#labels) continue;
      throw new ModelError(
        'model-unused-value',
        path,
        `nothing uses "${id}"; remove it, or name it as an input.`,
      );
    }
  }
}
