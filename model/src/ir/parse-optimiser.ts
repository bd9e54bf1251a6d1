import { ModelError } from './errors.ts';
import type { Fields } from './fields.ts';
import type { OptimiserIr } from './schema.ts';

/** The recommended optimiser, with the defaults of torch.optim; the rate has none. */
export function parseOptimiser(fields: Fields): OptimiserIr {
  const kind = fields.oneOf('kind', ['sgd', 'adam', 'adamw']);
  const rate = fields.positive('rate');
  const weightDecay = fields.within('weightDecay', 0, Infinity, 0);
  const optimiser: OptimiserIr =
    kind === 'sgd'
      ? {
          kind,
          rate,
          momentum: fields.within('momentum', 0, 1, 0),
          weightDecay,
          nesterov: fields.boolean('nesterov', false),
        }
      : {
          kind,
          rate,
          beta1: fields.within('beta1', 0, 1, 0.9),
          beta2: fields.within('beta2', 0, 1, 0.999),
          epsilon: fields.positive('epsilon', 1e-8),
          weightDecay,
        };
  fields.end();
  if (optimiser.kind === 'sgd' && optimiser.nesterov && optimiser.momentum === 0)
    throw new ModelError(
      'model-malformed',
      fields.at('nesterov'),
      'looks ahead along the momentum, which is 0; give "momentum" a value, or leave "nesterov" out.',
    );
  return optimiser;
}
