import { describe, expect, it } from 'vitest';
import { parseModel } from '../ir/parse.ts';
import { compile } from '../program/compile.ts';
import { operations } from '../ops/index.ts';
import { parametersByFormula, rowsByFormula } from './testing/formula.ts';
import { backends, expectTensors, readGolden, type OpGolden } from './testing/goldens.ts';

const tolerance = 1e-5;
const goldens = readGolden('ops');

it('has a golden of every op but dropout, which draws, and of every loss', () => {
  const models = goldens.map(({ ir }) => parseModel(ir).ir);
  const ops = new Set(models.flatMap(({ nodes }) => nodes.map(({ op }) => op)));
  expect([...operations.keys()].filter((op) => !ops.has(op))).toEqual(['dropout']);
  expect(new Set(models.map(({ loss }) => loss.op)).size).toBe(4);
});

describe.each(backends)('with the backend $name', (backend) => {
  const program = (golden: OpGolden, batch: number) => compile(parseModel(golden.ir), { batch, backend });

  it.each(goldens)('$ir.name: loss and gradient as PyTorch has them', (golden) => {
    const compiled = program(golden, golden.rows + 1); // one row of padding
    const { model } = compiled;
    const params = parametersByFormula(model);
    const out = new Float32Array(params.layout.weights.size);
    const loss = compiled.gradient(params, rowsByFormula(model, 'train', golden.rows), out);
    expect(Math.abs(loss - golden.loss)).toBeLessThanOrEqual(tolerance * Math.abs(golden.loss));
    expectTensors(out, params.layout, golden.gradients, tolerance);
  });

  it.each(goldens)('$ir.name: meta-gradients of both orders as PyTorch has them', (golden) => {
    const { supportRows, queryRows, innerRate } = golden.meta;
    const compiled = program(golden, queryRows);
    const { model } = compiled;
    const params = parametersByFormula(model);
    for (const [order, wanted] of [
      [1, golden.meta.first],
      [2, golden.meta.second],
    ] as const) {
      const out = new Float32Array(params.layout.weights.size);
      const support = rowsByFormula(model, 'support', supportRows);
      const query = rowsByFormula(model, 'query', queryRows);
      compiled.metaGradient(params, { support, query, innerSteps: 1, innerRate, order }, out);
      expectTensors(out, params.layout, wanted.gradients, tolerance);
    }
  });
});
