import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromBase64 } from './base64.ts';
import { digestTensors } from './digest-tensors.ts';
import { readSafetensors } from './read-safetensors.ts';
import { SafetensorsError } from './safetensors-error.ts';
import type { Tensor } from './tensor.ts';
import { writeSafetensors } from './write-safetensors.ts';

const tensor = (name: string, shape: number[], ...values: number[]): Tensor => ({
  name,
  dtype: 'F32',
  shape,
  data: Float32Array.from(values),
});
const base = [tensor('a', [2], 1, 2), tensor('b', [1], 3)];

describe('the digest of tensors', () => {
  it('is what Python computes from the same framing, over a file that its library wrote', () => {
    const { tensors } = readSafetensors(
      fromBase64(
        'iAEAAAAAAAB7Il9fbWV0YWRhdGFfXyI6eyJvcmlnaW4iOiJweXRob24ifSwiw6kiOnsiZHR5cGUiOiJJNjQiLCJzaGFwZSI6WzJdLCJkYXRhX29mZnNldHMiOlswLDE2XX0sImVtcHR5Ijp7ImR0eXBlIjoiRjY0Iiwic2hhcGUiOlswLDNdLCJkYXRhX29mZnNldHMiOlsxNiwxNl19LCJ3ZWlnaHQiOnsiZHR5cGUiOiJGMzIiLCJzaGFwZSI6WzIsM10sImRhdGFfb2Zmc2V0cyI6WzE2LDQwXX0sImhhbGYiOnsiZHR5cGUiOiJGMTYiLCJzaGFwZSI6WzJdLCJkYXRhX29mZnNldHMiOls0MCw0NF19LCLvrIAiOnsiZHR5cGUiOiJVOCIsInNoYXBlIjpbMV0sImRhdGFfb2Zmc2V0cyI6WzQ0LDQ1XX0sIvCdkrMiOnsiZHR5cGUiOiJCT09MIiwic2hhcGUiOlsyXSwiZGF0YV9vZmZzZXRzIjpbNDUsNDddfX0gICAgIAcAAAAAAAAA+P////////8AAMA/AAAQwAAAQEAAAAAAAAAAgJW/1jMAPADACQEA',
      ),
    );
    expect([...tensors.keys()]).toEqual(['é', 'empty', 'weight', 'half', '\ufb00', '\u{1d4b3}']);
    expect(digestTensors(tensors.values())).toBe(
      '258cc582b5b842fa1d38cb9d46079b003307d394f42b89589d3973c47816a7d9',
    );
  });

  it('depends neither on order nor on the file around the tensors', () => {
    const digest = digestTensors(base);
    expect(digestTensors(base.toReversed())).toBe(digest);
    const { tensors } = readSafetensors(writeSafetensors(base, { any: 'thing' }));
    expect(digestTensors(tensors.values())).toBe(digest);
  });

  it('differs in every other way in which tensors can differ', () => {
    const others: Tensor[][] = [
      base,
      [],
      [base[0]!],
      [tensor('a', [2], 1, 2), tensor('c', [1], 3)],
      [tensor('a', [1, 2], 1, 2), tensor('b', [1], 3)],
      [tensor('a', [2], 1, 2), tensor('b', [], 3)],
      [tensor('a', [2], 1, 2), tensor('b', [1], 4)],
      [tensor('a', [2], 2, 1), tensor('b', [1], 3)],
      [tensor('a', [1], 1), tensor('b', [2], 2, 3)],
      [
        { name: 'a', dtype: 'U32', shape: [2], data: new Uint32Array(Float32Array.of(1, 2).buffer) },
        base[1]!,
      ],
      [tensor('z', [1], 0)],
      [tensor('z', [1], -0)],
    ];
    expect(new Set(others.map(digestTensors)).size).toBe(others.length);
  });

  it('changes with any bit of a value', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1 }),
        fc.nat(),
        fc.integer({ min: 0, max: 7 }),
        (values, at, bit) => {
          const flipped = values.slice();
          flipped[at % values.length]! ^= 1 << bit;
          const of = (data: Uint8Array) =>
            digestTensors([{ name: 'x', dtype: 'U8', shape: [data.length], data }]);
          expect(of(flipped)).not.toBe(of(values));
        },
      ),
    );
  });

  it('refuses what no file could hold', () => {
    expect(() => digestTensors([...base, tensor('a', [0])])).toThrow(SafetensorsError);
  });
});
