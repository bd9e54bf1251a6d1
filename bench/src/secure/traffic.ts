import { unmaskingThreads } from '@starling/server';
import { maximum, median } from '../statistics.ts';
import { BenchGroup } from './group.ts';
import { row, verdict, type Report } from './rows.ts';

const size = 100;
const length = 1_000_000;

/** Every message of a group of 100 as it is: headers of HTTP and the base64 of answers aside, which `http-100` counts. */
export async function benchTraffic(report: Report): Promise<void> {
  const name = 'traffic-100';
  const unmasking = unmaskingThreads({ threads: 2 });
  try {
    for (const ring of [32, 16] as const) {
      const group = await BenchGroup.of({ size, length, ring, dropOutPermille: 200, dropOuts: 0 });
      await group.reachMasking();
      const summed = await group.reachSum(unmasking);
      await unmasking.apply(summed.work, summed.sum);
      group.check(summed, summed.sum);
      const clear = 4 * length;
      const upEach = group.devices.map(({ up }) => up / length);
      const expansion = group.devices.map(({ up, down }) => (up + down) / clear);
      report(row(name, `${ring}-bit ring`, 'sent, a coordinate', 'B', upEach));
      report(row(name, `${ring}-bit ring`, 'sent and received over a clear update', 'x', expansion));
      report(
        verdict(name, `${ring}-bit ring, sent a coordinate`, maximum(upEach), ring === 32 ? 4.1 : 2.1, 'B'),
      );
      if (ring === 32) report(verdict(name, 'over a clear update', median(expansion), 1.05, 'x'));
    }
    report({
      ...{ bench: 'secure', case: name, contender: 'flower 1.41 SecAgg+' },
      quoted: '8.0 B a coordinate sent',
    });
  } finally {
    await unmasking.close();
  }
}
