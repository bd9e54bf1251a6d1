import { Functions } from './functions';
import { fill, Lanes, storePart } from './lanes';
import { multiplyPanels } from './matmul';
import { pack, packTransposed, panelRow } from './pack';

function put(place: usize, value: v128, left: usize): void {
  if (left >= 4) v128.store(place, value);
  else storePart(place, value, left);
}

/**
 * An LSTM from zero states (Hochreiter and Schmidhuber 1997, with forget gates): gates [steps, batch, 4 hidden] without the
 * recurrent part, in the order i, f, g, o; states h, c, i, f, g, o, each [steps, batch, hidden]. The recurrent weights are
 * packed once for all steps.
 * @param packed - hidden * 8 * ceil(hidden / 2) floats.
 * @param recurrent - batch * 4 hidden floats.
 */
export function lstm(
  gates: usize,
  wh: usize,
  states: usize,
  steps: usize,
  batch: usize,
  hidden: usize,
  packed: usize,
  recurrent: usize,
): void {
  const width = hidden << 2;
  const row = hidden << 2;
  const step = batch * row;
  const state = steps * step;
  pack(wh, width << 2, hidden, width, packed, hidden << 5);
  fill(recurrent, batch * width, 0);
  for (let t: usize = 0; t < steps; t++) {
    const h = states + t * step;
    if (t > 0)
      multiplyPanels(
        batch,
        width,
        hidden,
        h - step,
        row,
        packed,
        panelRow,
        hidden << 5,
        recurrent,
        width << 2,
        false,
      );
    for (let b: usize = 0; b < batch; b++) {
      const own = gates + (t * batch + b) * (width << 2);
      const more = recurrent + b * (width << 2);
      for (let j: usize = 0; j < hidden; j += 4) {
        const x = own + (j << 2);
        const z = more + (j << 2);
        const i = Functions.gate(f32x4.add(v128.load(x), v128.load(z)));
        const f = Functions.gate(f32x4.add(v128.load(x + row), v128.load(z + row)));
        const g = Functions.tanh(f32x4.add(v128.load(x + 2 * row), v128.load(z + 2 * row)));
        const o = Functions.gate(f32x4.add(v128.load(x + 3 * row), v128.load(z + 3 * row)));
        const at = h + b * row + (j << 2);
        let c = f32x4.mul(i, g);
        if (t > 0) c = Lanes.multiplyAdd(f, v128.load(at + state - step), c);
        const left = hidden - j;
        put(at, f32x4.mul(o, Functions.tanh(c)), left);
        put(at + state, c, left);
        put(at + 2 * state, i, left);
        put(at + 3 * state, f, left);
        put(at + 4 * state, g, left);
        put(at + 5 * state, o, left);
      }
    }
  }
}

/**
 * Backpropagation through time (Werbos 1990): the cotangent of the gates from that of h and the saved states.
 * @param packed - 4 hidden * 8 * ceil(hidden / 8) floats.
 * @param carried - Twice batch * hidden floats: cotangents of h and c that come from the step after.
 */
export function lstmGradient(
  d: usize,
  wh: usize,
  states: usize,
  y: usize,
  steps: usize,
  batch: usize,
  hidden: usize,
  packed: usize,
  carried: usize,
): void {
  const width = hidden << 2;
  const row = hidden << 2;
  const step = batch * row;
  const state = steps * step;
  const one = f32x4.splat(1);
  // Packed a gate at a time: a panel and the rows of one gate stay in the first-level cache.
  const gateFloats = hidden * ((hidden + 7) & ~7);
  for (let gate: usize = 0; gate < 4; gate++)
    packTransposed(
      wh + gate * row,
      width << 2,
      hidden,
      hidden,
      packed + ((gate * gateFloats) << 2),
      hidden << 5,
    );
  fill(carried, 2 * batch * hidden, 0);
  for (let t = steps; t > 0; t--) {
    const now = t - 1;
    const out = y + now * batch * (width << 2);
    if (t < steps) {
      const later = out + batch * (width << 2);
      for (let gate: usize = 0; gate < 4; gate++) {
        const own = packed + ((gate * gateFloats) << 2);
        const from = later + gate * row;
        multiplyPanels(
          batch,
          hidden,
          hidden,
          from,
          width << 2,
          own,
          panelRow,
          hidden << 5,
          carried,
          row,
          gate > 0,
        );
      }
    }
    for (let b: usize = 0; b < batch; b++)
      for (let j: usize = 0; j < hidden; j += 4) {
        const inner = b * row + (j << 2);
        const at = states + now * step + inner;
        const left = hidden - j;
        const tc = Functions.tanh(v128.load(at + state));
        const i = v128.load(at + 2 * state);
        const f = v128.load(at + 3 * state);
        const g = v128.load(at + 4 * state);
        const o = v128.load(at + 5 * state);
        const dh = f32x4.add(v128.load(d + now * step + inner), v128.load(carried + inner));
        const bend = f32x4.sub(one, f32x4.mul(tc, tc));
        const dc = Lanes.multiplyAdd(f32x4.mul(dh, o), bend, v128.load(carried + step + inner));
        const to = out + b * (width << 2) + (j << 2);
        const ofI = f32x4.mul(f32x4.mul(dc, g), f32x4.mul(i, f32x4.sub(one, i)));
        let ofF = f32x4.splat(0);
        if (now > 0) {
          const before = v128.load(at + state - step);
          ofF = f32x4.mul(f32x4.mul(dc, before), f32x4.mul(f, f32x4.sub(one, f)));
        }
        const ofG = f32x4.mul(f32x4.mul(dc, i), f32x4.sub(one, f32x4.mul(g, g)));
        const ofO = f32x4.mul(f32x4.mul(dh, tc), f32x4.mul(o, f32x4.sub(one, o)));
        put(to, ofI, left);
        put(to + row, ofF, left);
        put(to + 2 * row, ofG, left);
        put(to + 3 * row, ofO, left);
        put(carried + step + inner, f32x4.mul(dc, f), left);
      }
  }
}
