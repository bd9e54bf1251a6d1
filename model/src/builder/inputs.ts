import { Fields } from '../ir/fields.ts';
import { parseInput } from '../ir/parse-inputs.ts';
import type { Initial, InputIr } from '../ir/schema.ts';
import type { Draft, NodeOptions, ParameterOptions, Tensor } from './draft.ts';

/** What a model starts from. */
export function inputs(draft: Draft) {
  const input = (json: object): Tensor =>
    draft.input(
      parseInput(new Fields(json, 'inputs[0]', draft.limits)) as Exclude<InputIr, { role: 'label' }>,
    ); // by its role
  return {
    /** Numbers of the given axes for each example: `[28, 28, 1]`, `[64, 6]`. */
    features: (shape: readonly number[], { name = 'x' }: NodeOptions = {}): Tensor =>
      input({ id: name, shape: ['B', ...shape], dtype: 'f32' }),

    /** Ids of tokens, 0 to vocabulary - 1, for an embedding. */
    tokens: (
      shape: readonly number[],
      { vocabulary, name = 'x' }: NodeOptions & { readonly vocabulary: number },
    ): Tensor => input({ id: name, shape: ['B', ...shape], dtype: 'i32', vocabulary }),

    /** A parameter that `add`, `mul` or an op's own weights take, for example of places. */
    parameter: (
      shape: readonly number[],
      options: NodeOptions & ParameterOptions & { readonly init: Initial },
    ): Tensor => draft.parameter(draft.nameOf('parameter', options.name), shape, options.init, options),
  };
}
