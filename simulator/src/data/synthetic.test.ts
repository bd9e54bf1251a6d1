import { describe, expect, it } from 'vitest';
import { examplesOf, inputShape } from './examples.ts';
import { partition } from './partition.ts';
import { syntheticWrist } from './synthetic.ts';
import { SoftmaxRegression } from './testing/softmax-regression.ts';

describe('synthetic wrist motion', () => {
  it('says that it is synthetic wherever it can be named', () => {
    const pack = syntheticWrist(1, { users: 3 });
    expect(pack.name).toBe('synthetic-wrist');
    for (const text of [pack.name, pack.title, pack.path, ...pack.users.map(({ id }) => id)])
      expect(text).toMatch(/synthetic/i);
  });

  it('has windows, recordings and folds as a real watch pack has', () => {
    const pack = syntheticWrist(1, { users: 5, classes: 4 });
    expect(inputShape(pack)).toEqual([64, 6]);
    expect(pack.classes).toHaveLength(4);
    expect(partition(pack, { fold: 2 }).heldOut).toEqual(['synthetic-03']);
    const { y, recording } = examplesOf(pack, 'synthetic-01');
    for (let part = 0; part < 8; part++)
      expect(new Set(y.filter((_, row) => recording![row] === part))).toEqual(new Set([0, 1, 2, 3]));
  });

  it('is the same for the same seed, whatever number of people, and other for another seed', () => {
    const pack = syntheticWrist(5, { users: 3 });
    expect(syntheticWrist(5, { users: 3 }).sha256).toBe(pack.sha256);
    expect(syntheticWrist(6, { users: 3 }).sha256).not.toBe(pack.sha256);
    expect(examplesOf(syntheticWrist(5, { users: 7 }), 'synthetic-03')).toEqual(
      examplesOf(pack, 'synthetic-03'),
    );
  });

  it('obeys physics: at rest the accelerometer shows gravity alone and the gyroscope next to nothing', () => {
    const { x, y } = examplesOf(syntheticWrist(3, { users: 1 }), 'synthetic-01');
    for (const row of y.keys()) {
      if (y[row] !== 0) continue;
      const mean = [0, 0, 0, 0, 0, 0].map((_, c) => {
        let sum = 0;
        for (let t = 0; t < 64; t++) sum += x[(row * 64 + t) * 6 + c]!;
        return sum / 64;
      });
      expect(Math.hypot(...mean.slice(0, 3))).toBeCloseTo(1, 1);
      expect(Math.hypot(...mean.slice(3))).toBeLessThan(0.2);
    }
  });

  it('rewards adapting: one recording of a held-out person is worth more than five points', () => {
    const pack = syntheticWrist(1, { users: 20 });
    const { train, heldOut } = partition(pack, { fold: 0 });
    const people = (ids: readonly string[]) => ids.map((id) => summarised(examplesOf(pack, id)));
    const learners = people(train);
    const standard = standardiser(learners.flatMap(({ rows }) => rows));
    const pooled = SoftmaxRegression.untrained(19, 6).fit(
      learners.flatMap(({ rows }) => rows.map(standard)),
      learners.flatMap(({ labels }) => labels),
      60,
      0.5,
    );
    const gains = people(heldOut).map(({ rows, labels, recording }) => {
      const of = <T>(values: readonly T[], keep: (recording: number) => boolean) =>
        values.filter((_, row) => keep(recording[row]!));
      const [support, query] = [(r: number) => r === 0, (r: number) => r >= 4];
      const [x, y] = [of(rows, query).map(standard), of(labels, query)];
      const adapted = pooled.copy().fit(of(rows, support).map(standard), of(labels, support), 10, 0.2);
      return adapted.accuracy(x, y) - pooled.accuracy(x, y);
    });
    expect(mean(gains)).toBeGreaterThan(0.05);
  });

  it.each([{ users: 0 }, { users: 1.5 }, { users: 3, classes: 1 }, { users: 3, classes: 9 }])(
    'refuses %j',
    (options) => {
      expect(() => syntheticWrist(1, options)).toThrow(RangeError);
    },
  );
});

/** Windows as 18 numbers: mean, log deviation and log of the mean step of each channel. */
function summarised({ x, y, recording }: ReturnType<typeof examplesOf>) {
  const rows = Array.from(y, (_, row) =>
    [0, 1, 2, 3, 4, 5].flatMap((c) => {
      const signal = Array.from({ length: 64 }, (__, t) => x[(row * 64 + t) * 6 + c]!);
      const centre = mean(signal);
      const deviation = Math.sqrt(mean(signal.map((value) => (value - centre) ** 2)));
      const step = mean(signal.slice(1).map((value, t) => Math.abs(value - signal[t]!)));
      return [centre, Math.log(deviation + 0.01), Math.log(step + 0.01)];
    }),
  );
  return { rows, labels: [...y], recording: [...recording!] };
}

/** Scales each number to mean 0 and deviation 1 over the rows given, and adds a constant 1. */
function standardiser(rows: readonly number[][]): (row: readonly number[]) => number[] {
  const columns = rows[0]!.map((_, i) => rows.map((row) => row[i]!));
  const centres = columns.map(mean);
  const spreads = columns.map((column, i) => Math.sqrt(mean(column.map((v) => (v - centres[i]!) ** 2))));
  return (row) => [...row.map((value, i) => (value - centres[i]!) / spreads[i]!), 1];
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
