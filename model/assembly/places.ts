import { copy, fill, storePart } from './lanes';

/** `many` runs of `run` floats, from places `fromStep` floats apart to places `toStep` floats apart. */
export function copyRuns(
  from: usize,
  to: usize,
  many: usize,
  run: usize,
  fromStep: usize,
  toStep: usize,
): void {
  for (; many > 0; many--, from += fromStep << 2, to += toStep << 2) copy(to, from, run);
}

/** Runs of `run` floats with zeros before and after each. */
export function pad(from: usize, to: usize, many: usize, before: usize, run: usize, after: usize): void {
  for (; many > 0; many--) {
    fill(to, before, 0);
    to += before << 2;
    copy(to, from, run);
    from += run << 2;
    to += run << 2;
    fill(to, after, 0);
    to += after << 2;
  }
}

/**
 * Writes [n4, n3, n2, n1, n0] one after the other from an array whose axes lie s4, …, s0 floats apart. Runs where the last
 * axis stays in place, blocks of 4 x 4 where the last two change places, single values elsewhere.
 */
export function permute(
  from: usize,
  to: usize,
  n4: usize,
  n3: usize,
  n2: usize,
  n1: usize,
  n0: usize,
  s4: usize,
  s3: usize,
  s2: usize,
  s1: usize,
  s0: usize,
): void {
  const size = (n1 * n0) << 2;
  for (let i: usize = 0; i < n4; i++)
    for (let j: usize = 0; j < n3; j++)
      for (let k: usize = 0; k < n2; k++, to += size) {
        const start = from + ((i * s4 + j * s3 + k * s2) << 2);
        if (s0 === 1) copyRuns(start, to, n1, n0, s1, n0);
        else if (s1 === 1) transpose(start, to, n1, n0, s0);
        else {
          let place = to;
          for (let h: usize = 0; h < n1; h++) {
            let at = start + ((h * s1) << 2);
            for (let w: usize = 0; w < n0; w++, place += 4, at += s0 << 2) store<f32>(place, load<f32>(at));
          }
        }
      }
}

/** to[h, w] = from[w, h], rows of `from` being `step` floats apart. */
function transpose(from: usize, to: usize, height: usize, width: usize, step: usize): void {
  const fromRow = step << 2;
  const toRow = width << 2;
  for (let w: usize = 0; w < width; w += 4) {
    const columns = width - w;
    const r0 = from + w * fromRow;
    const r1 = columns > 1 ? r0 + fromRow : r0;
    const r2 = columns > 2 ? r1 + fromRow : r0;
    const r3 = columns > 3 ? r2 + fromRow : r0;
    let place = to + (w << 2);
    for (let h: usize = 0; h < height; h += 4) {
      const at = h << 2;
      const a0 = v128.load(r0 + at);
      const a1 = v128.load(r1 + at);
      const a2 = v128.load(r2 + at);
      const a3 = v128.load(r3 + at);
      const low01 = v128.shuffle<f32>(a0, a1, 0, 4, 1, 5);
      const high01 = v128.shuffle<f32>(a0, a1, 2, 6, 3, 7);
      const low23 = v128.shuffle<f32>(a2, a3, 0, 4, 1, 5);
      const high23 = v128.shuffle<f32>(a2, a3, 2, 6, 3, 7);
      const left = height - h;
      put(place, v128.shuffle<f32>(low01, low23, 0, 1, 4, 5), columns);
      if (left === 1) break;
      put(place + toRow, v128.shuffle<f32>(low01, low23, 2, 3, 6, 7), columns);
      if (left === 2) break;
      put(place + 2 * toRow, v128.shuffle<f32>(high01, high23, 0, 1, 4, 5), columns);
      if (left === 3) break;
      put(place + 3 * toRow, v128.shuffle<f32>(high01, high23, 2, 3, 6, 7), columns);
      place += 4 * toRow;
    }
  }
}

function put(place: usize, value: v128, columns: usize): void {
  if (columns >= 4) v128.store(place, value);
  else storePart(place, value, columns);
}

export function takeRows(table: usize, index: usize, y: usize, rows: usize, columns: usize): void {
  const step = columns << 2;
  for (; rows > 0; rows--, index += 4, y += step) copy(y, table + usize(load<f32>(index)) * step, columns);
}

/** Adds rows of d where the index says; `size` are the floats of y. */
export function addRowsAt(d: usize, index: usize, y: usize, rows: usize, columns: usize, size: usize): void {
  fill(y, size, 0);
  for (; rows > 0; rows--, index += 4) {
    let to = y + usize(load<f32>(index)) * (columns << 2);
    let left = columns;
    for (; left >= 4; left -= 4, d += 16, to += 16) v128.store(to, f32x4.add(v128.load(to), v128.load(d)));
    if (left === 0) continue;
    storePart(to, f32x4.add(v128.load(to), v128.load(d)), left);
    d += left << 2;
  }
}
