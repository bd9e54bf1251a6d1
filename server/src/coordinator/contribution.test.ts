import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProblemError, writeUpdateFile, type UpdateBlock } from '@starling/protocol';
import { readContribution, updateByteLimit } from './contribution.ts';

const blocks: UpdateBlock[] = [
  { name: 'parameters', size: 5, scaleBits: 24, clip: 64, weighted: true, limbs: 1 },
  { name: 'metrics', size: 2, scaleBits: 20, clip: 2 ** 20, weighted: false, limbs: 1 },
];
const values = { parameters: [1, -2, 0.5, 64, -64], metrics: [3, 4] };

/** Reads bytes, and gives the code with which they were refused, if they were. */
function codeOf(bytes: Uint8Array, clipNorm?: number): string | undefined {
  try {
    readContribution(bytes, blocks, 4096, clipNorm);
    return undefined;
  } catch (error) {
    if (error instanceof ProblemError) return error.code;
    throw error;
  }
}

describe('an update file', () => {
  it('gives the values and the weight that were written', () => {
    const { blocks: read, weight } = readContribution(writeUpdateFile(blocks, values, 7), blocks, 4096);
    expect(read.map((vector) => Array.from(vector))).toEqual([values.parameters, values.metrics]);
    expect(weight).toBe(7);
    expect(writeUpdateFile(blocks, values, 7).length).toBeLessThanOrEqual(updateByteLimit(blocks));
  });

  it('is read or refused with a code of updates, whatever its bytes are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        expect(codeOf(bytes)).toMatch(/^update-/);
      }),
    );
  });

  it('is read or refused with a code of updates, whatever is changed in it', () => {
    const whole = writeUpdateFile(blocks, values, 7);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 0, max: 20 }),
        (changes, cut) => {
          const bytes = whole.slice(0, whole.length - cut);
          for (const [place, value] of changes) if (place < bytes.length) bytes[place] = value;
          const code = codeOf(bytes);
          if (code === undefined) {
            const { blocks: read, weight } = readContribution(bytes, blocks, 4096);
            for (const value of read.flatMap((vector) => Array.from(vector))) {
              expect(Number.isFinite(value)).toBe(true);
            }
            expect(weight).toBeGreaterThanOrEqual(1);
          } else {
            expect(code).toMatch(/^update-/);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it('is refused when it is longer than the norm that it was to be clipped to', () => {
    const bytes = writeUpdateFile(blocks, { parameters: [3, 4] }, 1);
    expect(codeOf(bytes, 5)).toBeUndefined();
    expect(codeOf(bytes, 4.9)).toBe('update-norm-exceeded');
  });
});
