import { ModelError } from './errors.ts';
import type { Fields } from './fields.ts';
import type { ClassesIr, LossIr, Shape, TargetsIr } from './schema.ts';
import { formatShape, sameShape } from './shapes.ts';
import type { ValueTable } from './values.ts';

const losses = ['softmaxCrossEntropy', 'binaryCrossEntropy', 'meanSquaredError', 'huber'] as const;

/** The loss: predictions that a node computes, against the labels. */
export function parseLoss(fields: Fields, values: ValueTable, label: ClassesIr | TargetsIr): LossIr {
  const op = fields.oneOf('op', losses);
  const ids = fields.ids('in', 2);
  const delta = op === 'huber' ? fields.positive('delta', 1) : undefined;
  fields.end();
  const [prediction, labels] = ids;
  if (ids.length !== 2)
    throw new ModelError(
      'model-wrong-arity',
      fields.at('in'),
      `${op} has ${ids.length} inputs; expected 2, predictions and labels.`,
    );
  const path = `${fields.at('in')}[0]`;
  const shape = values.use(prediction, path);
  if (labels !== label.id)
    throw new ModelError(
      'model-undefined-value',
      `${fields.at('in')}[1]`,
      `found "${labels}"; expected the label input "${label.id}".`,
    );
  if (values.vocabularyOf(prediction) !== undefined)
    throw new ModelError(
      'model-type-mismatch',
      path,
      `"${prediction}" holds ids of tokens; expected predictions that a node computes.`,
    );
  if (op === 'softmaxCrossEntropy') checkLogits(shape, label, path);
  else checkTargets(op, shape, label, path);
  const inputs = [prediction, labels] as const;
  return op === 'huber' ? { op, in: inputs, delta: delta! } : { op, in: inputs }; // read above for this loss
}

function checkLogits(shape: Shape, label: ClassesIr | TargetsIr, path: string): void {
  if (label.dtype !== 'i32')
    throw new ModelError(
      'model-type-mismatch',
      'loss.op',
      `softmaxCrossEntropy needs classes, but the labels "${label.id}" are values; give them "dtype": "i32" and "classes", or use another loss.`,
    );
  const places = shape.slice(0, -1);
  if (!sameShape(places, label.shape))
    throw new ModelError(
      'model-shape-mismatch',
      path,
      `logits have shape ${formatShape(shape)}; expected ${formatShape([...label.shape, label.classes])}, one logit a class for each label.`,
    );
  if (shape.at(-1) !== label.classes)
    throw new ModelError(
      'model-classes-mismatch',
      path,
      `logits have shape ${formatShape(shape)}, but the labels have ${label.classes} classes; make both equal.`,
    );
}

function checkTargets(op: string, shape: Shape, label: ClassesIr | TargetsIr, path: string): void {
  if (label.dtype !== 'f32')
    throw new ModelError(
      'model-type-mismatch',
      'loss.op',
      `${op} needs values to predict, but the labels "${label.id}" are classes; give them "dtype": "f32", or use softmaxCrossEntropy.`,
    );
  if (!sameShape(shape, label.shape))
    throw new ModelError(
      'model-shape-mismatch',
      path,
      `predictions have shape ${formatShape(shape)}, the labels ${formatShape(label.shape)}; make both equal.`,
    );
}
