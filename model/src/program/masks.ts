import type { Graph, Value } from '../graph/graph.ts';
import type { LoweringContext } from '../ops/operation.ts';
import type { Places } from '../plan/executable.ts';
import { stream } from '../random/streams.ts';

/** What an op may ask for while a model is run without training: nothing is dropped. */
export const inference: LoweringContext = {
  training: false,
  mask: () => {
    throw new TypeError('Nothing is masked outside of training.');
  },
};

/**
 * The masks of dropout (Srivastava et al. 2014, section 4): leaves of 0 with probability `rate`, else 1 / (1 - rate), drawn anew for each step from the
 * stream `dropout/<number of the mask>/<step>`, so that a run can be repeated anywhere.
 */
export class Masks {
  readonly context: LoweringContext;
  readonly #masks: { readonly leaf: Value; readonly rate: number }[] = [];

  constructor(graph: Graph) {
    this.context = {
      training: true,
      mask: (shape, rate) => {
        const leaf = graph.leaf(`mask-${this.#masks.length}`, shape);
        this.#masks.push({ leaf, rate });
        return leaf;
      },
    };
  }

  fill(executable: Places, seed: number, step: number): void {
    for (let i = 0; i < this.#masks.length; i++) {
      const { leaf, rate } = this.#masks[i];
      const place = executable.place(leaf);
      if (!place) continue;
      const random = stream(seed, `dropout/${i}/${step}`);
      for (let k = 0; k < place.length; k++) place[k] = random.nextFloat() < rate ? 0 : 1 / (1 - rate);
    }
  }
}
