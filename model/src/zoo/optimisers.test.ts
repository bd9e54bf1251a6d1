import { describe, expect, it } from 'vitest';
import { parseModel } from '../ir/parse.ts';
import { compile } from '../program/compile.ts';
import { parametersByFormula, rowsByFormula } from './testing/formula.ts';
import { backends, expectTensors, readGolden } from './testing/goldens.ts';

const tolerance = 1e-5;
const { ir, rows, runs } = readGolden('optimisers');
const named = runs.map((run) => ({ ...run, title: JSON.stringify(run.optimiser) }));

describe.each(backends)('with the backend $name', (backend) => {
  it.each(named)('$title walks where torch.optim walks', ({ optimiser: recipe, losses, weights }) => {
    const model = parseModel({ ...ir, optimiser: recipe });
    const optimiser = model.ir.optimiser!; // just given, and filled in
    const trainer = compile(model, { batch: rows, backend }).trainer(parametersByFormula(model), {
      optimiser,
    });
    const batch = rowsByFormula(model, 'train', rows);
    for (const wanted of losses) {
      const { loss } = trainer.step(batch, { rate: optimiser.rate });
      expect(Math.abs(loss - wanted)).toBeLessThanOrEqual(tolerance * wanted);
    }
    const { values, layout } = trainer.read();
    expectTensors(values, layout, weights, tolerance);
  });
});
