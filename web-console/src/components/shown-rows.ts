/** Rows drawn beyond each edge, so that a small step of the wheel finds them there. */
const beyond = 12;

/**
 * Which of `rows` are drawn when `top` rows are above the edge and `height` fit, as a half-open range. It begins at multiples, so that
 * a small step draws nothing anew.
 */
export function shownRows(rows: number, top: number, height: number): { first: number; end: number } {
  const first = Math.max(0, Math.floor(top / beyond) * beyond - beyond);
  const end = Math.min(rows, Math.ceil((top + height) / beyond) * beyond + beyond);
  return { first: Math.min(first, rows), end: Math.max(end, 0) };
}
