import { sigmoid, tanh } from '../../numeric.ts';
import type { CallShapes } from '../backend.ts';
import type { Kernels } from './binder.ts';
import { multiplyMatrices } from './matmul.ts';

/** Floats of the gates of one step before their activations. */
export function lstmScratch({ inputs: [[, batch, width]] }: CallShapes): number {
  return batch * width;
}

/** Floats of the cotangents of h and c of one step. */
export function lstmGradientScratch({ inputs: [[, batch, hidden]] }: CallShapes): number {
  return 2 * batch * hidden;
}

/** States lie one after the other: h, c, i, f, g, o, each [T,B,H]. */
export const sequences: Kernels<'lstm' | 'lstmGradient'> = {
  lstm({ inputs: [gates, wh], output: y, scratch }, floats) {
    const [, steps, batch, hidden] = y.shape;
    const width = 4 * hidden;
    const step = batch * hidden;
    const state = steps * step;
    return () => {
      for (let t = 0; t < steps; t++) {
        const own = gates.offset + t * batch * width;
        floats.copyWithin(scratch.offset, own, own + batch * width);
        const before = y.offset + (t - 1) * step;
        if (t > 0)
          // prettier-ignore
          multiplyMatrices(floats, batch, width, hidden, before, hidden, 1, wh.offset, width, 1, scratch.offset, width, true);
        for (let b = 0, at = y.offset + t * step; b < batch; b++)
          for (let j = 0, z = scratch.offset + b * width; j < hidden; j++, at++, z++) {
            const i = sigmoid(floats[z]);
            const f = sigmoid(floats[z + hidden]);
            const g = tanh(floats[z + 2 * hidden]);
            const o = sigmoid(floats[z + 3 * hidden]);
            const c = t > 0 ? f * floats[at + state - step] + i * g : i * g;
            floats[at] = o * tanh(c);
            floats[at + state] = c;
            floats[at + 2 * state] = i;
            floats[at + 3 * state] = f;
            floats[at + 4 * state] = g;
            floats[at + 5 * state] = o;
          }
      }
    };
  },

  /** Backpropagation through time (Werbos 1990). */
  lstmGradient({ inputs: [d, wh, states], output: y, scratch }, floats) {
    const [steps, batch, width] = y.shape;
    const hidden = width / 4;
    const step = batch * hidden;
    const state = steps * step;
    const [dh, dc] = [scratch.offset, scratch.offset + step];
    return () => {
      floats.fill(0, dc, dc + step);
      for (let t = steps - 1; t >= 0; t--) {
        const own = d.offset + t * step;
        floats.copyWithin(dh, own, own + step);
        const later = y.offset + (t + 1) * batch * width;
        if (t < steps - 1)
          // prettier-ignore
          multiplyMatrices(floats, batch, hidden, width, later, width, 1, wh.offset, 1, width, dh, hidden, true);
        for (let b = 0, k = 0, at = states.offset + t * step; b < batch; b++)
          for (let j = 0, z = y.offset + (t * batch + b) * width; j < hidden; j++, k++, at++, z++) {
            const c = tanh(floats[at + state]);
            const i = floats[at + 2 * state];
            const f = floats[at + 3 * state];
            const g = floats[at + 4 * state];
            const o = floats[at + 5 * state];
            const h = floats[dh + k];
            const cell = floats[dc + k] + h * o * (1 - c * c);
            floats[z] = cell * g * i * (1 - i);
            floats[z + hidden] = t > 0 ? cell * floats[at + state - step] * f * (1 - f) : 0;
            floats[z + 2 * hidden] = cell * i * (1 - g * g);
            floats[z + 3 * hidden] = h * c * o * (1 - o);
            floats[dc + k] = cell * f;
          }
      }
    };
  },
};
