import { pack, packTransposed, panelRow } from './pack';
import { nowhere, tileAcross, tileAlong, tileOfFour, tileOfTwo } from './tiles';

/** A block of b that is packed at once: 256 kB, half of a small second-level cache; wider where sums are short. */
const blockInner: usize = 256;
const blockFloats: usize = 65536;
/** With so few rows of a, packing b costs more than it saves: b is then read as it lies. */
const fewRows: usize = 12;
/** Rows of b that are read side by side then. */
const fewInner: usize = 64;
/** Rows of b that are a multiple of this many floats long fall on the same lines of a cache: they are packed after all. */
const sameSet: usize = 512;
/** Values of rows that are read along at once. */
const fewAlong: usize = 2048;
/** Rows of a that pass one panel before the next: 4 kB of panel and 64 kB of a stay in the caches. */
const blockRows: usize = 64;
/** With fewer terms in each sum, writing c is the larger part of the work: c is then written row by row. */
const shortInner: usize = 48;
const tileRows: usize = 4;

/**
 * c = a b for `many` pairs of matrices; a [rows, inner] or its transpose, b [inner, columns] or its transpose. Sums run over
 * 256 terms at a time, so that rounding grows with the square root of 256 and of the number of blocks, not with `inner`.
 * @param packed - A block of b: min(inner, 256) by min(columns, 65536 / min(inner, 256)), columns filled up to 8.
 */
export function matmul(
  many: usize,
  rows: usize,
  columns: usize,
  inner: usize,
  a: usize,
  transposeA: bool,
  b: usize,
  transposeB: bool,
  c: usize,
  packed: usize,
): void {
  for (; many > 0; many--) {
    multiply(rows, columns, inner, a, transposeA, b, transposeB, c, packed);
    a += (rows * inner) << 2;
    b += (inner * columns) << 2;
    c += (rows * columns) << 2;
  }
}

function multiply(
  rows: usize,
  columns: usize,
  inner: usize,
  a: usize,
  transposeA: bool,
  b: usize,
  transposeB: bool,
  c: usize,
  packed: usize,
): void {
  const aStep = (transposeA ? rows : inner) << 2;
  const bStep = (transposeB ? inner : columns) << 2;
  const cStep = columns << 2;
  if (rows <= fewRows && !transposeA) {
    if (transposeB) {
      multiplyAlong(rows, columns, inner, a, b, c);
      return;
    }
    if (columns % sameSet !== 0) {
      for (let k: usize = 0; k < inner; k += fewInner) {
        const terms = min(inner - k, fewInner);
        const own = b + k * bStep;
        multiplyPanels(rows, columns, terms, a + (k << 2), aStep, own, bStep, panelRow, c, cStep, k > 0);
      }
      return;
    }
  }
  const blockColumns = (blockFloats / min(inner, blockInner)) & ~7;
  for (let k: usize = 0; k < inner; k += blockInner) {
    const terms = min(inner - k, blockInner);
    const panel = terms << 5;
    const aBlock = transposeA ? a + k * aStep : a + (k << 2);
    for (let j: usize = 0; j < columns; j += blockColumns) {
      const wide = min(columns - j, blockColumns);
      if (transposeB) packTransposed(b + j * bStep + (k << 2), bStep, terms, wide, packed, panel);
      else pack(b + k * bStep + (j << 2), bStep, terms, wide, packed, panel);
      if (transposeA) multiplyAcross(rows, wide, terms, aBlock, aStep, packed, c + (j << 2), cStep, k > 0);
      else
        multiplyPanels(rows, wide, terms, aBlock, aStep, packed, panelRow, panel, c + (j << 2), cStep, k > 0);
    }
  }
}

/**
 * c (+)= a b; steps in bytes. Panels of 8 columns of b lie `panel` bytes apart, their rows `bStep`: 32 and 32 * inner where b
 * is packed, its own row and 32 where it is not.
 */
export function multiplyPanels(
  rows: usize,
  columns: usize,
  inner: usize,
  a: usize,
  aStep: usize,
  b: usize,
  bStep: usize,
  panel: usize,
  c: usize,
  cStep: usize,
  adds: bool,
): void {
  const block = inner < shortInner ? tileRows : blockRows;
  for (let i: usize = 0; i < rows; i += block) {
    const high = min(rows - i, block);
    const whole = high & ~3;
    for (let j: usize = 0; j < columns; j += 8) {
      const own = b + (j >> 3) * panel;
      const wide = min<usize>(columns - j, 8);
      let from = a + i * aStep;
      let to = c + i * cStep + (j << 2);
      for (let row: usize = 0; row < whole; row += 4) {
        const a1 = from + aStep;
        const a2 = a1 + aStep;
        const a3 = a2 + aStep;
        const c1 = to + cStep;
        const c2 = c1 + cStep;
        const c3 = c2 + cStep;
        tileOfFour(from, a1, a2, a3, 1, 0, inner, own, bStep, to, c1, c2, c3, wide, adds);
        from = a3 + aStep;
        to = c3 + cStep;
      }
      if (high - whole === 3) {
        const a1 = from + aStep;
        const c1 = to + cStep;
        const a2 = a1 + aStep;
        tileOfFour(from, a1, a2, from, 1, 0, inner, own, bStep, to, c1, c1 + cStep, nowhere, wide, adds);
      }
    }
    const rest = high - whole;
    if (rest === 0 || rest === 3) continue;
    const from = a + (i + whole) * aStep;
    const to = c + (i + whole) * cStep;
    if (rest === 1) multiplyTwo(from, from, columns, 1, 0, inner, b, bStep, panel, to, nowhere, adds);
    else multiplyTwo(from, from + aStep, columns, 1, 0, inner, b, bStep, panel, to, to + cStep, adds);
  }
}

/** One or two rows of c from all panels; rows of a are made of stretches as in {@link tileOfFour}. */
export function multiplyTwo(
  a0: usize,
  a1: usize,
  columns: usize,
  taps: usize,
  tapStep: usize,
  span: usize,
  b: usize,
  bStep: usize,
  panel: usize,
  c0: usize,
  c1: usize,
  adds: bool,
): void {
  let j: usize = 0;
  for (; columns - j > 8; j += 16) {
    const wide = min<usize>(columns - j, 16);
    tileOfTwo(a0, a1, taps, tapStep, span, b, bStep, panel, c0, c1, wide, adds);
    if (wide < 16) return;
    b += 2 * panel;
    c0 += 64;
    if (c1 !== nowhere) c1 += 64;
  }
  if (j === columns) return;
  tileOfFour(a0, a1, a0, a0, taps, tapStep, span, b, bStep, c0, c1, nowhere, nowhere, columns - j, adds);
}

/** c = a b^T, both read along their rows. */
function multiplyAlong(rows: usize, columns: usize, inner: usize, a: usize, b: usize, c: usize): void {
  const step = inner << 2;
  const cStep = columns << 2;
  for (let k: usize = 0; k < inner; k += fewAlong) {
    const span = min(inner - k, fewAlong);
    for (let j: usize = 0; j < columns; j += 4) {
      const wide = min<usize>(columns - j, 4);
      const b0 = b + j * step + (k << 2);
      const b1 = wide > 1 ? b0 + step : b0;
      const b2 = wide > 2 ? b1 + step : b0;
      const b3 = wide > 3 ? b2 + step : b0;
      for (let i: usize = 0; i < rows; i += 2) {
        const a0 = a + i * step + (k << 2);
        const c0 = c + i * cStep + (j << 2);
        const isPair = i + 1 < rows;
        const a1 = isPair ? a0 + step : a0;
        const c1 = isPair ? c0 + cStep : nowhere;
        tileAlong(a0, a1, b0, b1, b2, b3, span, c0, c1, wide, k > 0);
      }
    }
  }
}

function multiplyAcross(
  rows: usize,
  columns: usize,
  inner: usize,
  a: usize,
  aStep: usize,
  packed: usize,
  c: usize,
  cStep: usize,
  adds: bool,
): void {
  const block = inner < shortInner ? tileRows : blockRows;
  for (let i: usize = 0; i < rows; i += block) {
    const end = min(rows, i + block);
    for (let j: usize = 0; j < columns; j += 8) {
      const b = packed + j * (inner << 2);
      const wide = min<usize>(columns - j, 8);
      for (let row = i; row < end; row += 4)
        tileAcross(
          a + (row << 2),
          aStep,
          inner,
          0,
          1,
          0,
          1,
          b,
          c + row * cStep + (j << 2),
          cStep,
          min<usize>(end - row, 4),
          wide,
          adds,
        );
    }
  }
}
