import type { ModelLimits } from '../ir/limits.ts';
import type { ModelIr } from '../ir/schema.ts';
import { Draft } from './draft.ts';
import { inputs } from './inputs.ts';
import { layers } from './layers.ts';
import { outcomes } from './outcomes.ts';
import { transforms } from './transforms.ts';

/** Calls that write a model, one node a call. They hold no `this`, so they may be taken apart. */
export interface ModelBuilder
  extends
    ReturnType<typeof inputs>,
    ReturnType<typeof layers>,
    ReturnType<typeof transforms>,
    ReturnType<typeof outcomes> {
  /** The model as normalised IR: plain JSON. @throws ModelError When the loss is missing, or something is unused. */
  readonly build: () => ModelIr;
}

/**
 * Writes a model in the Unified Model IR. Shapes are inferred with each call, and parameters are named and initialised:
 *
 *     const m = modelBuilder('digits');
 *     const h = m.relu(m.conv2d(m.features([28, 28, 1]), { features: 8, kernel: [5, 5] }));
 *     m.classification(m.dense(m.flatten(h), { features: 10, group: 'head' }), { classes: 10 });
 *     const model = parseModel(m.build());
 *
 * Every call throws a ModelError where the parser would, with the path that the node or parameter would have; a
 * builder that has thrown is of no further use.
 * @param options - `limits`: replaces single limits of {@link defaultLimits}.
 */
export function modelBuilder(
  name: string,
  options: { readonly limits?: Partial<ModelLimits> } = {},
): ModelBuilder {
  const draft = new Draft(name, options.limits ?? {});
  return {
    ...inputs(draft),
    ...layers(draft),
    ...transforms(draft),
    ...outcomes(draft),
    build: () => draft.build(),
  };
}
