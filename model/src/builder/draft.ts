import { ModelError } from '../ir/errors.ts';
import { Fields } from '../ir/fields.ts';
import { defaultLimits, type ModelLimits } from '../ir/limits.ts';
import { parseInput } from '../ir/parse-inputs.ts';
import { parseLoss } from '../ir/parse-loss.ts';
import { parseMetrics } from '../ir/parse-metrics.ts';
import { parseNode } from '../ir/parse-nodes.ts';
import { parseParameter } from '../ir/parse-parameters.ts';
import { parseModel } from '../ir/parse.ts';
import type {
  ClassesIr,
  FeaturesIr,
  Initial,
  InputIr,
  LossIr,
  MetaIr,
  MetricNameIr,
  ModelIr,
  NodeIr,
  OptimiserIr,
  ParameterIr,
  Shape,
  TargetsIr,
  TokensIr,
} from '../ir/schema.ts';
import { formatShape } from '../ir/shapes.ts';
import { ValueTable } from '../ir/values.ts';

/** What the calls of a builder take and give: an input, a parameter, or the output of a node. */
export interface Tensor {
  readonly id: string;
  readonly shape: Shape;
}

export interface NodeOptions {
  /** Id of the node, and what its parameters' ids start with: `<name>/w`. Numbered by op when not given. */
  readonly name?: string;
}

export interface ParameterOptions {
  /** What adapts together; `body` when not given. */
  readonly group?: ParameterIr['group'];
  /** `local`: stays on the device. `global` when not given. */
  readonly share?: ParameterIr['share'];
}

/** A model under construction: each step is checked by the parser's own rules when it is made. */
export class Draft {
  readonly limits: ModelLimits;
  readonly #name: string;
  readonly #values: ValueTable;
  readonly #known = new WeakSet<Tensor>();
  readonly #counts = new Map<string, number>();
  readonly #inputs: InputIr[] = [];
  readonly #params: ParameterIr[] = [];
  readonly #nodes: NodeIr[] = [];
  #loss: LossIr | undefined;
  #metrics: readonly MetricNameIr[] = [];
  #optimiser: OptimiserIr | undefined;
  #meta: MetaIr | undefined;

  constructor(name: string, limits: Partial<ModelLimits>) {
    this.#name = name;
    this.limits = { ...defaultLimits, ...limits };
    this.#values = new ValueTable(this.limits);
  }

  input(input: FeaturesIr | TokensIr): Tensor {
    const path = `inputs[${this.#inputs.length}]`;
    if (this.#inputs.some(({ role }) => role === 'features'))
      throw new ModelError('model-malformed', path, 'a model has one input of features; this is the second.');
    const { id, shape } = input;
    if (input.dtype === 'i32')
      this.#values.defineTokens(id, input.vocabulary, shape, `${path}.id`, `${path}.shape`);
    else this.#values.define(id, shape, `${path}.id`, `${path}.shape`);
    this.#inputs.push(input);
    return this.#tensor(id, shape);
  }

  parameter(id: string, shape: readonly number[], init: Initial, options: ParameterOptions): Tensor {
    const path = `params[${this.#params.length}]`;
    const { group = 'body', share = 'global' } = options;
    const ir = parseParameter(new Fields({ id, shape, init, share, group }, path, this.limits));
    this.#values.defineParameter(ir.id, ir.shape, `${path}.id`, `${path}.shape`);
    this.#params.push(ir);
    return this.#tensor(ir.id, ir.shape);
  }

  /** Options that are undefined are left to the op's defaults. */
  node(op: string, name: string, inputs: readonly Tensor[], options: object = {}): Tensor {
    const path = `nodes[${this.#nodes.length}]`;
    inputs.forEach((input, i) => {
      this.#expectKnown(input, `${path}.in[${i}]`);
    });
    const attrs = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
    const json = { op, in: inputs.map(({ id }) => id), out: name, attrs };
    const { ir, shape } = parseNode(new Fields(json, path, this.limits), this.#values);
    this.#nodes.push(ir);
    return this.#tensor(ir.out, shape);
  }

  /** `conv2d-1`, `conv2d-2`, … where no name is given. */
  nameOf(op: string, name: string | undefined): string {
    if (name !== undefined) return name;
    const count = (this.#counts.get(op) ?? 0) + 1;
    this.#counts.set(op, count);
    return `${op}-${count}`;
  }

  /** Length of an axis of a node's input, from which its parameters' shapes follow. `axis` -1 is the last. */
  axis(op: string, { id, shape }: Tensor, axis: number): number {
    const length = axis === 0 ? undefined : shape.at(axis);
    if (typeof length === 'number') return length;
    throw new ModelError(
      'model-shape-mismatch',
      `nodes[${this.#nodes.length}]`,
      `${op} needs more axes than "${id}" ${formatShape(shape)} has.`,
    );
  }

  /** How many rows the table of an embedding has; 1 for what is no tokens, which `node` then refuses. */
  vocabularyOf(tensor: Tensor): number {
    return this.#values.vocabularyOf(tensor.id) ?? 1;
  }

  outcome(
    labels: ClassesIr | TargetsIr,
    prediction: Tensor,
    loss: { readonly op: LossIr['op']; readonly delta?: number },
    metrics: readonly MetricNameIr[] | undefined,
  ): void {
    if (this.#loss)
      throw new ModelError('model-malformed', 'loss', 'a model has one loss; this is the second.');
    this.#expectKnown(prediction, 'loss.in[0]');
    const label = parseInput(new Fields(labels, 'inputs[1]', this.limits)) as ClassesIr | TargetsIr; // by its role
    this.#values.defineLabels(label.id, label.shape, 'inputs[1].id', 'inputs[1].shape');
    const json = { op: loss.op, in: [prediction.id, label.id], ...(loss.op === 'huber' && loss) };
    const checked = parseLoss(new Fields(json, 'loss', this.limits), this.#values, label);
    this.#metrics = parseMetrics(new Fields(metrics ? { metrics } : {}, '', this.limits), label, this.limits);
    this.#inputs.push(label);
    this.#loss = checked;
  }

  recommend(advice: { readonly optimiser?: OptimiserIr; readonly meta?: MetaIr }): void {
    this.#optimiser = advice.optimiser ?? this.#optimiser;
    this.#meta = advice.meta ?? this.#meta;
  }

  build(): ModelIr {
    const document = {
      umir: 1,
      opset: 1,
      name: this.#name,
      inputs: this.#inputs,
      params: this.#params,
      nodes: this.#nodes,
      ...(this.#loss && { loss: this.#loss }),
      metrics: this.#metrics,
      ...(this.#optimiser && { optimiser: this.#optimiser }),
      ...(this.#meta && { meta: this.#meta }),
    };
    return parseModel(document, this.limits).ir;
  }

  #tensor(id: string, shape: Shape): Tensor {
    const tensor = Object.freeze({ id, shape });
    this.#known.add(tensor);
    return tensor;
  }

  #expectKnown(tensor: Tensor, path: string): void {
    if (this.#known.has(tensor)) return;
    throw new ModelError(
      'model-undefined-value',
      path,
      'this tensor was not made by this builder; use what its own calls gave.',
    );
  }
}
