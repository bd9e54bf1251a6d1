import { ratePrefix } from '../ir/parse-parameters.ts';
import type { Model, ModelParameter } from '../ir/model.ts';
import type { ParameterGroup } from '../ir/schema.ts';

/** A contiguous part of a flat vector, in values. */
export interface Range {
  readonly offset: number;
  readonly size: number;
}

export interface LayoutEntry extends Range {
  readonly name: string;
  readonly shape: readonly number[];
  readonly role: 'weight' | 'rate' | 'statistic';
  readonly share: 'global' | 'local';
  readonly group: ParameterGroup;
  /** Which moment a statistic holds; undefined for weights and rates. */
  readonly statistic: 'mean' | 'inverse-sd' | undefined;
}

/** Where each tensor of a model lies in its flat vector: all weights, then learned rates, then statistics. */
export interface ParameterLayout {
  readonly entries: readonly LayoutEntry[];
  readonly weights: Range;
  /** As large as the weights with learned rates, else empty. */
  readonly rates: Range;
  readonly statistics: Range;
  /** Weights and rates: what an update covers. */
  readonly learnable: Range;
  readonly size: number;
}

/** The values of a model: `values.length === layout.size`. */
export interface Params {
  readonly layout: ParameterLayout;
  readonly values: Float32Array;
}

/**
 * Lays a model's parameters out in one vector. With `learnedRates` every weight has a rate of its own, the tensor
 * `rate/<name>` (Meta-SGD, Li et al. 2017, section 3.1).
 */
export function layoutOf(model: Model, options: { readonly learnedRates?: boolean } = {}): ParameterLayout {
  const weights = model.parameters.filter((parameter) => parameter.statistic === undefined);
  const statistics = model.parameters.filter((parameter) => parameter.statistic !== undefined);
  const entries: LayoutEntry[] = [];
  let size = 0;
  const place = (parameters: readonly ModelParameter[], role: LayoutEntry['role']): Range => {
    const offset = size;
    for (const { id, shape, size: length, share, group, statistic } of parameters) {
      const name = role === 'rate' ? `${ratePrefix}${id}` : id;
      entries.push(Object.freeze({ name, shape, offset: size, size: length, role, share, group, statistic }));
      size += length;
    }
    return Object.freeze({ offset, size: size - offset });
  };
  const weightRange = place(weights, 'weight');
  const rateRange = place(options.learnedRates === true ? weights : [], 'rate');
  const statisticRange = place(statistics, 'statistic');
  return Object.freeze({
    entries: Object.freeze(entries),
    weights: weightRange,
    rates: rateRange,
    statistics: statisticRange,
    learnable: Object.freeze({ offset: 0, size: weightRange.size + rateRange.size }),
    size,
  });
}
