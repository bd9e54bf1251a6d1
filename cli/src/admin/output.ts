/** Answers for people: lists as tables, single things as lines of name and value. */

/** Columns of a table: names of members, with dots into members of members. */
export type Columns = readonly string[];

export function table(items: readonly object[], columns: Columns): string {
  const rows = [columns, ...items.map((item) => columns.map((column) => shown(memberOf(item, column))))];
  const widths = columns.map((_, index) => Math.max(...rows.map((row) => row[index]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, index) => cell.padEnd(widths[index] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

export function record(answer: object): string {
  const entries = Object.entries(answer);
  const width = Math.max(0, ...entries.map(([name]) => name.length));
  return entries.map(([name, value]) => `${name.padEnd(width)}  ${shown(value)}`).join('\n');
}

function memberOf(item: object, path: string): unknown {
  return path.split('.').reduce<unknown>((value, name) => {
    if (typeof value !== 'object' || value === null) return undefined;
    return (value as Record<string, unknown>)[name];
  }, item);
}

/** One line, without characters that a terminal would act on: names and labels come from others. */
export function shown(value: unknown): string {
  if (value === null || value === undefined) return '-';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  // eslint-disable-next-line no-control-regex -- control characters are what this keeps out
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, '?');
}
