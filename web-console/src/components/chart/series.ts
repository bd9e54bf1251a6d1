/** One line of a chart; a value of `null` is a gap. `x` rises. */
export interface Series {
  readonly name: string;
  readonly x: readonly number[];
  readonly y: readonly (number | null)[];
  /** A colour of the theme, as CSS. */
  readonly colour: string;
  readonly dashed?: boolean;
  /** Fills between this line and the one with this index. */
  readonly fillTo?: number;
  readonly points?: boolean;
}

/** Series on the union of their places, as uPlot wants them: one row of x, then one of y for each. */
export function aligned(series: readonly Series[]): [number[], ...(number | null)[][]] {
  const x = [...new Set(series.flatMap((each) => each.x))].sort((a, b) => a - b);
  const rows = series.map((each) => {
    const at = new Map(each.x.map((place, index) => [place, each.y[index] ?? null]));
    return x.map((place) => at.get(place) ?? null);
  });
  return [x, ...rows];
}

/**
 * Exponential moving average without the pull of its start (the bias correction of Adam, arXiv:1412.6980, section 3).
 * `share` in [0, 1) is how much of the past stays at each point; 0 changes nothing. Gaps stay gaps.
 */
export function smoothed(y: readonly (number | null)[], share: number): (number | null)[] {
  let mean = 0;
  let weight = 0;
  return y.map((value) => {
    if (value === null) return null;
    mean = share * mean + (1 - share) * value;
    weight = share * weight + (1 - share);
    return mean / weight;
  });
}

/** What makes a spreadsheet compute a cell that begins with it; some take the signs of East Asian width for the others. */
const formula = /^(?=[=+\-@\t\r\n＝＋－＠])/;

/** Series as CSV (RFC 4180): a column of x, then one for each. A name that a spreadsheet would compute gets an apostrophe. */
export function csvOf(xName: string, series: readonly Series[]): string {
  const [x, ...rows] = aligned(series);
  const quoted = (text: string) => `"${text.replace(formula, "'").replaceAll('"', '""')}"`;
  const lines = x.map((place, index) => [place, ...rows.map((row) => row[index] ?? '')].join(','));
  return [[xName, ...series.map(({ name }) => name)].map(quoted).join(','), ...lines, ''].join('\r\n');
}

/** Distances between marks of an axis that counts: 1, 2 and 5 times the powers of ten. */
export const wholeSteps = Array.from({ length: 16 }, (_, power) =>
  [1, 2, 5].map((step) => step * 10 ** power),
).flat();

/** What is shown of an axis of shares: the lines with some room, within 0 to 1; all of it where they do not move. */
export function shareRange(least: number, most: number): [number, number] {
  if (!(least < most)) return [0, 1];
  const room = 0.1 * (most - least);
  return [Math.max(Math.min(0, least), least - room), Math.min(Math.max(1, most), most + room)];
}
