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
export function parseNode(fields: Fields, values: ValueTable): { ir: NodeIr; operation: BoundOperation } {
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
  const shape = infer(op, operation, bound, shapes, fields);
  values.define(out, shape, fields.at('out'), fields.path);
  return { ir: { op, in: inputs, out, attrs: bound.attributes }, operation: bound };
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
