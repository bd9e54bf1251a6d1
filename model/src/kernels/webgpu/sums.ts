import { dispatch, eachRow, type Dispatch } from './dispatch.ts';

/** Side of the square of threads that share tiles. */
export const side = 16;

/** Where a matrix of values that are summed lies: what one of them is, in WGSL, `i` counting row by row. */
export interface Summed {
  readonly rows: number;
  readonly columns: number;
  readonly value: string;
  readonly offsets: { readonly a: number; readonly b?: number };
}

export const ofA = 'arena[call.a + i]';
export const ofProducts = 'arena[call.a + i] * arena[call.b + i]';

/** More rows than this are summed in parts first, so that more than a few workgroups find work. */
const rowsOfPart = 512;
const mostParts = 64;
/** The same for sums over one long row. */
const valuesOfPart = 4096;

/** Floats of scratch for {@link sumColumns}. */
export function columnScratch(rows: number, columns: number): number {
  const parts = partsOf(rows, rowsOfPart);
  return parts > 1 ? parts * columns : 0;
}

/** Sums each column into `y`. */
export function sumColumns(
  { rows, columns, value, offsets }: Summed,
  y: number,
  scratch: number,
): Dispatch[] {
  const parts = partsOf(rows, rowsOfPart);
  if (parts === 1) return [columnParts({ rows, columns, value, offsets }, y, 1)];
  return [
    columnParts({ rows, columns, value, offsets }, scratch, parts),
    columnParts({ rows: parts, columns, value: ofA, offsets: { a: scratch } }, y, 1),
  ];
}

/** Floats of scratch for {@link sumAll}. */
export function totalScratch(size: number): number {
  const parts = partsOf(size, valuesOfPart);
  return parts > 1 ? parts : 0;
}

/** Sums all of `size` values into one. */
export function sumAll(
  size: number,
  value: string,
  offsets: Summed['offsets'],
  y: number,
  scratch: number,
): Dispatch[] {
  const parts = partsOf(size, valuesOfPart);
  const span = Math.ceil(size / parts);
  if (parts === 1) return [sumRows(1, span, size, value, offsets, y)];
  return [
    sumRows(parts, span, size, value, offsets, scratch),
    sumRows(1, parts, parts, ofA, { a: scratch }, y),
  ];
}

/** Sums each row of `columns` values into `y`; the last may be cut short by `size`. */
export function sumRows(
  rows: number,
  columns: number,
  size: number,
  value: string,
  offsets: Summed['offsets'],
  y: number,
): Dispatch {
  const steps = `let end = min((row + 1u) * call.columns, call.size);
  var own = 0.0;
  for (var i = row * call.columns + lane; i < end; i += 64u) { own += ${value}; }
  let sum = sumOfAll(own, lane);
  if (lane == 0u) { arena[call.y + row] = sum; }`;
  return eachRow(rows, { integers: { ...offsets, y, columns, size } }, steps);
}

/** Each workgroup takes 16 columns, its threads of one column every sixteenth row of a part. */
function columnParts({ rows, columns, value, offsets }: Summed, y: number, parts: number): Dispatch {
  const body = `var<workgroup> strands: array<array<f32, ${side}>, ${side}>;
@compute @workgroup_size(${side}, ${side})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_id) id: vec3u) {
  let tile = group.x + group.y * groups.x;
  let across = (call.columns + ${side - 1}u) / ${side}u;
  let part = tile / across;
  if (part >= call.parts) { return; }
  let column = (tile % across) * ${side}u + id.x;
  let end = min((part + 1u) * call.span, call.rows);
  var own = 0.0;
  if (column < call.columns) {
    for (var row = part * call.span + id.y; row < end; row += ${side}u) {
      let i = row * call.columns + column;
      own += ${value};
    }
  }
  strands[id.y][id.x] = own;
  workgroupBarrier();
  for (var half = ${side / 2}u; half > 0u; half /= 2u) {
    if (id.y < half) { strands[id.y][id.x] += strands[id.y + half][id.x]; }
    workgroupBarrier();
  }
  if (id.y == 0u && column < call.columns) { arena[call.y + part * call.columns + column] = strands[0][id.x]; }
}`;
  const span = Math.ceil(rows / parts);
  const integers = { ...offsets, y, rows, columns, parts, span };
  return dispatch(body, parts * Math.ceil(columns / side), { integers });
}

function partsOf(length: number, part: number): number {
  return length <= 2 * part ? 1 : Math.min(Math.ceil(length / part), mostParts);
}
