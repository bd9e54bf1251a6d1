/** SYNTHETIC data for a model of any shape, made when they are wanted: to see what a plan costs where no real data is at hand. */
import type { Model } from '@starling/model';
import type { Examples } from '../data/examples.ts';
import { randomStream } from '../data/random-stream.ts';
import { SimulationRefused } from './refused.ts';

export interface PatternOptions {
  readonly seed: number;
  readonly rows: number;
  /** Values of a row. */
  readonly width: number;
  readonly classes: number;
}

/** How far a person's patterns are from everybody's, and a row's from its person's. */
const [acrossPeople, acrossRows] = [0.5, 0.4];

/** @throws SimulationRefused For a model whose rows are no values with one class each. */
export function patternsFor(model: Model, seed: number, rows: number): PatternOptions {
  const { vocabulary, labelKind, labelSize, inputSize: width, classes } = model;
  if (vocabulary === undefined && labelKind === 'class' && labelSize === 1)
    return { seed, rows, width, classes };
  throw new SimulationRefused(
    'simulation-unsupported',
    'Synthetic data are made for models that name the class of a row of values. Give a data pack with --data.',
  );
}

/**
 * Rows of one person: each class has a pattern that all share and one of the person's own, and a row is both with noise. So a model
 * learns from the fleet, and gains from adapting. The same seed and person give the same rows.
 */
export function patternExamples({ seed, rows, width, classes }: PatternOptions, person: number): Examples {
  const patterns = Array.from({ length: classes }, (_, label) => {
    const common = randomStream(seed, `patterns/${label}`);
    const own = randomStream(seed, `patterns/${label}/${person}`);
    return Float32Array.from(
      { length: width },
      () => 2 * common.uniform() - 1 + acrossPeople * (2 * own.uniform() - 1),
    );
  });
  const noise = randomStream(seed, `patterns/rows/${person}`);
  const y = Int32Array.from({ length: rows }, (_, row) => row % classes);
  const x = new Float32Array(rows * width);
  for (let row = 0; row < rows; row++) {
    const pattern = patterns[y[row]!]!;
    for (let i = 0; i < width; i++) x[row * width + i] = pattern[i]! + acrossRows * (2 * noise.uniform() - 1);
  }
  return { x, y, count: rows };
}
