import { benchClient } from './client.ts';
import { benchHttp, benchMemory } from './http.ts';
import { benchMask } from './mask.ts';
import type { Report } from './rows.ts';
import { benchShamir } from './shamir.ts';
import { benchTraffic } from './traffic.ts';
import { benchUnmask, type UnmaskCase } from './unmask.ts';

const unmasked: readonly UnmaskCase[] = [
  {
    name: 'unmask-100',
    spec: { size: 100, length: 1_000_000, ring: 32, dropOuts: 10 },
    ...{ graph: { dropOutPermille: 200 }, runs: 5, limitSeconds: 1 },
  },
  {
    name: 'unmask-128',
    spec: { size: 128, length: 1_000_000, ring: 32, dropOuts: 38 },
    ...{ graph: { dropOutPermille: 300 }, runs: 5, limitSeconds: 4 },
  },
  {
    name: 'unmask-1000',
    spec: { size: 1000, length: 1_000_000, ring: 32, dropOuts: 50 },
    ...{ graph: { degree: 64 }, runs: 3, limitSeconds: 7 },
  },
];

/** By name, in the order in which they are run: each in a process of its own. */
export const cases: Readonly<Record<string, (report: Report) => Promise<void>>> = {
  mask: benchMask,
  shamir: benchShamir,
  'client-100': benchClient,
  ...Object.fromEntries(unmasked.map((one) => [one.name, (report: Report) => unmask(one, report)])),
  'traffic-100': benchTraffic,
  'http-100': benchHttp,
  'memory-1000': benchMemory,
};

async function unmask(one: UnmaskCase, report: Report): Promise<void> {
  await benchUnmask(one, report);
  if (one.name === 'unmask-128') {
    report({ bench: 'secure', case: one.name, contender: 'flower 1.41 SecAgg+', quoted: '24.5 s' });
  }
}
