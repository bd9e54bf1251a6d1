import { ModelError } from './errors.ts';
import type { Fields } from './fields.ts';
import type { InputIr } from './schema.ts';
import type { ValueTable } from './values.ts';

type FeaturesIr = Extract<InputIr, { role: 'features' }>;
type LabelIr = Extract<InputIr, { role: 'label' }>;

/** As many as labels of 16 bits can name. */
const maxClasses = 2 ** 16;

/** One input of features and one of labels, in any order. Labels are no value that a node may use. */
export function parseInputs(
  inputs: readonly Fields[],
  values: ValueTable,
): { features: FeaturesIr; label: LabelIr } {
  const parsed = inputs.map(parseInput);
  const features = parsed.find((input) => input.role === 'features');
  const label = parsed.find((input) => input.role === 'label');
  if (!features || !label || parsed.length !== 2)
    throw new ModelError(
      'model-malformed',
      'inputs',
      `found the roles ${parsed.map((input) => input.role).join(', ') || 'none'}; expected one input of features and one with "role": "label".`,
    );
  parsed.forEach((input, i) => {
    if (input.role === 'label')
      values.defineLabels(input.id, input.shape, `inputs[${i}].id`, `inputs[${i}].shape`);
    else values.define(input.id, input.shape, `inputs[${i}].id`, `inputs[${i}].shape`);
  });
  return { features, label };
}

function parseInput(fields: Fields): InputIr {
  const id = fields.id('id');
  const shape = fields.shape('shape', true);
  const role = fields.oneOf('role', ['features', 'label'], 'features');
  if (role === 'features') {
    const dtype = fields.oneOf('dtype', ['f32'], 'f32');
    fields.end();
    if (shape.length < 2)
      throw new ModelError(
        'model-shape-mismatch',
        fields.at('shape'),
        'features need an axis behind the batch.',
      );
    return { id, shape, dtype, role };
  }
  const dtype = fields.oneOf('dtype', ['i32'], 'i32');
  const classes = fields.integer('classes', 2, maxClasses);
  fields.end();
  if (shape.length !== 1)
    throw new ModelError(
      'model-shape-mismatch',
      fields.at('shape'),
      'labels have the shape ["B"], one an example.',
    );
  return { id, shape, dtype, role, classes };
}
