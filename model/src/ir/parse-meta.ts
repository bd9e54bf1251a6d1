import { ModelError } from './errors.ts';
import type { Fields } from './fields.ts';
import type { MetaIr, ParameterGroup } from './schema.ts';

const maxInnerSteps = 20;

export function parseMeta(fields: Fields): MetaIr {
  const meta: MetaIr = {
    ...(fields.has('algorithm') && {
      algorithm: fields.oneOf('algorithm', ['fedavg', 'reptile', 'fomaml', 'maml', 'meta-sgd']),
    }),
    ...(fields.has('order') && { order: fields.oneOf('order', [1, 2]) }),
    ...(fields.has('innerSteps') && { innerSteps: fields.integer('innerSteps', 1, maxInnerSteps) }),
    ...(fields.has('innerRate') && { innerRate: parseInnerRate(fields) }),
    adapt: fields.has('adapt') ? parseAdapt(fields) : ['body', 'head'],
  };
  fields.end();
  return meta;
}

function parseInnerRate(fields: Fields): number | { learned: number } {
  if (typeof fields.take('innerRate') === 'number') return fields.positive('innerRate');
  const rate = fields.object('innerRate');
  const learned = rate.positive('learned');
  rate.end();
  return { learned };
}

function parseAdapt(fields: Fields): readonly ParameterGroup[] {
  const groups = fields.list('adapt', 2);
  const chosen = (['body', 'head'] as const).filter((group) => groups.includes(group));
  if (chosen.length === 0 || chosen.length !== groups.length)
    throw new ModelError(
      'model-malformed',
      fields.at('adapt'),
      'expected one or both of "body" and "head", each once.',
    );
  return chosen;
}
