import { describe, expect, it } from 'vitest';
import { labelsIn } from './labels.ts';

describe('labels as lines', () => {
  it('are names and values; the value may hold "="', () => {
    expect(labelsIn('fleet=beta\n\n  ring = a=b ')).toEqual({ fleet: 'beta', ring: 'a=b' });
    expect(labelsIn('')).toEqual({});
  });

  it('are refused where a line has no name or no "="', () => {
    expect(labelsIn('fleet')).toBeUndefined();
    expect(labelsIn('=beta')).toBeUndefined();
  });
});
