import { ModelError } from './errors.ts';
import type { Fields } from './fields.ts';
import type { ModelParameter } from './model.ts';
import type { Initial, ParameterGroup, ParameterIr } from './schema.ts';
import { formatShape } from './shapes.ts';

/** The learned rates of parameter `p` are called `rate/p`, so no parameter may be called so. */
export const ratePrefix = 'rate/';

const kinds = [
  'zeros',
  'ones',
  'constant',
  'uniform',
  'glorotUniform',
  'heUniform',
  'normal',
  'inputMean',
  'inputInverseSd',
] as const;

export function parseParameter(fields: Fields): ParameterIr {
  const id = fields.id('id');
  if (id.startsWith(ratePrefix))
    throw new ModelError(
      'model-malformed',
      fields.at('id'),
      `"${id}" starts with "${ratePrefix}", which names learned rates; choose another id.`,
    );
  const shape = fields.shape('shape', false) as number[]; // without a batch every axis is a number
  const init = parseInitial(fields.object('init'));
  const share = fields.oneOf('share', ['global', 'local'], 'global');
  const group = fields.oneOf('group', ['body', 'head'], 'body');
  fields.end();
  if ((init.kind === 'glorotUniform' || init.kind === 'heUniform') && shape.length < 2)
    throw new ModelError(
      'model-shape-mismatch',
      fields.at('init'),
      `"${init.kind}" needs inputs and outputs, but the shape is ${formatShape(shape)}; use "zeros" or "uniform" with a fan.`,
    );
  return { id, shape, init, share, group };
}

function parseInitial(fields: Fields): Initial {
  const kind = fields.oneOf('kind', kinds);
  let init: Initial;
  if (kind === 'constant') init = { kind, value: fields.finite('value') };
  else if (kind === 'uniform') init = { kind, fan: fields.positive('fan') };
  else if (kind === 'normal') init = { kind, deviation: fields.positive('deviation') };
  else init = { kind };
  fields.end();
  return init;
}

export function modelParameter(ir: ParameterIr, adapt: readonly ParameterGroup[]): ModelParameter {
  const statistic =
    ir.init.kind === 'inputMean' ? 'mean' : ir.init.kind === 'inputInverseSd' ? 'inverse-sd' : undefined;
  return Object.freeze({
    ...ir,
    size: ir.shape.reduce((size, axis) => size * axis, 1),
    statistic,
    adapts: statistic === undefined && adapt.includes(ir.group),
  });
}
