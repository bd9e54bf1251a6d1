import type { Examples } from '../program/program.ts';
import { stream } from '../random/streams.ts';

/** Rows around one centre a class, in turn 0, 1, 2 …: separable when `spread` is well below 1. */
export function toyExamples(
  rows: number,
  features: number,
  classes: number,
  seed: number,
  spread = 0.3,
): Examples {
  const random = stream(seed, 'toy');
  const y = Int32Array.from({ length: rows }, (_, row) => row % classes);
  const x = new Float32Array(rows * features);
  for (let i = 0; i < x.length; i++) {
    const label = y[Math.floor(i / features)];
    const centre = stream(label, `centre/${i % features}`).nextFloat() < 0.5 ? -1 : 1;
    x[i] = centre + spread * (2 * random.nextFloat() - 1);
  }
  return { x, y, count: rows };
}
