import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LineageStep } from '@starling/protocol/api';
import { lineageItems, originOf, snake } from './lineage.ts';

/** A line of versions, newest first as the server tells it, from letters: s(tart), r(ound), j(ob). */
function line(kinds: string): LineageStep[] {
  return kinds
    .split('')
    .map(
      (kind, index) =>
        ({
          version: { id: `ver_${index}`, number: index, job: kind === 'j' ? 'job_1' : null },
          origin: kind === 'r' ? { kind: 'training', number: index, devices: 3 } : null,
        }) as unknown as LineageStep, // what the layout reads of it
    )
    .reverse();
}

const shown = (kinds: string, marked: string[] = [], whole = false) =>
  lineageItems(line(kinds), { whole, marked: new Set(marked), keep: 1 }).map((item) =>
    item.kind === 'gap' ? `(${item.first}-${item.last})` : String(item.step.version.number),
  );

describe('the line of a version', () => {
  it('runs from the first ancestor to itself', () => {
    expect(shown('srr')).toEqual(['0', '1', '2']);
    expect(line('srj').reverse().map(originOf)).toEqual(['start', 'round', 'job']);
  });

  it('leaves out the middle of long runs of rounds, but no job, no beginning and nothing marked', () => {
    expect(shown('srrrrrrr')).toEqual(['0', '1', '(2-5)', '6', '7']);
    expect(shown('srrrrrjrrrrr')).toEqual(['0', '1', '(2-4)', '5', '6', '7', '(8-9)', '10', '11']);
    expect(shown('srrrrrrrr', ['ver_4'])).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8']);
  });

  it('is whole on demand, and otherwise loses no version without counting it', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^s[rj]{0,60}$/), (kinds) => {
        expect(shown(kinds, [], true)).toHaveLength(kinds.length);
        const items = lineageItems(line(kinds), { whole: false, marked: new Set() });
        const counted = items.reduce((sum, item) => sum + (item.kind === 'gap' ? item.count : 1), 0);
        expect(counted).toBe(kinds.length);
      }),
    );
  });
});

describe('the places of a line', () => {
  it('turn at the end of each row', () => {
    expect(snake(5, 2).map(({ row, column }) => `${row}${column}`)).toEqual(['00', '01', '11', '10', '20']);
  });

  it('keep neighbours beside each other, and no two on one place', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 20 }), (count, columns) => {
        const places = snake(count, columns);
        expect(new Set(places.map(({ row, column }) => `${row},${column}`)).size).toBe(count);
        places.slice(1).forEach(({ row, column }, index) => {
          const before = places[index]!;
          expect(Math.abs(row - before.row) + Math.abs(column - before.column)).toBe(1);
        });
      }),
    );
  });
});
