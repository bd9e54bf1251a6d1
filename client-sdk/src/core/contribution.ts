import { inputMoments, learn, type Examples, type Params, type Program } from '@starling/model';
import {
  metricClip,
  tensorDtype,
  trainingMetrics,
  type Assignment,
  type UpdateBlock,
} from '@starling/protocol';
import { WorkError } from './errors.ts';
import { evaluationCoordinates } from './evaluation.ts';
import { roundStochastically } from './stochastic-rounding.ts';

/** What a piece of work gives: values for each block of the assignment, and their weight. */
export interface Contribution {
  readonly values: Partial<Record<UpdateBlock['name'], ArrayLike<number>>>;
  readonly weight: number;
}

/** Rows of one pass, for work whose plan names no batch size. */
export const defaultBatch = 32;

/** The batch that a program is compiled for, to do this work. */
export function batchOf(work: Assignment['work']): number {
  return work.kind === 'training' && 'batchSize' in work.learning ? work.learning.batchSize : defaultBatch;
}

/**
 * Does a piece of work on a device's examples: sums of its inputs, learning, or judging. The program is compiled for {@link batchOf}.
 * Throws what learning and judging throw; every such error has a `code`.
 */
export function contribute(
  program: Program,
  params: Params,
  { work, seed }: Pick<Assignment, 'work' | 'seed'>,
  examples: Examples,
): Contribution {
  switch (work.kind) {
    case 'statistics': {
      const { mean, meanOfSquares, count } = inputMoments(program.model, examples);
      return { values: { moments: [...mean, ...meanOfSquares] }, weight: count };
    }
    case 'training': {
      const { vector, weight, metrics } = learn(program, params, examples, work.learning, { seed });
      const { weights } = params.layout;
      return {
        values: {
          parameters: vector.subarray(0, weights.size),
          rates: vector.subarray(weights.size),
          metrics: trainingMetrics.map((name) => Math.min(metricClip, metrics[name])),
        },
        weight,
      };
    }
    case 'evaluation':
      return {
        values: { metrics: evaluationCoordinates(program, params, examples, work.spec, seed) },
        weight: 1,
      };
  }
}

/** A contribution as it is handed in: values in the order of the blocks, as their tensors hold them. */
export interface HandedIn {
  readonly blocks: readonly (Float32Array | Float64Array)[];
  readonly weight: number;
}

/**
 * Rounds a contribution as its blocks say, with a whole weight of at most `maxWeight`. Throws WorkError `update-not-finite`,
 * `update-out-of-range` (the server would refuse such values) and `update-wrong-shape`.
 */
export function handIn(
  { blocks, maxWeight, seed }: Pick<Assignment, 'blocks' | 'maxWeight' | 'seed'>,
  { values, weight }: Contribution,
): HandedIn {
  for (const block of blocks) requireFit(block, values[block.name] ?? []);
  return {
    blocks: blocks.map((block) => {
      const exact = values[block.name] ?? [];
      const rounded = block.rounding === 'stochastic' ? roundStochastically(exact, block, seed) : exact;
      if (tensorDtype(block) === 'F64') return Float64Array.from(rounded);
      return rounded instanceof Float32Array ? rounded : Float32Array.from(rounded);
    }),
    weight: Math.min(Math.max(1, Math.round(weight)), maxWeight),
  };
}

function requireFit({ name, size, clip }: UpdateBlock, values: ArrayLike<number>): void {
  if (values.length !== size) {
    throw new WorkError(
      'update-wrong-shape',
      `The round asks for ${size} values of "${name}", the model gives ${values.length}. Server and SDK disagree about this work; update the SDK.`,
    );
  }
  if (values instanceof Float32Array && areWithin(values, clip)) return;
  for (let index = 0; index < size; index++) {
    const value = values[index]!;
    if (!Number.isFinite(value)) {
      throw new WorkError(
        'update-not-finite',
        `Value ${index} of "${name}" is ${value}: training went astray.`,
      );
    }
    if (Math.abs(value) > clip) {
      throw new WorkError(
        'update-out-of-range',
        `Value ${index} of "${name}" is ${value}; this round carries magnitudes up to ${clip}.`,
      );
    }
  }
}

/** A loop for parameters alone, of which there are many: it sees one kind of array, which makes it several times as fast. */
function areWithin(values: Float32Array, clip: number): boolean {
  for (let index = 0; index < values.length; index++) {
    if (!(Math.abs(values[index]!) <= clip)) return false;
  }
  return true;
}
