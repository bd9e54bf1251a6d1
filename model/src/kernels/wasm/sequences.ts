import { panels, placeOf, type Kernels } from './binder.ts';

export const sequences: Kernels<'lstm' | 'lstmGradient'> = {
  lstm: {
    scratch: ({ inputs: [[, batch, width]] }) => (width / 4) * panels(width) + batch * width,
    bind({ inputs: [gates, wh], output, scratch }, { lstm }) {
      const [, steps, batch, hidden] = output.shape;
      const [pg, pw, py, packed] = [placeOf(gates), placeOf(wh), placeOf(output), placeOf(scratch)];
      const recurrent = packed + hidden * panels(4 * hidden) * Float32Array.BYTES_PER_ELEMENT;
      return () => {
        lstm(pg, pw, py, steps, batch, hidden, packed, recurrent);
      };
    },
  },
  lstmGradient: {
    scratch: ({ inputs: [[, batch, hidden]] }) => 4 * hidden * panels(hidden) + 2 * batch * hidden,
    bind({ inputs: [d, wh, states], output, scratch }, { lstmGradient }) {
      const [steps, batch, hidden] = d.shape;
      const [pd, pw, ps, py] = [placeOf(d), placeOf(wh), placeOf(states), placeOf(output)];
      const packed = placeOf(scratch);
      const carried = packed + 4 * hidden * panels(hidden) * Float32Array.BYTES_PER_ELEMENT;
      return () => {
        lstmGradient(pd, pw, ps, py, steps, batch, hidden, packed, carried);
      };
    },
  },
};
