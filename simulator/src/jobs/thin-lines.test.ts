import { describe, expect, it } from 'vitest';
import { thinLines } from './thin-lines.ts';

describe('the lines of a long job', () => {
  const saidOf = (count: number) => {
    const said: number[] = [];
    const say = thinLines<number>((line) => said.push(line));
    for (let line = 0; line < count; line++) say(() => line);
    return said;
  };

  it('are all there up to a thousand', () => {
    expect(saidOf(1_000)).toEqual(Array.from({ length: 1_000 }, (_, line) => line));
  });

  it('thin out after that, to about ten thousand of a million', () => {
    const said = saidOf(1_000_000);
    expect(said.slice(999, 1_003)).toEqual([999, 1_000, 1_002, 1_004]);
    expect(said.length).toBeGreaterThan(9_000);
    expect(said.length).toBeLessThan(11_000);
  });
});
