import type { Tensor } from '@starling/protocol';

/** How one tensor of two versions differs. */
export interface TensorDifference {
  readonly name: string;
  readonly shape: readonly number[];
  /** L2 norms. */
  readonly norms: readonly [number, number];
  /** L2 norm of the difference. */
  readonly distance: number;
  /** Largest magnitude of a single difference. */
  readonly largest: number;
}

export interface Comparison {
  /** In the order of the first file: the greatest distance first. */
  readonly tensors: readonly TensorDifference[];
  /** Names that only one of the files has, or has in another shape. */
  readonly unmatched: readonly string[];
  readonly norms: readonly [number, number];
  readonly distance: number;
  readonly largest: number;
  /** Values that are the same in both, and all. */
  readonly equal: number;
  readonly count: number;
  /** Numbers of differences (second less first) in bins of equal width over [-largest, largest]. */
  readonly histogram: readonly number[];
}

type Tensors = ReadonlyMap<string, Tensor>;

/** Compares the weights of two versions, value by value. `bins` is odd, so that one of them is around zero. */
export function compareWeights(first: Tensors, second: Tensors, bins = 41): Comparison {
  const pairs: { name: string; shape: readonly number[]; a: Float32Array; b: Float32Array }[] = [];
  const unmatched = [...second.keys()].filter((name) => !first.has(name));
  for (const [name, a] of first) {
    const b = second.get(name);
    if (a.dtype === 'F32' && b?.dtype === 'F32' && a.shape.join() === b.shape.join()) {
      pairs.push({ name, shape: a.shape, a: a.data, b: b.data });
    } else unmatched.push(name);
  }
  let equal = 0;
  const tensors = pairs.map(({ name, shape, a, b }): TensorDifference => {
    let [squaresA, squaresB, squares, largest] = [0, 0, 0, 0];
    for (let i = 0; i < a.length; i++) {
      const difference = b[i]! - a[i]!;
      squaresA += a[i]! ** 2;
      squaresB += b[i]! ** 2;
      squares += difference ** 2;
      largest = Math.max(largest, Math.abs(difference));
      if (difference === 0) equal++;
    }
    return {
      name,
      shape,
      norms: [Math.sqrt(squaresA), Math.sqrt(squaresB)],
      distance: Math.sqrt(squares),
      largest,
    };
  });
  const together = (of: (tensor: TensorDifference) => number) =>
    Math.hypot(...tensors.map((tensor) => of(tensor)));
  const largest = Math.max(0, ...tensors.map((tensor) => tensor.largest));
  return {
    tensors: tensors.sort((left, right) => right.distance - left.distance),
    unmatched,
    norms: [together(({ norms }) => norms[0]), together(({ norms }) => norms[1])],
    distance: together(({ distance }) => distance),
    largest,
    equal,
    count: pairs.reduce((sum, { a }) => sum + a.length, 0),
    histogram: histogramOf(pairs, largest, bins),
  };
}

function histogramOf(
  pairs: readonly { a: Float32Array; b: Float32Array }[],
  largest: number,
  bins: number,
): number[] {
  const histogram = new Array<number>(bins).fill(0);
  const scale = largest === 0 ? 0 : bins / (2 * largest);
  for (const { a, b } of pairs) {
    for (let i = 0; i < a.length; i++) {
      const place = largest === 0 ? (bins - 1) / 2 : Math.floor((b[i]! - a[i]! + largest) * scale);
      histogram[Math.min(bins - 1, Math.max(0, place))]!++;
    }
  }
  return histogram;
}
