import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Model } from '../ir/model.ts';
import { parseModel } from '../ir/parse.ts';
import { initialise } from '../parameters/initialise.ts';
import { stream } from '../random/streams.ts';
import { naiveLosses } from '../testing/naive.ts';
import { randomModels } from '../testing/random-model.ts';
import { compile } from './compile.ts';
import type { Batch } from './program.ts';

function rowsFor(model: Model, count: number): Batch {
  const random = stream(2, 'rows');
  const draw = (many: number, below: number | undefined) =>
    Float32Array.from({ length: many }, () =>
      below === undefined ? 2 * random.nextFloat() - 1 : random.below(below),
    );
  const labels = model.classes > 0 ? model.classes : model.loss.op === 'binaryCrossEntropy' ? 2 : undefined;
  return {
    x: draw(count * model.inputSize, model.vocabulary),
    y: draw(count * model.labelSize, labels),
    count,
  };
}

const sum = (losses: readonly number[]) => losses.reduce((total, loss) => total + loss, 0);

describe('random models', () => {
  it('are run as the definitions of their ops say, forwards and backwards', { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(randomModels, fc.nat(1000), (document, seed) => {
        const model = parseModel(document);
        const batch = rowsFor(model, 3);
        const program = compile(model, { batch: 3 });
        const params = initialise(model, seed);
        const { layout, values } = params;
        const wanted = sum(naiveLosses(model, layout, values, batch));
        expect(Math.abs(program.evaluate(params, batch).loss - wanted)).toBeLessThan(
          1e-4 * Math.max(1, Math.abs(wanted)),
        );

        const slope = new Float32Array(layout.weights.size);
        program.gradient(params, batch, slope);
        const direction = Float64Array.from(slope, (_, i) => Math.sin(i + seed));
        const along = slope.reduce((total, g, i) => total + g * direction[i], 0);
        const size = slope.reduce((total, g, i) => total + Math.abs(g * direction[i]), 0);
        const step = 1e-6;
        const moved = (by: number) =>
          sum(
            naiveLosses(
              model,
              layout,
              Float64Array.from(values, (w, i) => w + by * direction[i]),
              batch,
            ),
          );
        const losses = naiveLosses(model, layout, values, batch).length;
        const slopeByNaive = (moved(step) - moved(-step)) / (2 * step * losses);
        expect(Math.abs(along - slopeByNaive)).toBeLessThan(2e-3 * Math.max(0.01, size));
      }),
      { numRuns: 300, seed: 4 },
    );
  });
});
