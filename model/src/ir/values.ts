import { ModelError } from './errors.ts';
import type { ModelLimits } from './limits.ts';
import type { Shape } from './schema.ts';
import { countValues } from './shapes.ts';

/** Every id of a model with its shape, in order of definition, and whether something uses it. */
export class ValueTable {
  readonly #limits: ModelLimits;
  readonly #values = new Map<string, { shape: Shape; size: number; path: string; used: boolean }>();
  #labels: string | undefined;

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
