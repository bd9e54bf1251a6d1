import { describe, expect, it } from 'vitest';
import { drawnModel } from './graph-of.ts';

const zoo = import.meta.glob<unknown>('../../../../model/zoo/*.json', { eager: true, import: 'default' });
const read = (name: string) => zoo[`../../../../model/zoo/${name}`];

describe('a model as a graph', () => {
  it('has the shape of every value, and the weights where they are used', () => {
    const { nodes, learnable } = drawnModel(read('sensor-cnn.json'));
    expect(learnable).toBe(198_082);
    expect(nodes.find(({ id }) => id === 'conv1')).toMatchObject({
      name: 'conv1d',
      shape: 'B × 124 × 32',
      inputs: [{ id: 'x', shape: 'B × 128 × 9' }],
      weights: [
        { id: 'conv1/w', shape: [5, 9, 32], size: 1440, group: 'body' },
        { id: 'conv1/b', size: 32 },
      ],
    });
    expect(nodes.at(-1)).toMatchObject({ kind: 'loss', name: 'softmaxCrossEntropy', shape: '' });
  });

  it.each(Object.keys(zoo))('draws %s', (path) => {
    const { nodes, edges, layout } = drawnModel(zoo[path]);
    expect(layout.places.size).toBe(nodes.length);
    const known = new Set(nodes.map(({ id }) => id));
    for (const [source, target] of edges) expect(known.has(source) && known.has(target)).toBe(true);
    const used = new Set(edges.flat());
    expect(nodes.every(({ id }) => used.has(id))).toBe(true);
  });

  it('says what is wrong with one that is none', () => {
    expect(() => drawnModel({ umir: 1, opset: 1 })).toThrow(/name/);
  });
});
