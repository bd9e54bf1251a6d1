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
        for (let b = 0; b < batch; b++) {
          const z = scratch.offset + b * width;
          const h = y.offset + t * step + b * hidden;
          const c = h + state;
          const i = h + 2 * state;
          const f = h + 3 * state;
          const g = h + 4 * state;
          const o = h + 5 * state;
          sigmoids(floats, i, z, hidden);
          sigmoids(floats, f, z + hidden, hidden);
          tanhs(floats, g, z + 2 * hidden, hidden);
          sigmoids(floats, o, z + 3 * hidden, hidden);
          for (let j = 0; j < hidden; j++) {
            const kept = t > 0 ? floats[f + j] * floats[c - step + j] : 0;
            floats[c + j] = kept + floats[i + j] * floats[g + j];
          }
          tanhs(floats, h, c, hidden);
          for (let j = 0; j < hidden; j++) floats[h + j] *= floats[o + j];
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

/** Loops of their own: where many of these functions meet in one, the engine stops inlining them and boxes results. */
function sigmoids(f: Float32Array, to: number, from: number, many: number): void {
  for (let i = 0; i < many; i++) f[to + i] = sigmoid(f[from + i]);
}

function tanhs(f: Float32Array, to: number, from: number, many: number): void {
  for (let i = 0; i < many; i++) f[to + i] = tanh(f[from + i]);
}
