import { describe, expect, it } from 'vitest';
import { javaScriptMasks } from '../masks/index.ts';
import { slowStream } from '../masks/testing/chacha20.ts';
import { completeGraph, isConnected, pointOf, randomGraph, type Graph } from './graph.ts';
import { KeyStream } from './stream.ts';

const masks = javaScriptMasks();
const seedOf = (number: number) => new Uint8Array(32).fill(number);

function expectRegular(graph: Graph, size: number, degree: number): void {
  expect(graph).toHaveLength(size);
  graph.forEach((neighbours, member) => {
    expect(neighbours).toHaveLength(degree);
    expect(neighbours).not.toContain(member);
    expect([...new Set(neighbours)].sort((a, b) => a - b)).toEqual(neighbours);
    for (const neighbour of neighbours) expect(graph[neighbour]).toContain(member);
  });
}

describe('a random graph', () => {
  it.each([
    [70, 6],
    [71, 6],
    [100, 12],
    [100, 62],
    [66, 64],
    [9, 2],
  ])('of %i members gives each of them %i neighbours', (size, degree) => {
    expectRegular(randomGraph(size, degree, seedOf(1), masks), size, degree);
  });

  it('is the same for the same seed, and another for another', () => {
    const first = randomGraph(80, 10, seedOf(1), masks);
    expect(randomGraph(80, 10, seedOf(1), masks)).toEqual(first);
    expect(randomGraph(80, 10, seedOf(2), masks)).not.toEqual(first);
  });

  it('hangs together', () => {
    for (let number = 0; number < 5; number++) {
      expect(isConnected(randomGraph(100, 6, seedOf(number), masks), () => true)).toBe(true);
    }
  });

  it('makes all pairs neighbours equally often', () => {
    // 200 graphs of 20 members and degree 4: each of 190 pairs in a share of 4/19 of them.
    const counts = new Map<string, number>();
    for (let number = 0; number < 200; number++) {
      randomGraph(
        20,
        4,
        Uint8Array.from({ length: 32 }, (_, at) => (at === 0 ? number : 9)),
        masks,
      ).forEach((neighbours, member) => {
        for (const other of neighbours) {
          if (member < other) counts.set(`${member} ${other}`, (counts.get(`${member} ${other}`) ?? 0) + 1);
        }
      });
    }
    const expected = (200 * 4) / 19;
    const variance = expected * (1 - 4 / 19);
    let chiSquare = 0;
    for (let a = 0; a < 20; a++) {
      for (let b = a + 1; b < 20; b++)
        chiSquare += ((counts.get(`${a} ${b}`) ?? 0) - expected) ** 2 / variance;
    }
    // About 170 degrees of freedom (the degrees are fixed): 5 standard deviations.
    expect(chiSquare).toBeLessThan(190 + 5 * Math.sqrt(380));
    expect(chiSquare).toBeGreaterThan(150 - 5 * Math.sqrt(300));
  });

  it('keeps nothing of the ring that it was walked from: triangles are as rare as in a random one', () => {
    // A ring of degree 12 has 15 triangles for each member (1500 here); a random regular graph about 11^3 / 6 = 222.
    const graph = randomGraph(100, 12, seedOf(3), masks);
    let triangles = 0;
    graph.forEach((neighbours, a) => {
      for (const b of neighbours) {
        for (const c of graph[b]!) if (a < b && b < c && neighbours.includes(c)) triangles++;
      }
    });
    expect(triangles).toBeGreaterThan(222 - 75);
    expect(triangles).toBeLessThan(222 + 75);
  });

  it('is complete where everyone is a neighbour, and is not made for odd degrees', () => {
    expect(randomGraph(5, 4, seedOf(1), masks)).toEqual(completeGraph(5));
    expect(completeGraph(3)).toEqual([
      [1, 2],
      [0, 2],
      [0, 1],
    ]);
    expect(() => randomGraph(10, 3, seedOf(1), masks)).toThrow(RangeError);
    expect(() => randomGraph(10, 10, seedOf(1), masks)).toThrow(RangeError);
  });
});

describe('connection', () => {
  const path: Graph = [[1], [0, 2], [1, 3], [2]];
  it('is judged among those that are in', () => {
    expect(isConnected(path, () => true)).toBe(true);
    expect(isConnected(path, (member) => member !== 1)).toBe(false);
    expect(isConnected(path, (member) => member !== 0)).toBe(true);
    expect(isConnected(path, (member) => member === 3)).toBe(true);
    expect(isConnected(path, () => false)).toBe(true);
  });

  it('gives each holder a point of its own from 1 to the degree', () => {
    const graph = randomGraph(70, 6, seedOf(1), masks);
    expect(graph[9]!.map((holder) => pointOf(graph, 9, holder))).toEqual([1, 2, 3, 4, 5, 6]);
    expect(pointOf(graph, 9, 9)).toBeUndefined();
  });
});

describe('the stream of draws', () => {
  it('is ChaCha20 word by word, over the ends of blocks', () => {
    const stream = new KeyStream(masks, seedOf(4));
    const words = Array.from({ length: 1100 }, () => stream.word());
    expect(words).toEqual([...slowStream(seedOf(4), 0, 1100)]);
  });

  it('gives bytes of its words, lowest first', () => {
    const words = slowStream(seedOf(4), 0, 3);
    const stream = new KeyStream(masks, seedOf(4));
    expect([...stream.bytes(5)]).toEqual([
      ...[0, 8, 16, 24].map((shift) => (words[0]! >>> shift) & 255),
      words[1]! & 255,
    ]);
    expect(stream.word()).toBe(words[2]);
  });

  it('draws below any bound without favour', () => {
    const stream = new KeyStream(masks, seedOf(5));
    const counts = [0, 0, 0];
    for (let draw = 0; draw < 3000; draw++) counts[stream.below(3)]!++;
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(150);
    // Just above half of the range nearly every second word is drawn again: a remainder would favour small values.
    const half = 2 ** 31 + 1;
    let small = 0;
    for (let draw = 0; draw < 400; draw++) if (stream.below(half) < half / 2) small++;
    expect(Math.abs(small - 200)).toBeLessThan(60);
    expect(stream.below(1)).toBe(0);
  });
});
