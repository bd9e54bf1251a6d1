import { adapt, compile, layoutOf, parseModel, trustedBackend } from '@starling/model';
import { readWeights, WeightsMismatch, type VersionId } from '@starling/protocol';
import { describe, expect, it } from 'vitest';
import type { Trainer } from './ports.ts';
import { openModel } from './shared-model.ts';
import { tinyExamples, tinyFetched, tinyIr } from './testing/tiny-model.ts';
import { Workbench } from './work.ts';

const files = tinyFetched();
const compiled = (batch: number) => compile(parseModel(tinyIr), { batch, backend: trustedBackend() });
const program = compiled(8);
const layout = layoutOf(program.model);
const shared = { layout, values: readWeights(layout, files.weights) };
const rows = Float32Array.of(0.5, -1, 2, 0.25, -1, -1);

/** Does the work at once, in this thread. */
const workbench = new Workbench(() => 0);
const trainer: Trainer = {
  run: (job) => Promise.resolve(workbench.run(job)),
  close: () => Promise.resolve(),
};

describe('a model that is opened from its files', () => {
  it('predicts what the engine predicts, without a device', () => {
    const { probabilities } = program.predict(shared, rows);
    const predicted = openModel(files).predict(rows);
    expect(predicted.flatMap((row) => [...row.probabilities])).toEqual([...probabilities]);
    for (const { probabilities: own, classIndex } of predicted)
      expect(own[classIndex]).toBe(Math.max(...own));
  });

  it('becomes a personal model as a device makes it, and stays as it was', async () => {
    const model = openModel(files);
    const adaptation = { steps: 3, rate: 0.2 };
    const version = 'ver_tiny' as VersionId; // no server reads it here
    const personal = await model.personalise(trainer, { adaptation, version }, tinyExamples());
    const expected = program.predict(adapt(compiled(32), shared, tinyExamples(), adaptation), rows);
    expect(personal.predict(rows).flatMap((row) => [...row.probabilities])).toEqual([
      ...expected.probabilities,
    ]);
    expect(personal).toMatchObject({ version, steps: 3, inputShape: [2] });
    expect(personal.judgeShared(tinyExamples())).not.toEqual(personal.judge(tinyExamples()));
    expect(model.predict(rows)).toEqual(openModel(files).predict(rows));
  });

  it('is refused when the weights are not those of the model', () => {
    expect(() => openModel({ ...files, learnedRates: true })).toThrow(WeightsMismatch);
  });
});
