import type { LineageStep } from '@starling/protocol/api';

/** A version in the line that leads to another, or several that are left out. */
export type LineageItem =
  | { readonly kind: 'version'; readonly step: LineageStep; readonly origin: Origin }
  | { readonly kind: 'gap'; readonly count: number; readonly first: number; readonly last: number };

export type Origin = 'start' | 'round' | 'job';

export function originOf({ version, origin }: LineageStep): Origin {
  return version.job !== null ? 'job' : origin === null ? 'start' : 'round';
}

/**
 * The line from the first ancestor to the version itself. In a long run of device rounds only the ends stay, and those that are
 * `marked`: jobs, beginnings and the ends of the line always do.
 */
export function lineageItems(
  steps: readonly LineageStep[],
  { whole, marked, keep = 2 }: { whole: boolean; marked: ReadonlySet<string>; keep?: number },
): LineageItem[] {
  const line = [...steps].reverse().map((step): LineageItem & { kind: 'version' } => ({
    kind: 'version',
    step,
    origin: originOf(step),
  }));
  if (whole) return line;
  const stays = line.map(
    ({ step, origin }, index) =>
      origin !== 'round' || marked.has(step.version.id) || index === 0 || index === line.length - 1,
  );
  const near = line.map((_, index) => stays.slice(Math.max(0, index - keep), index + keep + 1).some(Boolean));
  const items: LineageItem[] = [];
  for (let index = 0; index < line.length;) {
    let end = index;
    while (end < line.length && !near[end]) end++;
    const hidden = line.slice(index, end);
    if (hidden.length > 1) {
      items.push({
        kind: 'gap',
        count: hidden.length,
        first: hidden[0]?.step.version.number ?? 0,
        last: hidden.at(-1)?.step.version.number ?? 0,
      });
    } else items.push(...hidden);
    const shown = line[end];
    if (shown) items.push(shown);
    index = end + 1;
  }
  return items;
}

export interface Place {
  readonly row: number;
  readonly column: number;
}

/** Places of a line that turns at the end of each row, so that neighbours stay neighbours: 0 1 2 / 5 4 3 / 6 … */
export function snake(count: number, columns: number): Place[] {
  return Array.from({ length: count }, (_, index) => {
    const row = Math.floor(index / columns);
    const along = index % columns;
    return { row, column: row % 2 === 0 ? along : columns - 1 - along };
  });
}
