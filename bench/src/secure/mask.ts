import { javaScriptMasks, wasmMasks, type Masks } from '@starling/secure';
import nacl from 'tweetnacl';
import { minimum } from '../statistics.ts';
import { row, timesOf, verdict, type Report } from './rows.ts';

/** 1 MB: a run that takes a millisecond is seldom interrupted. */
const words = 2 ** 18;
const rounds = 50;

/** ChaCha20, expanded and added to a vector of 2^18 words; beside it the secretbox of as many bytes, without the adding. */
export async function benchMask(report: Report): Promise<void> {
  const name = 'mask';
  const target = new Uint32Array(words);
  const halves = new Uint16Array(target.buffer);
  const plain = new Uint8Array(4 * words);
  const key = new Uint8Array(32).fill(7);
  const adds32 = (masks: Masks) => () => {
    masks.add32(key, target, 0, 1);
  };
  const adds16 = (masks: Masks) => () => {
    masks.add16(key, halves, 0, 1);
  };
  const contenders = [
    { contender: 'wasm', metric: 'expand and add', unit: 'ns/word', work: adds32(wasmMasks()), items: words },
    {
      ...{ contender: 'wasm, 16-bit ring', metric: 'expand and add', unit: 'ns/coordinate' },
      ...{ work: adds16(wasmMasks()), items: 2 * words },
    },
    {
      ...{ contender: 'javascript', metric: 'expand and add', unit: 'ns/word' },
      ...{ work: adds32(javaScriptMasks()), items: words },
    },
    {
      ...{ contender: 'tweetnacl secretbox', metric: 'seal as many bytes', unit: 'ns/word' },
      work: () => nacl.secretbox(plain, new Uint8Array(24), key),
      items: words,
    },
  ].map((one) => ({ ...one, times: [] as number[] }));
  for (const { work } of contenders) await timesOf(3, work);
  // In turns, so that a busy neighbour meets all of them.
  for (let round = 0; round < rounds; round++)
    for (const one of contenders) one.times.push(...(await timesOf(1, one.work)));
  const least = (contender: string) => {
    const { times, items } = contenders.find((one) => one.contender === contender)!; // one of the names above
    return (1e6 * minimum(times)) / items;
  };
  for (const { contender, metric, unit, times, items } of contenders) {
    const each = times.map((time) => (1e6 * time) / items);
    report(row(name, contender, metric, unit, each));
  }
  report(verdict(name, 'wasm', least('wasm'), 3.2, 'ns/word'));
  report(verdict(name, 'javascript', least('javascript'), 8, 'ns/word'));
  report(verdict(name, 'secretbox / wasm', least('tweetnacl secretbox') / least('wasm'), 10, 'x', true));
}
