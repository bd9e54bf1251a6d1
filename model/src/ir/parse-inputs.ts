import { ModelError } from './errors.ts';
import type { Fields } from './fields.ts';
import type { ClassesIr, FeaturesIr, InputIr, Shape, TargetsIr, TokensIr } from './schema.ts';
import type { ValueTable } from './values.ts';

/** As many as labels of 16 bits can name. */
const maxClasses = 2 ** 16;
/** Every id is exact in float32. */
const maxVocabulary = 2 ** 24;

/** One input of features and one of labels, in any order. Labels are no value that a node may use. */
export function parseInputs(
  inputs: readonly Fields[],
  values: ValueTable,
): { features: FeaturesIr | TokensIr; label: ClassesIr | TargetsIr } {
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
    const [path, shapePath] = [`inputs[${i}].id`, `inputs[${i}].shape`];
    if (input.role === 'label') values.defineLabels(input.id, input.shape, path, shapePath);
    else if (input.dtype === 'i32')
      values.defineTokens(input.id, input.vocabulary, input.shape, path, shapePath);
    else values.define(input.id, input.shape, path, shapePath);
  });
  return { features, label };
}

/** One input, of either role. */
export function parseInput(fields: Fields): InputIr {
  const id = fields.id('id');
  const shape = fields.shape('shape', true);
  const role = fields.oneOf('role', ['features', 'label'], 'features');
  const input = role === 'features' ? parseFeatures(fields, id, shape) : parseLabel(fields, id, shape);
  fields.end();
  return input;
}

function parseFeatures(fields: Fields, id: string, shape: Shape): FeaturesIr | TokensIr {
  const dtype = fields.oneOf('dtype', ['f32', 'i32'], 'f32');
  if (shape.length < 2)
    throw new ModelError(
      'model-shape-mismatch',
      fields.at('shape'),
      'features need an axis behind the batch.',
    );
  if (dtype === 'f32') return { id, shape, dtype, role: 'features' };
  return { id, shape, dtype, role: 'features', vocabulary: fields.integer('vocabulary', 1, maxVocabulary) };
}

function parseLabel(fields: Fields, id: string, shape: Shape): ClassesIr | TargetsIr {
  const dtype = fields.oneOf('dtype', ['i32', 'f32'], 'i32');
  if (dtype === 'f32') return { id, shape, dtype, role: 'label' };
  return { id, shape, dtype, role: 'label', classes: fields.integer('classes', 2, maxClasses) };
}
