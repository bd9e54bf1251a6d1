/// <reference types="node" />
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { parseModel } from '../ir/parse.ts';
import { layoutOf } from '../parameters/layout.ts';
import { compile } from '../program/compile.ts';
import { parametersByFormula, rowsByFormula } from './testing/formula.ts';
import { backends, expectTensors, readCard, readGolden, readZoo } from './testing/goldens.ts';

const tolerance = 1e-5;

/** Parameters, and the SHA-256 of the canonical JSON (RFC 8785) of the IR with its defaults: what names the model. */
const facts: Readonly<Record<string, { readonly parameters: number; readonly digest: string }>> = {
  'har-mlp': {
    parameters: 56_806,
    digest: 'e727e99c214d81e01beb56d1cc45b34612ca0f683919f0ac0cc6f2a5536d8055',
  },
  'sensor-cnn': {
    parameters: 198_082,
    digest: 'bc49a83864117ea33299463bac8c5820e6d8eda1c8fa1843a258551d6586ed61',
  },
  'femnist-cnn': {
    parameters: 6_603_710,
    digest: 'bb338d3d635b72f54c5cb81c29b0ce6d72cf6ef49b30079380a93ba646dffc70',
  },
  'char-lstm': {
    parameters: 817_872,
    digest: '092b736c0e733aa633b82eb3e5eb583b4231783ce7b4248e8bb4be5504717c4a',
  },
  'tiny-gpt': {
    parameters: 112_384,
    digest: '5e35df6ae3a2753d79d26b6b528609e234431eda1ba1b2a5e7af9259ca0a5d4d',
  },
  conv4: { parameters: 28_357, digest: 'ac8c9508efe37cd49bf604b2e32fe9ac471f5272f2082466de513a62895f4b10' },
};

/** RFC 8785 for what an IR holds: ASCII names, and numbers that ECMAScript writes as it should. */
function canonical(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`).join(',')}}`;
}

describe.each(Object.entries(facts))('%s', (name, { parameters, digest }) => {
  const model = parseModel(readZoo(name));

  it('has the parameters its card names', () => {
    expect(layoutOf(model).weights.size).toBe(parameters);
    const grouped = String(parameters).replace(/\B(?=(\d{3})+$)/g, ' ');
    expect(readCard(name)).toContain(`| ${grouped} `);
  });

  it('is the document it was', () => {
    expect(createHash('sha256').update(canonical(model.ir)).digest('hex')).toBe(digest);
  });
});

describe.each(backends)('with the backend $name', (backend) => {
  it.each(readGolden('zoo'))(
    '$name: loss and gradient as PyTorch has them',
    (golden) => {
      const model = parseModel(readZoo(golden.name));
      const params = parametersByFormula(model);
      const out = new Float32Array(params.layout.weights.size);
      const program = compile(model, { batch: golden.rows, backend });
      const loss = program.gradient(params, rowsByFormula(model, 'train', golden.rows), out);
      expect(Math.abs(loss - golden.loss)).toBeLessThanOrEqual(tolerance * golden.loss);
      expectTensors(out, params.layout, golden.gradients, tolerance);
    },
    120_000,
  );

  it.each([1, 2] as const)(
    'conv4: the meta-gradient of order %i as PyTorch has it',
    (order) => {
      const { meta } = readGolden('zoo').find(({ name }) => name === 'conv4')!;
      const { supportRows, queryRows, innerRate, first, second } = meta!; // conv4 is a model for meta-learning
      const model = parseModel(readZoo('conv4'));
      const params = parametersByFormula(model);
      const out = new Float32Array(params.layout.weights.size);
      const support = rowsByFormula(model, 'support', supportRows);
      const query = rowsByFormula(model, 'query', queryRows);
      const wanted = order === 1 ? first : second;
      const { after } = compile(model, { batch: queryRows, backend }).metaGradient(
        params,
        { support, query, innerSteps: 1, innerRate, order },
        out,
      );
      expect(Math.abs(after.loss / queryRows - wanted.loss)).toBeLessThanOrEqual(tolerance * wanted.loss);
      expectTensors(out, params.layout, wanted.gradients, tolerance);
    },
    120_000,
  );
});
