import { Plan } from '@starling/protocol/schemas';
import { describe, expect, it } from 'vitest';
import { rangeOf, writingAt } from './places.ts';
import { membersOffered, schemasAt, valuesOffered, type Schema } from './schema.ts';

const text = `{
  "cohort": { "goal": 3, "minimum": 5 },
  "shares": [0.2, 0.9],
  "learning": {
    "algorithm": "reptile"
  }
}`;
const at = (pointer: string) => {
  const { from, to } = rangeOf(text, pointer);
  return text.slice(from, to);
};

describe('places in a JSON text', () => {
  it('are found by their pointer', () => {
    expect(at('/cohort/minimum')).toBe('5');
    expect(at('/shares/1')).toBe('0.9');
    expect(at('/learning')).toBe('"learning"');
  });

  it('of what is missing are the name of what lacks it', () => {
    expect(at('/learning/steps')).toBe('"learning"');
    expect(at('/nothing/here')).toBe('{');
  });

  it('outlive a text that is no JSON', () => {
    const { from, to } = rangeOf('{ "a": [1, }', '/a/7');
    expect(from).toBeLessThanOrEqual(to);
    expect(rangeOf('', '/a')).toEqual({ from: 0, to: 0 });
  });

  it('say what is being written there', () => {
    const inside = text.indexOf('"minimum"');
    expect(writingAt(text, inside)).toMatchObject({ path: ['cohort'], known: ['goal', 'minimum'] });
    const value = text.indexOf('"reptile"') + 3;
    expect(writingAt(text, value)).toMatchObject({ path: ['learning'], member: 'algorithm' });
    const broken = '{ "learning": { "algorithm": }';
    expect(writingAt(broken, broken.indexOf('}') - 1)).toMatchObject({
      path: ['learning'],
      member: 'algorithm',
    });
  });
});

describe('what a schema offers', () => {
  const schema: Schema = Plan as Schema; // a JSON Schema, of which this reads a part
  const names = (document: unknown, path: string[], known: string[]) =>
    membersOffered(schemasAt(schema, document, path), known).map(({ label }) => label);

  it('are the members of the branch that the document is of', () => {
    const document = { learning: { algorithm: 'reptile' } };
    expect(names(document, ['learning'], ['algorithm'])).toEqual(['steps', 'batchSize', 'rate', 'clipNorm']);
    expect(names({}, ['learning'], []).length).toBeGreaterThan(8);
    expect(names({}, [], ['rounds'])).not.toContain('rounds');
  });

  it('are the values that it lists', () => {
    expect(valuesOffered(schemasAt(schema, {}, ['learning', 'algorithm'])).map(({ label }) => label)).toEqual(
      ['"fedavg"', '"reptile"', '"fomaml"', '"maml"', '"meta-sgd"'],
    );
    expect(valuesOffered(schemasAt(schema, {}, ['secure', 'ring'])).map(({ label }) => label)).toEqual([
      '16',
      '32',
    ]);
  });

  it('begin with the default, and say what is needed', () => {
    const offers = membersOffered(schemasAt(schema, {}, ['cohort']), ['goal']);
    expect(offers.find(({ label }) => label === 'overSelection')?.insert).toBe('"overSelection": 1.3');
    expect(offers.filter(({ needed }) => needed).map(({ label }) => label)).toContain('minimum');
  });
});
