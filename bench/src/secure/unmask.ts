import { applyMasks, bestMasks } from '@starling/secure';
import { unmaskingThreads } from '@starling/server';
import { minimum } from '../statistics.ts';
import { BenchGroup, dropOutPermilleFor, type GroupSpec } from './group.ts';
import { row, timesOf, verdict, type Report } from './rows.ts';

export interface UnmaskCase {
  readonly name: string;
  readonly spec: Omit<GroupSpec, 'dropOutPermille'>;
  /** Neighbours of each, or what the coordinator asks groups to bear. */
  readonly graph: { readonly degree: number } | { readonly dropOutPermille: number };
  readonly runs: number;
  readonly limitSeconds: number;
}

/** The group's sum, from the last share that it needs to the words. Each is unmasked to the plain sum, or the case fails. */
export async function benchUnmask(
  { name, spec, graph, runs, limitSeconds }: UnmaskCase,
  report: Report,
): Promise<void> {
  const threads = 2;
  const unmasking = unmaskingThreads({ threads, wordsAtOnce: 0 });
  try {
    const dropOutPermille =
      'degree' in graph ? dropOutPermilleFor(spec.size, graph.degree) : graph.dropOutPermille;
    const group = await BenchGroup.of({ ...spec, dropOutPermille });
    await group.reachMasking();
    const summed = await group.reachSum(unmasking);
    const rebuildSeconds = group.serverMs.unmasking! / 1000; // it was in that phase
    const metric = `n = ${spec.size}, d = ${spec.length}, k = ${group.degree}, ${spec.dropOuts} dropped, ${summed.work.length} streams`;
    const secondsIn = async (times: number, work: (sum: typeof summed.sum) => unknown) => {
      const found: number[] = [];
      for (let run = 0; run < times; run++) {
        const sum = summed.sum.slice();
        found.push(...(await timesOf(1, () => work(sum))).map((time) => time / 1000 + rebuildSeconds));
        group.check(summed, sum);
      }
      return found;
    };
    const processorSeconds: number[] = [];
    const inThreads = await secondsIn(runs, async (sum) => {
      const before = process.cpuUsage();
      await unmasking.apply(summed.work, sum);
      const { user, system } = process.cpuUsage(before);
      processorSeconds.push((user + system) / 1e6);
    });
    const inOne = await secondsIn(1, (sum) => {
      applyMasks(bestMasks(), summed.work, sum);
    });
    report(row(name, `${threads} threads`, `rebuild and unmask, ${metric}`, 's', inThreads));
    report(row(name, `${threads} threads`, `unmask, processor time, ${metric}`, 's', processorSeconds));
    report(row(name, 'one loop', `rebuild and unmask, ${metric}`, 's', inOne));
    report(row(name, 'server', `rebuild, ${metric}`, 's', [rebuildSeconds]));
    report(verdict(name, `${threads} threads`, minimum(inThreads), limitSeconds, 's'));
  } finally {
    await unmasking.close();
  }
}
