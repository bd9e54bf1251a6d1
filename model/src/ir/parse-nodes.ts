import type { BoundOperation, Operation } from '../ops/operation.ts';
import { operations } from '../ops/index.ts';
import { ModelError } from './errors.ts';
import type { Fields } from './fields.ts';
import type { NodeIr, Shape } from './schema.ts';
import { formatShape, ShapeMismatch } from './shapes.ts';
import type { ValueTable } from './values.ts';

/** Inputs a node of any opset has at most. */
const maxInputs = 16;

/** Reads one node, checks that its inputs fit, and defines its output. */
export function parseNode(
  fields: Fields,
  values: ValueTable,
): {
  readonly ir: NodeIr;
  readonly operation: BoundOperation;
  readonly shape: Shape;
  readonly mixes: boolean;
} {
  const op = fields.take('op');
  const operation = typeof op === 'string' ? operations.get(op) : undefined;
  if (typeof op !== 'string' || !operation)
    throw new ModelError(
      'model-unknown-op',
      fields.at('op'),
      `${typeof op === 'string' ? JSON.stringify(op.slice(0, 64)) : 'this'} is no op of opset 1; expected one of ${[...operations.keys()].join(', ')}.`,
    );
  const inputs = fields.ids('in', maxInputs);
  const out = fields.id('out');
  const attributes = fields.has('attrs') ? fields.object('attrs') : fields.nothing('attrs');
  const bound = operation.bind(attributes);
  attributes.end();
  fields.end();
  checkArity(op, operation, inputs.length, fields.at('in'));
  const shapes = inputs.map((id, i) => values.use(id, `${fields.at('in')}[${i}]`));
  checkTokens(op, operation, inputs, values, fields);
  const shape = infer(op, operation, bound, shapes, fields);
  checkVocabulary(op, inputs, shapes, values, fields);
  const inside = bound.cost?.(shapes, shape) ?? {};
  values.defineOutput(out, shape, fields.at('out'), fields.path, inside);
  return {
    ir: { op, in: inputs, out, attrs: bound.attributes },
    operation: bound,
    shape,
    mixes: operation.mixesRows === true,
  };
}

function checkArity(op: string, { inputs, optional }: Operation, found: number, path: string): void {
  const least = inputs.length - optional;
  if (found >= least && found <= inputs.length) return;
  const wanted = least === inputs.length ? `${least}` : `${least} to ${inputs.length}`;
  throw new ModelError(
    'model-wrong-arity',
    path,
    `${op} has ${found} inputs; expected ${wanted} (${inputs.join(', ')}).`,
  );
}

/** Ids are no numbers to compute with, and numbers are no ids. */
function checkTokens(
  op: string,
  { takesTokens = false }: Operation,
  inputs: readonly string[],
  values: ValueTable,
  fields: Fields,
): void {
  inputs.forEach((id, i) => {
    const found = values.vocabularyOf(id) !== undefined;
    const wanted = takesTokens && i === 0;
    if (found === wanted) return;
    throw new ModelError(
      'model-type-mismatch',
      `${fields.at('in')}[${i}]`,
      found
        ? `"${id}" holds ids of tokens, with which ${op} cannot compute; look them up by an embedding.`
        : `${op} looks up ids of tokens, but "${id}" holds numbers; name the input of "dtype": "i32".`,
    );
  });
}

/** Every id has a row in the table, so that no kernel looks beyond it. */
function checkVocabulary(
  op: string,
  inputs: readonly string[],
  shapes: readonly Shape[],
  values: ValueTable,
  fields: Fields,
): void {
  const vocabulary = values.vocabularyOf(inputs[0]);
  const rows = shapes.at(1)?.[0];
  if (vocabulary === undefined || rows === vocabulary) return;
  throw new ModelError(
    'model-shape-mismatch',
    fields.path,
    `${op} has a table of ${rows ?? 0} rows for a vocabulary of ${vocabulary}; expected as many.`,
  );
}

function infer(
  op: string,
  operation: Operation,
  bound: BoundOperation,
  shapes: readonly Shape[],
  fields: Fields,
): Shape {
  try {
    return bound.infer(shapes);
  } catch (error) {
    if (!(error instanceof ShapeMismatch)) throw error;
    const found = shapes.map((shape, i) => `${operation.inputs[i]} ${formatShape(shape)}`).join(', ');
    throw new ModelError('model-shape-mismatch', fields.path, `${op} of ${found}: ${error.message}`);
  }
}
