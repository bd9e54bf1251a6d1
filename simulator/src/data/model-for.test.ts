import { describe, expect, it } from 'vitest';
import { modelFor, type ModelJson } from './model-for.ts';
import { smallPack } from './testing/small-pack.ts';

function packOf(row: readonly number[], classes: number, about: Record<string, unknown> = {}) {
  const shape = [2, ...row];
  const length = shape.reduce((product, axis) => product * axis, 1);
  return smallPack({
    classes: Array.from({ length: classes }, (_, i) => `class ${i}`),
    users: [{ id: 'ada', count: 2 }],
    arrays: [
      { name: 'x', dtype: 'uint8', shape, values: new Uint8Array(length), about },
      { name: 'y', dtype: 'uint8', shape: [2], values: [0, 1] },
    ],
  });
}

/** Weights that training moves: all but the statistics of the input. */
function trainedWeights(model: ModelJson): number {
  return model.params
    .filter((parameter) => !parameter.id.startsWith('input/'))
    .reduce((total, { shape }) => total + shape.reduce((product, axis) => product * axis, 1), 0);
}

const channels = ['ax', 'ay', 'az', 'gx', 'gy', 'gz'];

describe('the model for a pack', () => {
  it('is the reference MLP of 4,562 weights for 52 features and 18 classes', () => {
    const model = modelFor(packOf([52], 18));
    expect(trainedWeights(model)).toBe(4562);
    expect(model.inputs).toEqual([
      { id: 'x', shape: ['B', 52] },
      { id: 'y', shape: ['B'], dtype: 'i32', role: 'label', classes: 18 },
    ]);
  });

  it('is the reference CNN of 77 thousand weights for windows of 64 x 6 and 5 classes', () => {
    expect(trainedWeights(modelFor(packOf([64, 6], 5, { channels })))).toBe(77221);
  });

  it('takes windows in g and rad/s as measured, and standardises any other input', () => {
    const isStandardised = (model: ModelJson) =>
      model.params.some(({ init }) => 'kind' in init && init.kind === 'inputMean');
    const units = ['g', 'g', 'g', 'rad/s', 'rad/s', 'rad/s'];
    expect(isStandardised(modelFor(packOf([64, 6], 5, { channels, units })))).toBe(false);
    expect(isStandardised(modelFor(packOf([64, 6], 5, { channels, units: 'g' })))).toBe(false);
    expect(isStandardised(modelFor(packOf([64, 6], 5, { channels, units: 'm/s^2' })))).toBe(true);
    expect(isStandardised(modelFor(packOf([64, 6], 5, { channels })))).toBe(true);
    expect(isStandardised(modelFor(packOf([52], 18, { units: 'g' })))).toBe(true);
    expect(isStandardised(modelFor(packOf([64, 6], 5, { channels, units }), { standardise: true }))).toBe(
      true,
    );
  });

  it('uses every parameter and every value that it names, in order', () => {
    for (const model of [
      modelFor(packOf([52], 18)),
      modelFor(packOf([21, 6], 5, { channels })),
      modelFor(packOf([21, 6], 5, { channels, units: 'g' })),
    ]) {
      const known = new Set(['x', 'y', ...model.params.map(({ id }) => id)]);
      const used = new Set<string>();
      for (const node of [...model.nodes, { ...model.loss, out: 'loss' }] as {
        in: string[];
        out: string;
      }[]) {
        for (const name of node.in) {
          expect(known).toContain(name);
          used.add(name);
        }
        known.add(node.out);
      }
      expect([...known].filter((name) => !used.has(name))).toEqual(['loss']);
    }
  });

  it('has the last layer as its head', () => {
    const heads = modelFor(packOf([52], 18)).params.filter(({ group }) => group === 'head');
    expect(heads.map(({ id }) => id)).toEqual(['output/w', 'output/b']);
  });

  it.each([
    ['an image', [28, 28], {}],
    ['a short window', [19, 6], { channels }],
    ['a volume', [20, 6, 2], { channels: ['a', 'b'] }],
  ])('is not there for %s: bring your own', (_, row, about) => {
    const refused = () => modelFor(packOf(row, 5, about));
    expect(refused).toThrow(expect.objectContaining({ code: 'pack-no-model' }));
    expect(refused).toThrow('--model FILE');
  });
});
