import { describe, expect, it } from 'vitest';
import { valueAt } from '../../../components/plan/document.ts';
import { draftOf, planFor, planIn, withText } from './draft.ts';

const zoo = import.meta.glob<unknown>('../../../../../model/zoo/*.json', { eager: true, import: 'default' });

describe('a draft', () => {
  it('follows its text, and keeps the last document while the text is none', () => {
    const draft = draftOf({ name: 'a', plan: { rounds: 1 } });
    const broken = withText(draft, '{ "name": ');
    expect(broken.document).toEqual(draft.document);
    expect(broken.fault).toMatch(/JSON/);
    const mended = withText(broken, '{ "name": "b" }');
    expect(mended).toEqual({ document: { name: 'b' }, text: '{ "name": "b" }', fault: undefined });
    expect(withText(draft, '[]').fault).toBeDefined();
  });

  it('is written as what it holds', () => {
    const { text, document } = draftOf({ name: 'a', plan: {} });
    expect(JSON.parse(text)).toEqual(document);
    expect(planIn(draftOf({ plan: 3 }))).toEqual({});
  });
});

describe('a plan for a model', () => {
  it('takes the algorithm and the rate that its author recommends', () => {
    const meta = { algorithm: 'meta-sgd', innerRate: { learned: 0.2 }, adapt: ['head'] };
    expect(planFor({ meta })['learning']).toMatchObject({ algorithm: 'meta-sgd', initialRate: 0.2 });
    expect(planFor({ optimiser: { kind: 'sgd', rate: 0.3 } })['learning']).toMatchObject({
      algorithm: 'fedavg',
      rate: 0.3,
    });
  });

  it('sums the moments of inputs only for a model that standardises them', () => {
    expect(planFor({ nodes: [{ op: 'standardise' }] })['statistics']).toBeDefined();
    expect(planFor({ nodes: [{ op: 'dense' }] })['statistics']).toBeUndefined();
  });

  it.each(Object.keys(zoo))('is there for %s', (path) => {
    expect(valueAt(planFor(zoo[path]), 'learning.algorithm')).toBeDefined();
  });
});
