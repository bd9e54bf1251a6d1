import { dispatch, type Dispatch } from './dispatch.ts';
import { columnScratch, ofA, side, sumColumns } from './sums.ts';

/** A product of matrices that are read by functions: `a` is [rows, inner], `b` [inner, columns]; `many` of them. */
export interface Product {
  readonly many: number;
  readonly rows: number;
  readonly columns: number;
  readonly inner: number;
  /** `fn a(matrix: u32, row: u32, k: u32) -> f32` and `fn b(matrix: u32, k: u32, column: u32) -> f32`, inside of the matrices. */
  readonly readers: string;
  /** Along which axis neighbours of a and b lie side by side in memory. */
  readonly along: { readonly a: 'row' | 'inner'; readonly b: 'inner' | 'column' };
  /** What the readers know of the call. */
  readonly integers: Readonly<Record<string, number>>;
}

type Sizes = Pick<Product, 'many' | 'rows' | 'columns' | 'inner'>;

/** How a product is spread: each thread makes `down` x `across` results, and the inner axis is summed in `parts`. */
interface Spread {
  readonly down: number;
  readonly across: number;
  readonly parts: number;
}

/** With fewer workgroups parts of a GPU are idle: threads then take fewer results, and the inner axis is parted. */
const fewTiles = 32;
const wantedTiles = 128;
const leastSpan = 128;

function spreadOf(sizes: Sizes): Spread {
  const { many, rows, columns, inner } = sizes;
  let [down, across] = [patchOf(rows), patchOf(columns)];
  while (many * tilesOf(sizes, down, across) < fewTiles && down * across > 1)
    if (down >= across) down /= 2;
    else across /= 2;
  const tiles = tilesOf(sizes, down, across);
  const parts = Math.min(Math.floor(wantedTiles / tiles), Math.floor(inner / leastSpan));
  return { down, across, parts: many > 1 || parts < 2 ? 1 : parts };
}

/** Results of a thread along an axis: 4 or 2, whichever leaves fewer threads beyond its end; 1 where one tile is enough. */
function patchOf(length: number): number {
  if (length <= side) return 1;
  return Math.ceil(length / (4 * side)) * 2 > Math.ceil(length / (2 * side)) ? 2 : 4;
}

function tilesOf({ rows, columns }: Sizes, down: number, across: number): number {
  return Math.ceil(rows / (side * down)) * Math.ceil(columns / (side * across));
}

/** Floats of scratch for {@link multiply}: results of the parts of the inner axis. */
export function productScratch(sizes: Sizes): number {
  const { parts } = spreadOf(sizes);
  const size = sizes.rows * sizes.columns;
  return parts > 1 ? parts * size + columnScratch(parts, size) : 0;
}

/** Tiles go through workgroup memory, 16 of the inner axis at a time. */
export function multiply(product: Product, y: number, scratch: number): Dispatch[] {
  const spread = spreadOf(product);
  const { parts } = spread;
  if (parts === 1) return [tiled(product, y, spread)];
  const columns = product.rows * product.columns;
  return [
    tiled(product, scratch, spread),
    ...sumColumns(
      { rows: parts, columns, value: ofA, offsets: { a: scratch } },
      y,
      scratch + parts * columns,
    ),
  ];
}

function tiled(product: Product, y: number, { down, across, parts }: Spread): Dispatch {
  const { many, rows, columns, inner, readers, along, integers } = product;
  const [height, width] = [side * down, side * across];
  // Threads with neighbouring id.x read neighbours in memory.
  const [aRow, aInner] = along.a === 'inner' ? ['id.y', 'id.x'] : ['id.x', 'id.y'];
  const [bInner, bColumn] = along.b === 'column' ? ['id.y', 'id.x'] : ['id.x', 'id.y'];
  const [patchRows, patchColumns] = [upTo(down), upTo(across)];
  const patch = patchRows.flatMap((r) => patchColumns.map((c) => ({ r, c, sum: `sum${r}${c}` })));
  const lines = (list: readonly string[]) => list.join('\n    ');
  const body = `${readers}
var<workgroup> aTile: array<array<f32, ${side + 1}>, ${height}>;
var<workgroup> bTile: array<array<f32, ${width + 1}>, ${side}>;
@compute @workgroup_size(${side}, ${side})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_id) id: vec3u) {
  let tile = group.x + group.y * groups.x;
  let across = (call.columns + ${width - 1}u) / ${width}u;
  let down = (call.rows + ${height - 1}u) / ${height}u;
  let which = tile / (across * down);
  if (which >= call.many * call.parts) { return; }
  let matrix = which / call.parts;
  let firstRow = ((tile / across) % down) * ${height}u;
  let firstColumn = (tile % across) * ${width}u;
  let start = (which % call.parts) * call.span;
  let end = min(start + call.span, call.inner);
  ${patch.map(({ sum }) => `var ${sum} = 0.0;`).join(' ')}
  for (var first = start; first < end; first += ${side}u) {
    let aK = first + ${aInner};
    let bK = first + ${bInner};
    ${lines(patchRows.map((r) => `aTile[${aRow} + ${side * r}u][${aInner}] = aOr0(matrix, firstRow + ${aRow} + ${side * r}u, aK, end);`))}
    ${lines(patchColumns.map((c) => `bTile[${bInner}][${bColumn} + ${side * c}u] = bOr0(matrix, bK, firstColumn + ${bColumn} + ${side * c}u, end);`))}
    workgroupBarrier();
    for (var k = 0u; k < ${side}u; k++) {
      ${lines(patchRows.map((r) => `let a${r} = aTile[id.y + ${side * r}u][k];`))}
      ${lines(patchColumns.map((c) => `let b${c} = bTile[k][id.x + ${side * c}u];`))}
      ${lines(patch.map(({ r, c, sum }) => `${sum} += a${r} * b${c};`))}
    }
    workgroupBarrier();
  }
  ${lines(patch.map(({ r, c, sum }) => `put(which, firstRow + id.y + ${side * r}u, firstColumn + id.x + ${side * c}u, ${sum});`))}
}
${bounds}`;
  const tiles = many * parts * tilesOf(product, down, across);
  const span = Math.ceil(inner / parts);
  return dispatch(body, tiles, { integers: { y, many, rows, columns, inner, parts, span, ...integers } });
}

/** What lies beyond a matrix counts as 0, and is not written. */
const bounds = `fn aOr0(matrix: u32, row: u32, k: u32, end: u32) -> f32 {
  if (row >= call.rows || k >= end) { return 0.0; }
  return a(matrix, row, k);
}
fn bOr0(matrix: u32, k: u32, column: u32, end: u32) -> f32 {
  if (column >= call.columns || k >= end) { return 0.0; }
  return b(matrix, k, column);
}
fn put(which: u32, row: u32, column: u32, value: f32) {
  if (row < call.rows && column < call.columns) { arena[call.y + (which * call.rows + row) * call.columns + column] = value; }
}`;

function upTo(many: number): number[] {
  return Array.from({ length: many }, (_, i) => i);
}
