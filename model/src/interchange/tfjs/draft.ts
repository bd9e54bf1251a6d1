import { ModelError } from '../../ir/errors.ts';
import { Fields } from '../../ir/fields.ts';
import { defaultLimits } from '../../ir/limits.ts';
import { ShapeMismatch } from '../../ir/shapes.ts';
import { operations } from '../../ops/index.ts';
import { TfjsImportError } from './errors.ts';

/** A value of the model to be: its id, and its axes for one example. */
export interface Tensor {
  readonly id: string;
  readonly shape: readonly number[];
}

export interface DraftNode {
  readonly op: string;
  readonly in: readonly string[];
  readonly out: string;
  readonly attrs: Readonly<Record<string, unknown>>;
}

export interface DraftParameter {
  readonly id: string;
  readonly layer: string;
  readonly shape: readonly number[];
  readonly init: { readonly kind: 'zeros' | 'ones' | 'glorotUniform' };
}

/** The document that grows layer by layer. */
export class Draft {
  readonly params: DraftParameter[] = [];
  readonly nodes: DraftNode[] = [];
  readonly values = new Map<string, Float32Array>();
  readonly input: Tensor;
  /** Set by an embedding: the input is ids of tokens. */
  vocabulary: number | undefined;
  readonly #shapes = new Map<string, readonly (number | 'B')[]>();
  readonly #ids = new Set<string>(['x', 'y']);

  constructor(inputShape: readonly number[]) {
    this.input = { id: 'x', shape: inputShape };
    this.#shapes.set('x', ['B', ...inputShape]);
  }

  /** A parameter with its values; returns its id. */
  parameter(
    layer: string,
    weight: string,
    shape: readonly number[],
    values: Float32Array,
    kind: DraftParameter['init']['kind'],
  ): string {
    const id = this.#newId(layer, weight);
    this.params.push({ id, layer, shape, init: { kind } });
    this.#shapes.set(id, shape);
    this.values.set(id, values);
    return id;
  }

  /**
   * One op of the IR, on values and parameters.
   * @throws TfjsImportError Naming the layer, when the inputs do not fit.
   */
  node(
    layer: string,
    op: string,
    inputs: readonly string[],
    attrs: Readonly<Record<string, unknown>> = {},
  ): Tensor {
    const out = this.#newId(layer, op);
    const [, ...shape] = this.#infer(layer, op, inputs, attrs);
    this.nodes.push({ op, in: inputs, out, attrs });
    this.#shapes.set(out, ['B', ...shape]);
    return { id: out, shape: shape as number[] }; // the batch stands only in front
  }

  #infer(
    layer: string,
    op: string,
    inputs: readonly string[],
    attrs: Readonly<Record<string, unknown>>,
  ): readonly (number | 'B')[] {
    const shapes = inputs.map((id) => this.#shapes.get(id)!); // layers name only what was made before
    try {
      return operations
        .get(op)!
        .bind(new Fields(attrs, '', defaultLimits))
        .infer(shapes); // layers name ops of the IR
    } catch (error) {
      if (error instanceof ShapeMismatch || error instanceof ModelError)
        throw new TfjsImportError(`it becomes ${op}, which does not fit: ${error.message}`, layer);
      throw error;
    }
  }

  /** Ids of the IR have fewer characters than names in Keras, and may not look like learned rates. */
  #newId(layer: string, part: string): string {
    const safe = layer.replace(/[^A-Za-z0-9_.-]/g, '_').slice(0, 80);
    const start = /^[A-Za-z0-9]/.test(safe) && safe !== 'rate' ? safe : `layer${safe}`;
    let id = `${start}/${part}`;
    for (let n = 2; this.#ids.has(id); n++) id = `${start}/${part}-${n}`;
    this.#ids.add(id);
    return id;
  }
}
