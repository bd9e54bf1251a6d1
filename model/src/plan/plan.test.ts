import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ancestors, gradient } from '../graph/gradient.ts';
import { Graph, type Value } from '../graph/graph.ts';
import { jsBackend } from '../kernels/js/index.ts';
import { FirstFitArena } from './arena.ts';
import { Executable } from './executable.ts';
import { planOf, type Plan } from './plan.ts';

/** The plain twin: every value is an output, so each has a place of its own and nothing is fused. */
function plainPlan(outputs: readonly Value[]): Plan {
  return planOf(ancestors(outputs), jsBackend);
}

function run(
  { arenaFloats, calls, places, constants }: Plan,
  leaves: readonly Value[],
  outputs: readonly Value[],
) {
  const memory = jsBackend.createMemory(arenaFloats);
  for (const { operand, value } of constants)
    memory.floats.fill(value, operand.offset, operand.offset + operand.size);
  const bound = calls.map((call) => jsBackend.bind(call, memory));
  const at = (value: Value) => {
    const { offset, size } = places.get(value)!;
    return memory.floats.subarray(offset, offset + size);
  };
  for (const leaf of leaves) at(leaf).forEach((_, i, values) => (values[i] = Math.sin(leaf.id + i + 1)));
  for (const call of bound) call();
  for (const call of bound) call(); // a second run must not see what the first one left
  return outputs.map((output) => [...at(output)]);
}

/** A graph of [3, 4] values from a list of choices, with the gradient of its sum of squares. */
function randomGraph(choices: readonly (readonly [number, number, number])[]): {
  leaves: Value[];
  outputs: Value[];
} {
  const graph = new Graph();
  const leaves = [graph.leaf('a', [3, 4]), graph.leaf('b', [3, 4])];
  const values: Value[] = [...leaves];
  const square = { strideHeight: 1, strideWidth: 1, padTop: 1, padBottom: 1, padLeft: 1, padRight: 1 };
  for (const [op, first, second] of choices) {
    const a = values[first % values.length];
    const b = values[second % values.length];
    const image = (value: Value) => graph.view(value, [1, 3, 4, 1]);
    const made = [
      () => graph.add(a, b),
      () => graph.subtract(a, b),
      () => graph.multiply(a, b),
      () => graph.tanh(a),
      () => graph.matmul(a, graph.matmul(b, a, true)),
      () => graph.view(graph.view(graph.tanh(a), [4, 3]), [3, 4]),
      () => graph.addRow(a, graph.columnSum(b)),
      () => graph.multiplyColumn(a, graph.rowDot(a, b)),
      () => graph.maskPositive(graph.addRow(a, graph.columnSum(b)), graph.addRow(a, graph.columnSum(b))),
      () => graph.maskPositive(a, a),
      () => graph.concat([graph.slice(b, 0, 1, 3), graph.slice(a, 0, 0, 1)], 0),
      () => graph.descend(a, b, graph.slice(graph.view(b, [12]), 0, 5, 6)),
      () =>
        graph.view(
          graph.convolution(
            image(a),
            graph.view(
              graph.columnSum(graph.view(graph.repeatRow(graph.view(b, [12]), [3, 12]), [4, 9])),
              [3, 3, 1, 1],
            ),
            square,
          ),
          [3, 4],
        ),
    ];
    values.push(graph.tanh(made[op % made.length]()));
  }
  const last = values[values.length - 1];
  const outputs = [last, ...gradient(graph, graph.dot(last, last), leaves)];
  return { leaves, outputs };
}

const choices = fc.array(fc.tuple(fc.nat(), fc.nat(), fc.nat()), { minLength: 1, maxLength: 12 });

describe('planOf', () => {
  it('reuses places without changing a single bit of the results', () => {
    fc.assert(
      fc.property(choices, (chosen) => {
        const { leaves, outputs } = randomGraph(chosen);
        const reusing = planOf(outputs, jsBackend);
        const plain = plainPlan(outputs);
        const used = leaves.filter((leaf) => reusing.places.has(leaf));
        expect(run(reusing, used, outputs)).toEqual(run(plain, used, outputs));
      }),
      { numRuns: 200 },
    );
  });

  it('needs far less memory than one place a value', () => {
    const { outputs } = randomGraph(Array.from({ length: 12 }, (_, i) => [i, i, i + 1] as const));
    const reusing = planOf(outputs, jsBackend);
    expect(reusing.arenaFloats).toBeLessThan(0.5 * plainPlan(outputs).arenaFloats);
  });

  it('adds a row and applies the relu in one call, and gives gradients the output of the relu', () => {
    const graph = new Graph();
    const [x, w, row] = [graph.leaf('x', [3, 2]), graph.leaf('w', [2, 4]), graph.leaf('row', [4])];
    const sum = graph.addRow(graph.matmul(x, w), row);
    const active = graph.maskPositive(sum, sum);
    const slopes = gradient(graph, graph.dot(active, active), [w, row]);
    const ops = planOf(slopes, jsBackend).calls.map(({ op }) => op);
    expect(ops).toContain('addRowPositive');
    expect(ops).not.toContain('addRow');
    expect(run(planOf(slopes, jsBackend), [x, w, row], slopes)).toEqual(
      run(plainPlan(slopes), [x, w, row], slopes),
    );
  });

  it('moves a carried leaf in its place, after all that needs its old value', () => {
    const graph = new Graph();
    const [w, x, rate] = [graph.leaf('w', [4]), graph.leaf('x', [4]), graph.leaf('rate', [1])];
    const loss = graph.dot(graph.multiply(w, w), x);
    const [slope] = gradient(graph, loss, [w]);
    const next = graph.descend(w, slope, rate);
    const executable = new Executable([loss], jsBackend, [{ leaf: w, next }]);
    const place = (value: Value) => executable.place(value)!;
    place(w).set([1, 2, 3, 4]);
    place(x).fill(0.5);
    place(rate)[0] = 0.1;
    executable.run();
    expect([...place(loss)]).toEqual([15]);
    expect([...place(w)]).toEqual([1, 2, 3, 4]);
    executable.commit();
    expect([...place(w)]).toEqual([0.9, 1.8, 2.7, 3.6].map(Math.fround));
    const { commits } = planOf([loss], jsBackend, { carries: [{ leaf: w, next }] });
    expect(commits.at(-1)?.op).toBe('descend'); // and no copy behind it
  });

  it('copies a carried value that could not be computed in its place', () => {
    const graph = new Graph();
    const [a, b] = [graph.leaf('a', [2]), graph.leaf('b', [2])];
    const sum = graph.add(a, b);
    const executable = new Executable([graph.dot(a, b)], jsBackend, [
      { leaf: a, next: sum },
      { leaf: b, next: graph.subtract(sum, b) },
    ]);
    executable.place(a)!.set([1, 2]);
    executable.place(b)!.set([10, 20]);
    executable.run();
    executable.commit();
    expect([...executable.place(a)!, ...executable.place(b)!]).toEqual([11, 22, 1, 2]);
  });

  it('keeps every place inside the arena', () => {
    const { outputs } = randomGraph([
      [8, 0, 1],
      [4, 1, 2],
      [7, 2, 0],
    ]);
    const { arenaFloats, places, calls } = planOf(outputs, jsBackend);
    const ends = [...places.values(), ...calls.map((call) => call.scratch)].map(
      ({ offset, size }) => offset + size,
    );
    expect(Math.max(...ends)).toBeLessThanOrEqual(arenaFloats);
  });
});

describe('FirstFitArena', () => {
  it('joins gaps, so that what was given back can be taken as one', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 12 }),
        fc.nat(),
        (sizes, turn) => {
          const arena = new FirstFitArena();
          const taken = sizes.map((size) => ({ size, offset: arena.take(size) }));
          const { peak } = arena;
          const order = [
            ...taken.slice(turn % taken.length),
            ...taken.slice(0, turn % taken.length),
          ].reverse();
          for (const { offset, size } of order) arena.giveBack(offset, size);
          expect(arena.take(peak)).toBe(0);
          expect(arena.peak).toBe(peak);
        },
      ),
    );
  });

  it('never gives one place out twice at a time', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 20 }), fc.boolean(), fc.nat()), { maxLength: 60 }),
        (steps) => {
          const arena = new FirstFitArena();
          const held: { offset: number; size: number }[] = [];
          for (const [size, release, which] of steps) {
            if (release && held.length > 0) {
              const [gone] = held.splice(which % held.length, 1);
              arena.giveBack(gone.offset, gone.size);
            } else {
              const offset = arena.take(size);
              for (const other of held)
                expect(offset + size <= other.offset || other.offset + other.size <= offset).toBe(true);
              held.push({ offset, size });
            }
          }
        },
      ),
    );
  });
});

declare const process: { memoryUsage(): { heapUsed: number } };

describe('Executable', () => {
  it('allocates nothing while it runs', () => {
    const { outputs } = randomGraph(Array.from({ length: 9 }, (_, i) => [i, i, i + 1] as const));
    const executable = new Executable(outputs, jsBackend);
    // The first rounds run in the interpreter, which boxes numbers; a negative round saw the garbage collector.
    const growth = Array.from({ length: 30 }, () => {
      const before = process.memoryUsage().heapUsed;
      for (let i = 0; i < 1000; i++) executable.run();
      return process.memoryUsage().heapUsed - before;
    });
    const least = Math.min(...growth.filter((bytes) => bytes >= 0));
    expect(least).toBeLessThan(1000 * 8); // a single object a run would take more
  });

  it('knows its arena before it takes it', () => {
    const { outputs } = randomGraph([[0, 0, 1]]);
    let taken = 0;
    const counting = {
      ...jsBackend,
      createMemory: (floats: number) => {
        taken = floats;
        return jsBackend.createMemory(floats);
      },
    };
    const executable = new Executable(outputs, counting);
    expect(taken).toBe(0);
    executable.run();
    expect(executable.arenaBytes).toBe(4 * taken);
  });
});
