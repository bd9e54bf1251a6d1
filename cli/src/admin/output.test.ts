import { describe, expect, it } from 'vitest';
import { record, table } from './output.ts';

describe('output for people', () => {
  it('lines columns up, reaches into members, and shows what is not there', () => {
    const items = [
      { id: 'a', plan: { rounds: 12 }, reason: null },
      { id: 'longer', plan: {}, reason: 'x' },
    ];
    expect(table(items, ['id', 'plan.rounds', 'reason'])).toBe(
      ['id      plan.rounds  reason', 'a       12           -', 'longer  -            x'].join('\n'),
    );
  });

  it('keeps a name from steering the terminal', () => {
    const text = record({ name: '\u001b[2Jgone\nid  forged', labels: { a: '\u009b1m' } });
    expect(text).toBe('name    ?[2Jgone?id  forged\nlabels  {"a":"?1m"}');
  });
});
