import { copy, fill } from './lanes';

/** Copies `many` images [height, width * channels] into the middle of zeros: `top` rows above, `left` floats before. */
export function padImages(
  from: usize,
  many: usize,
  height: usize,
  row: usize,
  to: usize,
  paddedHeight: usize,
  paddedRow: usize,
  top: usize,
  left: usize,
): void {
  const before = top * paddedRow + left;
  const between = paddedRow - row;
  const after = (paddedHeight - top - height) * paddedRow - left + between;
  for (; many > 0; many--) {
    fill(to, before, 0);
    to += before << 2;
    for (let h: usize = 0; h < height; h++) {
      copy(to, from, row);
      from += row << 2;
      to += row << 2;
      const gap = h + 1 < height ? between : after;
      fill(to, gap, 0);
      to += gap << 2;
    }
  }
}
