import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { layered, type Graph } from './layout.ts';

const chain: Graph = {
  nodes: ['x', 'a', 'b'],
  edges: [
    ['x', 'a'],
    ['a', 'b'],
  ],
};

/** Edges only from an earlier to a later node: a graph without cycles. */
const graphs = fc.integer({ min: 1, max: 25 }).chain((size) =>
  fc.array(fc.tuple(fc.nat(size - 1), fc.nat(size - 1)), { maxLength: 60 }).map((pairs): Graph => ({
    nodes: Array.from({ length: size }, (_, index) => `n${index}`),
    edges: pairs
      .filter(([a, b]) => a !== b)
      .map(([a, b]) => [`n${Math.min(a, b)}`, `n${Math.max(a, b)}`] as const),
  })),
);

describe('the layout of a graph', () => {
  it('stands a chain in one column', () => {
    const { places, layers, columns } = layered(chain);
    expect([layers, columns]).toEqual([3, 1]);
    expect([...places.values()]).toEqual([
      { column: 0.5, layer: 0 },
      { column: 0.5, layer: 1 },
      { column: 0.5, layer: 2 },
    ]);
  });

  it('puts every node below all that it uses, and no two in one place', () => {
    fc.assert(
      fc.property(graphs, (graph) => {
        const { places, ways, columns } = layered(graph);
        for (const [source, target] of graph.edges) {
          expect(places.get(target)!.layer).toBeGreaterThan(places.get(source)!.layer);
        }
        const all = [...places.values(), ...ways.flat()];
        expect(new Set(all.map(({ column, layer }) => `${column} ${layer}`)).size).toBe(all.length);
        for (const { column } of places.values()) {
          expect(column).toBeGreaterThanOrEqual(0.5);
          expect(column).toBeLessThanOrEqual(columns - 0.5);
        }
      }),
    );
  });

  it('stands a source just above what uses it, and leads long edges past the nodes between', () => {
    const { places, ways, layers } = layered({
      nodes: [...chain.nodes, 'label', 'sum'],
      edges: [...chain.edges, ['label', 'sum'], ['b', 'sum'], ['x', 'sum']],
    });
    expect(layers).toBe(4);
    expect(places.get('label')!.layer).toBe(2);
    expect(ways.map((way) => way.map(({ layer }) => layer))).toEqual([[], [], [], [], [1, 2]]);
  });

  it('uncrosses two parallel lines', () => {
    const { places } = layered({
      nodes: ['a', 'b', 'd', 'c'],
      edges: [
        ['a', 'c'],
        ['b', 'd'],
      ],
    });
    const column = (node: string) => places.get(node)!.column;
    expect(column('a') < column('b')).toBe(column('c') < column('d'));
  });

  it('refuses a cycle', () => {
    expect(() =>
      layered({
        nodes: ['a', 'b'],
        edges: [
          ['a', 'b'],
          ['b', 'a'],
        ],
      }),
    ).toThrow(/cycle/);
  });
});
