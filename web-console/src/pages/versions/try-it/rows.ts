/** Rows that a person gave: values, and their class where they named one. */
export interface GivenRows {
  readonly x: readonly Float32Array[];
  readonly labels: readonly (number | null)[];
}

export type RowsFault =
  | { readonly kind: 'empty' }
  | { readonly kind: 'not-a-number'; readonly line: number; readonly text: string }
  | { readonly kind: 'wrong-length'; readonly line: number; readonly found: number; readonly wanted: number }
  | { readonly kind: 'no-class'; readonly line: number; readonly found: number; readonly classes: number };

/** What was given are no rows of the model. */
export class RowsProblem extends Error {
  override readonly name = 'RowsProblem';
  readonly fault: RowsFault;
  constructor(fault: RowsFault) {
    super(fault.kind);
    this.fault = fault;
  }
}

/** Most rows that are read of one file. */
const mostRows = 5000;

/**
 * Reads rows of `size` values: JSON (a list of numbers, a list of lists, or {x, y}), or numbers with commas, tabs,
 * spaces or semicolons between, a row a line. A row with one value more ends with its class; a first line without numbers
 * is a heading. Numbers over several lines may be one row. Throws {@link RowsProblem}.
 */
export function readRows(text: string, { size, classes }: { size: number; classes: number }): GivenRows {
  const lines = /^\s*[[{]/.test(text) ? linesOfJson(text, size) : linesOfText(text);
  const all = lines.flat();
  if (all.length === 0) throw new RowsProblem({ kind: 'empty' });
  const labelled = lines.every((line) => line.length === size + 1);
  if (!labelled && !lines.every((line) => line.length === size)) {
    if (all.length === size) return { x: [Float32Array.from(all)], labels: [null] };
    const wrong = lines.findIndex((line) => line.length !== size && line.length !== size + 1);
    const line = wrong === -1 ? lines.findIndex(({ length }) => length === size) : wrong;
    throw new RowsProblem({
      kind: 'wrong-length',
      line: line + 1,
      found: lines[line]?.length ?? 0,
      wanted: size,
    });
  }
  const kept = lines.slice(0, mostRows);
  return {
    x: kept.map((line) => Float32Array.from(line.slice(0, size))),
    labels: kept.map((line, index) => (labelled ? classAt(line[size] ?? -1, index + 1, classes) : null)),
  };
}

function classAt(found: number, line: number, classes: number): number {
  if (!Number.isInteger(found) || found < 0 || found >= classes) {
    throw new RowsProblem({ kind: 'no-class', line, found, classes });
  }
  return found;
}

function linesOfText(text: string): number[][] {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  const cells = lines.map((line) =>
    line
      .trim()
      .split(/[\s,;]+/)
      .filter((cell) => cell !== ''),
  );
  const heading = cells.length > 1 && cells[0]?.every((cell) => Number.isNaN(Number(cell))) === true;
  return cells
    .slice(heading ? 1 : 0)
    .map((line, index) => line.map((cell) => numberIn(cell, index + (heading ? 2 : 1))));
}

function linesOfJson(text: string, size: number): number[][] {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new RowsProblem({ kind: 'not-a-number', line: 1, text: text.trim().slice(0, 24) });
  }
  const { x, y } = Array.isArray(json) ? { x: json, y: undefined } : (json as { x?: unknown; y?: unknown });
  const rows = rowsIn(x, size);
  if (y === undefined) return rows;
  const labels = Array.isArray(y) ? (y as unknown[]) : [];
  return rows.map((row, index) => [...row, numberIn(labels[index], index + 1)]);
}

/** Rows of a list of lists (of lists), or of one list of numbers in which they stand one behind another. */
function rowsIn(x: unknown, size: number): number[][] {
  if (!Array.isArray(x)) return [];
  const nested = x.some(Array.isArray);
  const flat = (list: unknown[], line: number) => list.flat(Infinity).map((value) => numberIn(value, line));
  if (nested) {
    const lines = x.map((row: unknown, index) => flat([row], index + 1));
    return lines.every(({ length }) => length === size || length === size + 1) ? lines : [lines.flat()];
  }
  const values = flat(x, 1);
  if (values.length % size !== 0) return [values];
  return Array.from({ length: values.length / size }, (_, row) => values.slice(row * size, (row + 1) * size));
}

function numberIn(cell: unknown, line: number): number {
  const value = typeof cell === 'number' ? cell : typeof cell === 'string' ? Number(cell) : Number.NaN;
  if (!Number.isFinite(value)) {
    throw new RowsProblem({ kind: 'not-a-number', line, text: String(cell).slice(0, 24) });
  }
  return value;
}
