import type { GraphWriter, Weights } from './graph-writer.ts';
import { OnnxExportError } from './errors.ts';

/** Writes what one node of the IR means into the ONNX graph, and stores its output. */
export type Exporter = (graph: GraphWriter, node: ExportedNode) => void;

/** A node of the IR with its place, so that a message can name it. */
export class ExportedNode {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly out: string;
  readonly #index: number;
  readonly #attributes: Readonly<Record<string, unknown>>;

  constructor(
    index: number,
    node: {
      readonly op: string;
      readonly in: readonly string[];
      readonly out: string;
      readonly attrs: Readonly<Record<string, unknown>>;
    },
  ) {
    this.op = node.op;
    this.inputs = node.in;
    this.out = node.out;
    this.#index = index;
    this.#attributes = node.attrs;
  }

  number(key: string): number {
    const value = this.#attributes[key];
    if (typeof value === 'number') return value;
    throw this.error(`its attribute "${key}" is no number`);
  }

  numbers(key: string): readonly number[] {
    const value = this.#attributes[key];
    if (Array.isArray(value) && value.every((item) => typeof item === 'number')) return value;
    throw this.error(`its attribute "${key}" is no list of numbers`);
  }

  flag(key: string): boolean {
    const value = this.#attributes[key];
    if (typeof value === 'boolean') return value;
    throw this.error(`its attribute "${key}" is neither true nor false`);
  }

  oneOf<const Choice extends string>(key: string, choices: readonly Choice[]): Choice {
    const value = this.#attributes[key];
    const found = choices.find((choice) => choice === value);
    if (found !== undefined) return found;
    throw this.error(`its attribute "${key}" is none of ${choices.join(', ')}`);
  }

  /** An input that must be a parameter, because ONNX wants its values in another order. */
  weights(graph: GraphWriter, input: number): Weights {
    const weights = graph.weights(this.inputs[input]);
    if (weights) return weights;
    throw this.error(`"${this.inputs[input]}" is computed, but ONNX can take only a parameter here`);
  }

  error(reason: string): OnnxExportError {
    return new OnnxExportError(
      `nodes[${this.#index}], ${this.op} "${this.out}", cannot be written as ONNX: ${reason}.`,
      this.#index,
    );
  }
}
