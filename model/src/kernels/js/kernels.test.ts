import { describe, expect, it } from 'vitest';
import { Executable } from '../../plan/executable.ts';
import { primitiveCases } from '../../testing/primitives.ts';
import { evaluate } from '../../testing/reference.ts';
import { jsBackend } from './index.ts';

describe('JavaScript kernels', () => {
  it.each(primitiveCases)('$name agrees with its definition', ({ build }) => {
    for (let seed = 0; seed < 5; seed++) {
      const { value, leaves } = build(seed);
      const executable = new Executable([value], jsBackend);
      for (const [leaf, values] of leaves) executable.place(leaf)?.set(values);
      executable.run();
      const [wanted] = evaluate([value], leaves);
      const found = executable.place(value)!;
      wanted.forEach((x, i) => {
        expect(Math.abs(found[i] - x)).toBeLessThanOrEqual(1e-6 * Math.max(1, Math.abs(x)));
      });
    }
  });

  it('takes the first of equal maxima', () => {
    const { graph, leaves } = primitiveCases.find(({ name }) => name.startsWith('maxPoolIndex'))!.build(0);
    const [x] = leaves.keys();
    const index = graph.maxPoolIndex(x, { height: 3, width: 6, strideHeight: 1, strideWidth: 1 });
    const executable = new Executable([index], jsBackend);
    executable.place(x)!.fill(0.5);
    executable.run();
    expect([...executable.place(index)!]).toEqual([0, 1, 0, 1]);
  });

  it('keeps softmax and cross-entropy finite for large logits', () => {
    const { graph } = primitiveCases[0].build(0);
    const logits = graph.leaf('logits', [1, 3]);
    const labels = graph.leaf('labels', [1]);
    const [p, loss] = [graph.softmax(logits), graph.crossEntropy(logits, labels)];
    const executable = new Executable([p, loss], jsBackend);
    executable.place(logits)!.set([1000, 0, -1000]);
    executable.place(labels)!.set([1]);
    executable.run();
    expect([...executable.place(p)!]).toEqual([1, 0, 0]);
    expect(executable.place(loss)![0]).toBe(1000);
  });
});
