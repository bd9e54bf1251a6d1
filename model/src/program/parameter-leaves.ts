import type { Graph, Value } from '../graph/graph.ts';
import type { Model } from '../ir/model.ts';
import { layoutOf, type LayoutEntry, type ParameterLayout, type Params } from '../parameters/layout.ts';
import type { Places } from '../plan/executable.ts';
import { ParamsMismatch } from './errors.ts';

/** A leaf for each tensor of a layout, by its name. */
export class ParameterLeaves {
  readonly byName: ReadonlyMap<string, Value>;
  readonly #entries: readonly { readonly entry: LayoutEntry; readonly leaf: Value<'leaf'> }[];

  constructor(graph: Graph, layout: ParameterLayout) {
    this.#entries = layout.entries.map((entry) => ({ entry, leaf: graph.leaf(entry.name, entry.shape) }));
    this.byName = new Map(this.#entries.map(({ entry, leaf }) => [entry.name, leaf]));
  }

  /** Leaves of one role, in the order of the layout. */
  ofRole(role: LayoutEntry['role']): Value<'leaf'>[] {
    return this.#entries.filter(({ entry }) => entry.role === role).map(({ leaf }) => leaf);
  }

  /** Writes the values of parameters, which may carry rates that these leaves lack. */
  write(executable: Places, { layout, values }: Params): void {
    for (const { entry, leaf } of this.#entries) {
      const start = this.#startIn(layout, entry);
      executable.place(leaf)?.set(values.subarray(start, start + entry.size));
    }
  }

  /** Copies the weights, as a step left them, to where they lie in `values`. */
  readWeights(executable: Places, { layout, values }: Params): void {
    for (const { entry, leaf } of this.#entries) {
      const place = entry.role === 'weight' ? executable.place(leaf) : undefined;
      if (place) values.set(place, this.#startIn(layout, entry));
    }
  }

  #startIn(layout: ParameterLayout, { role, offset }: LayoutEntry): number {
    return layout[rangeOf[role]].offset - this.#start(role) + offset;
  }

  #start(role: LayoutEntry['role']): number {
    return this.#entries.find(({ entry }) => entry.role === role)!.entry.offset; // asked only for roles that occur
  }
}

const rangeOf = { weight: 'weights', rate: 'rates', statistic: 'statistics' } as const;

/** @throws ParamsMismatch When parameters belong to another model, or `rates` are needed and missing. */
export function checkParams(model: Model, { layout, values }: Params, rates: boolean): void {
  const wanted = layoutOf(model, { learnedRates: layout.rates.size > 0 });
  if (values.length !== layout.size || describe(layout) !== describe(wanted))
    throw new ParamsMismatch(
      `The parameters (${values.length} values) are not laid out for the model "${model.name}" (${wanted.size} values); use layoutOf or initialise with the same model.`,
    );
  if (rates && layout.rates.size === 0)
    throw new ParamsMismatch(
      'Learned rates were asked for, but the parameters carry none; use parameters of a Meta-SGD task, or a rate.',
    );
}

function describe(layout: ParameterLayout): string {
  return layout.entries.map(({ name, offset, size }) => `${name} ${offset} ${size}`).join();
}
