import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { WeightedSum } from '@starling/aggregation';
import type { CaseOptions } from '../benches.ts';
import { minimum } from '../statistics.ts';
import { row, verdict, type Report } from './rows.ts';

const size = 1_000_000;
const block = { name: 'parameters', size, scaleBits: 24, clip: 64, weighted: true, limbs: 1 } as const;
const script = fileURLToPath(new URL('../../contenders/flower_fedavg.py', import.meta.url));
/** As the server folds them. */
const together = 8;
const runs = 5;

/** 100 and 1,000 clear updates of 1,000,000 values, with their checks, beside FedAvg of Flower in turns of one run. */
export async function benchFold(report: Report, { flower }: CaseOptions): Promise<void> {
  const name = 'fold';
  if (flower === undefined) console.error('flower is left out: name a Python that has flwr with --flower.');
  const updates = Array.from({ length: 16 }, (_, which) =>
    new Float32Array(size).map((_, index) => ((index * 31 + which * 17) % 1000) / 1000 - 0.5),
  );
  for (const count of [100, 1_000]) {
    const ours: number[] = [];
    const theirs: number[] = [];
    let most = 0;
    for (let run = 0; run < runs; run++) {
      ours.push(fold(updates, count));
      most = Math.max(most, process.memoryUsage().rss / 2 ** 20);
      if (flower === undefined) continue;
      const { stdout } = await promisify(execFile)(flower, [script, `${count}`, `${size}`]);
      const { ms, mb } = JSON.parse(stdout) as { ms: number; mb: number }; // our own script wrote it
      theirs.push(ms);
      if (run === 0) report(row(name, 'flower', `n = ${count}, d = 1e6: resident`, 'MB', [mb]));
    }
    report(row(name, 'starling', `n = ${count}, d = 1e6`, 'ms', ours));
    report(row(name, 'starling', `n = ${count}, d = 1e6: resident, 16 updates included`, 'MB', [most]));
    if (theirs.length === 0) continue;
    report(row(name, 'flower', `n = ${count}, d = 1e6`, 'ms', theirs));
    report(verdict(name, `n = ${count}: time over flower's`, minimum(ours) / minimum(theirs), 1, 'x'));
  }
}

function fold(updates: readonly Float32Array[], count: number): number {
  const sum = new WeightedSum([block]);
  const from = performance.now();
  for (let done = 0; done < count; done += together) {
    const many = Math.min(together, count - done);
    sum.addAll(
      Array.from({ length: many }, (_, index) => ({
        ...{ blocks: [updates[(done + index) % updates.length]!], weight: 20 + ((done + index) % 7) },
      })),
    );
  }
  sum.mean('parameters');
  return performance.now() - from;
}
