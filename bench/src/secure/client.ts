import { javaScriptMasks, stepClient } from '@starling/secure';
import { minimum } from '../statistics.ts';
import { BenchGroup, dropOutPermilleFor } from './group.ts';
import { row, timesOf, verdict, type Report } from './rows.ts';

const size = 100;
const length = 1_000_000;
/** No assumption gives 50 for 100 devices; the next is 52. */
const degree = 50;

/** The step of a device from its update to its masked upload: key agreement with every neighbour, masks, digest. */
export async function benchClient(report: Report): Promise<void> {
  const name = 'client-100';
  const group = await BenchGroup.of({
    ...{ size, length, ring: 32, dropOuts: 0 },
    dropOutPermille: dropOutPermilleFor(size, degree),
  });
  await group.reachMasking();
  const device = group.devices[0]!;
  const { state, environment } = device;
  const vector = group.updateOf(device);
  const metric = `mask, n = ${size}, d = 1e6, k = ${group.degree}`;
  const mask = (masks = environment.masks) =>
    stepClient(state!, { kind: 'update', vector }, { ...environment, masks }); // it has an inbox
  await timesOf(2, () => mask());
  const times = await timesOf(9, () => mask());
  report(row(name, 'wasm', metric, 'ms', times));
  report(row(name, 'javascript', metric, 'ms', await timesOf(3, () => mask(javaScriptMasks()))));
  report(verdict(name, 'wasm', minimum(times), 170, 'ms'));
}
