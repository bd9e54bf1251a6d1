/** Bytes of one row of a panel: panels are 8 columns wide, filled up with zeros. */
export const panelRow: usize = 32;

/**
 * Packs [inner, columns], rows `step` bytes apart, into panels of 8 columns that are `panelStep` bytes apart. Reads whole
 * rows, two at a time: panels are written by cache lines, and rows of large matrices are read as they come from memory.
 */
export function pack(
  from: usize,
  step: usize,
  inner: usize,
  columns: usize,
  to: usize,
  panelStep: usize,
): void {
  const whole = columns & ~7;
  const rest = columns & 7;
  let k: usize = 0;
  for (; k + 2 <= inner; k += 2) {
    let first = from + k * step;
    let place = to + (k << 5);
    for (let j: usize = 0; j < whole; j += 8) {
      const second = first + step;
      v128.store(place, v128.load(first));
      v128.store(place, v128.load(first, 16), 16);
      v128.store(place, v128.load(second), 32);
      v128.store(place, v128.load(second, 16), 48);
      first += 32;
      place += panelStep;
    }
    if (rest > 0) {
      packRest(first, rest, place);
      packRest(first + step, rest, place + 32);
    }
  }
  if (k < inner) {
    let first = from + k * step;
    let place = to + (k << 5);
    for (let j: usize = 0; j < whole; j += 8) {
      v128.store(place, v128.load(first));
      v128.store(place, v128.load(first, 16), 16);
      first += 32;
      place += panelStep;
    }
    if (rest > 0) packRest(first, rest, place);
  }
}

function packRest(from: usize, many: usize, to: usize): void {
  v128.store(to, f32x4.splat(0), 16);
  if (many >= 4) {
    v128.store(to, v128.load(from));
    from += 16;
    to += 16;
    many -= 4;
  }
  v128.store(to, v128.and(v128.load(from), i32x4.gt_s(i32x4.splat(i32(many)), i32x4(0, 1, 2, 3))));
}

/** Packs the transpose of [columns, inner], rows `step` bytes apart, as {@link pack} does. */
export function packTransposed(
  from: usize,
  step: usize,
  inner: usize,
  columns: usize,
  to: usize,
  panelStep: usize,
): void {
  for (; columns >= 8; columns -= 8) {
    transposeFour(from, step, inner, to, 4);
    transposeFour(from + 4 * step, step, inner, to + 16, 4);
    from += 8 * step;
    to += panelStep;
  }
  if (columns === 0) return;
  transposeFour(from, step, inner, to, min<usize>(columns, 4));
  transposeFour(from + 4 * step, step, inner, to + 16, columns > 4 ? columns - 4 : 0);
}

/** Up to four rows become lanes 0 to 3 of rows of a panel; rows that are not there become zeros. */
function transposeFour(from: usize, step: usize, inner: usize, to: usize, many: usize): void {
  const zero = f32x4.splat(0);
  const second = from + step;
  const third = second + step;
  const fourth = third + step;
  for (let k: usize = 0; k < inner; k += 4) {
    const at = k << 2;
    const r0 = many > 0 ? v128.load(from + at) : zero;
    const r1 = many > 1 ? v128.load(second + at) : zero;
    const r2 = many > 2 ? v128.load(third + at) : zero;
    const r3 = many > 3 ? v128.load(fourth + at) : zero;
    const low01 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5);
    const high01 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7);
    const low23 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
    const high23 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
    const left = inner - k;
    v128.store(to, v128.shuffle<f32>(low01, low23, 0, 1, 4, 5));
    if (left === 1) return;
    v128.store(to, v128.shuffle<f32>(low01, low23, 2, 3, 6, 7), 32);
    if (left === 2) return;
    v128.store(to, v128.shuffle<f32>(high01, high23, 0, 1, 4, 5), 64);
    if (left === 3) return;
    v128.store(to, v128.shuffle<f32>(high01, high23, 2, 3, 6, 7), 96);
    to += 128;
  }
}
