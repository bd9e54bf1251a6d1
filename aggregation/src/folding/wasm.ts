/** Folding by WebAssembly with vectors of 128 bits (aggregation/assembly), tile by tile. */
import { wasmExports } from '@starling/protocol';
import { negated, type Folding, type WeightedVector } from './folding.ts';
import { foldModule } from './generated/fold.ts';

/** What assembly/index.ts exports. */
interface Kernel {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly tileValues: { readonly value: number };
  readonly lanesPlace: { readonly value: number };
  readonly valuesPlace: { readonly value: number };
  fold(count: number, scale: number, clip: number, weight: number): number;
  foldFour(
    ...terms: [
      count: number,
      scale: number,
      clip: number,
      one: number,
      two: number,
      three: number,
      four: number,
    ]
  ): number;
  isWithin(count: number, clip: number): number;
}

/** Vectors that are folded at once. */
const atOnce = 4;
type Four = [WeightedVector, WeightedVector, WeightedVector, WeightedVector];

/** undefined where the engine lacks WebAssembly with 128-bit vectors, or may not use it. */
export function wasmFoldingIfAny(): Folding | undefined {
  const exports = wasmExports(foldModule);
  return exports === undefined ? undefined : foldingOf(exports as Kernel); // the module is ours; the tests use every export
}

function foldingOf(kernel: Kernel): Folding {
  const { buffer } = kernel.memory;
  const tile = kernel.tileValues.value;
  const lanesTile = new Float64Array(buffer, kernel.lanesPlace.value, tile);
  const valuesTiles = Array.from(
    { length: atOnce },
    (_, index) => new Float32Array(buffer, kernel.valuesPlace.value + 4 * tile * index, tile),
  );

  /** Copies a part of the values into a tile, and gives its length with the zeros that fill up the last four. */
  function load(values: Float32Array, from: number, count: number, which: number): number {
    const into = valuesTiles[which]!;
    into.set(values.subarray(from, from + count));
    const padded = Math.ceil(count / 4) * 4;
    into.fill(0, count, padded);
    return padded;
  }

  /** Adds the vectors to a tile of the lanes; false, and nothing added, where one of them is not within `most`. */
  function addTile(
    lanes: Float64Array,
    vectors: readonly WeightedVector[],
    from: number,
    scale: number,
    most: number,
  ): boolean {
    const part = lanes.subarray(from, from + tile);
    lanesTile.set(part);
    const { length } = part;
    let next = 0;
    for (; next + atOnce <= vectors.length; next += atOnce) {
      const [one, two, three, four] = vectors.slice(next, next + atOnce) as Four; // as many are left
      const count = load(one.values, from, length, 0);
      load(two.values, from, length, 1);
      load(three.values, from, length, 2);
      load(four.values, from, length, 3);
      if (!kernel.foldFour(count, scale, most, one.weight, two.weight, three.weight, four.weight))
        return false;
    }
    for (const { values, weight } of vectors.slice(next)) {
      if (!kernel.fold(load(values, from, length, 0), scale, most, weight)) return false;
    }
    part.set(lanesTile.subarray(0, part.length));
    return true;
  }

  return {
    name: 'wasm',
    isWithin: (values, clip) => {
      const most = floatBelow(clip);
      for (let from = 0; from < values.length; from += tile) {
        const count = load(values, from, Math.min(tile, values.length - from), 0);
        if (kernel.isWithin(count, most) === 0) return false;
      }
      return true;
    },
    add: (lanes, vectors, { scaleBits, clip }) => {
      const scale = 2 ** scaleBits;
      const most = floatBelow(clip);
      for (let from = 0; from < lanes.length; from += tile) {
        if (addTile(lanes, vectors, from, scale, most)) continue;
        const undo = negated(vectors);
        for (let done = 0; done < from; done += tile) addTile(lanes, undo, done, scale, most);
        return false;
      }
      return true;
    },
  };
}

/** The largest float32 that is not above `value` (positive): a float32 is within the one where it is within the other. */
function floatBelow(value: number): number {
  const near = Math.fround(value);
  if (near <= value) return near;
  const bits = new Uint32Array(Float32Array.of(near).buffer);
  bits[0]!--;
  return new Float32Array(bits.buffer)[0]!;
}
