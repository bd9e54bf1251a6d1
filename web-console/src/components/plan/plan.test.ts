import { Plan } from '@starling/protocol/schemas';
import { Value } from 'typebox/value';
import { describe, expect, it } from 'vitest';
import { plan as english } from '../../i18n/en/plan.ts';
import { plan as chinese } from '../../i18n/zh/plan.ts';
import { sideBySide } from './difference.ts';
import { labelsAsText, labelsIn, numbersIn } from './values.ts';
import { leavesOf, pointerOf, valueAt, withValue, type Json } from './document.ts';
import { problemsBeside, problemsOf } from './problems.ts';
import {
  algorithms,
  furtherOf,
  inOrder,
  optimisers,
  optionalSections,
  settings,
  settingsOf,
  startingPlan,
  withAlgorithm,
  withOptimiser,
  type SectionName,
} from './settings.ts';

function expectPlan(plan: Json): void {
  expect(Value.Errors(Plan, plan)).toEqual([]);
}
const whole = { ...startingPlan('meta-sgd'), ...optionalSections };

describe('a document', () => {
  it('is written at a path, with what is on the way, and keeps its order', () => {
    const document = withValue({ a: 1, b: { c: 2 } }, 'b.c', 3);
    expect(document).toEqual({ a: 1, b: { c: 3 } });
    expect(Object.keys(withValue(document, 'a', 9))).toEqual(['a', 'b']);
    expect(withValue(document, 'x.y', [1])).toEqual({ a: 1, b: { c: 3 }, x: { y: [1] } });
    expect(withValue(document, 'b.c', undefined)).toEqual({ a: 1, b: {} });
    expect(valueAt(document, 'b.c')).toBe(3);
    expect(valueAt(document, 'b.c.d')).toBeUndefined();
    expect(valueAt([1], '0')).toBeUndefined();
  });

  it('names places as JSON Pointers', () => {
    expect(pointerOf('cohort.select')).toBe('/cohort/select');
    expect(pointerOf('a/b~c')).toBe('/a~1b~0c');
  });
});

describe('a plan to begin with', () => {
  it.each(algorithms)('fits the schema for %s', (algorithm) => {
    expectPlan(startingPlan(algorithm, { rate: 0.2, statistics: true }));
    expect(startingPlan(algorithm, { rate: 0.2 })['learning']).toMatchObject({ algorithm });
    expect(JSON.stringify(startingPlan(algorithm, { rate: 0.2 })['learning'])).toContain('0.2');
  });

  it('fits with every optional section, and has a setting for each of its values', () => {
    expectPlan(whole);
    expect(furtherOf(whole)).toEqual([]);
  });

  it.each(algorithms)('fits after its algorithm is changed to %s, and keeps what both know', (algorithm) => {
    for (const before of algorithms) {
      const plan = withAlgorithm(
        {
          ...startingPlan(before),
          learning: { ...(startingPlan(before)['learning'] as object), clipNorm: 2 },
        },
        algorithm,
      );
      expectPlan(plan);
      expect(valueAt(plan, 'learning.clipNorm')).toBe(2);
    }
    const learned = withAlgorithm(
      { ...whole, evaluation: withValue(optionalSections.evaluation, 'spec.rate', 'learned') },
      algorithm,
    );
    const rates = [valueAt(learned, 'adaptation.rate'), valueAt(learned, 'evaluation.spec.rate')];
    expect(rates.every((rate) => rate === 'learned')).toBe(algorithm === 'meta-sgd');
  });

  it.each(optimisers)('fits after its optimiser is changed to %s', (kind) => {
    expectPlan(withOptimiser(startingPlan('fedavg'), kind));
  });
});

describe('settings of a plan', () => {
  it('have words for each of their options, in both languages', () => {
    const options = settings.flatMap((setting) => (setting.kind === 'choice' ? setting.options : []));
    for (const words of [english, chinese]) {
      expect(Object.keys(words.choice)).toEqual(expect.arrayContaining(options.map(String)));
    }
  });

  it('are each in the schema', () => {
    const known = new Set<string>();
    const walk = (schema: { properties?: object; anyOf?: object[] }, path: string) => {
      known.add(path);
      for (const branch of schema.anyOf ?? []) walk(branch, path);
      for (const [name, inner] of Object.entries(schema.properties ?? {}))
        walk(inner as object, path === '' ? name : `${path}.${name}`);
    };
    walk(Plan, '');
    expect(settings.map(({ path }) => path).filter((path) => !known.has(path))).toEqual([]);
  });

  it('are those of the chosen algorithm and optimiser', () => {
    const names = (plan: Parameters<typeof settingsOf>[0], section: SectionName) =>
      settingsOf(plan, section).map(({ path }) => path.split('.').at(-1));
    expect(names(startingPlan('fedavg'), 'learning')).toEqual([
      'algorithm',
      'epochs',
      'batchSize',
      'rate',
      'clipNorm',
    ]);
    expect(names(startingPlan('fedavg'), 'optimiser')).toEqual(['kind', 'rate']);
    expect(names(withOptimiser(startingPlan('fedavg'), 'momentum'), 'optimiser')).toContain('momentum');
  });

  it('leave over what has no setting of its own', () => {
    const plan = { ...startingPlan('fedavg'), hybrid: { everyRounds: 2 } };
    expect(furtherOf(plan)).toEqual([['hybrid.everyRounds', 2]]);
  });
});

describe('a plan in order', () => {
  it('is the same plan, whatever it holds', () => {
    const plan = {
      seed: 3,
      eligibility: {},
      hybrid: { work: { training: {}, data: 'x' }, everyRounds: 2 },
      ...whole,
      cohort: { select: { b: '1', a: '2' }, minimum: 2, goal: 4 },
    };
    expect(inOrder(plan)).toEqual(plan);
    expect(Object.keys(inOrder(plan)).slice(0, 3)).toEqual(['rounds', 'seed', 'maxWeight']);
    expect(inOrder({ ...startingPlan('fedavg'), eligibility: {} })).toHaveProperty('eligibility', {});
  });
});

describe('problems', () => {
  const problems = [
    { pointer: '/plan/cohort/goal', message: 'a' },
    { pointer: '/plan/learning/supportShares/0', message: 'b' },
    { pointer: '/plan/cohort/goals', message: 'c' },
    { pointer: '', message: 'd' },
  ];
  it('are found at their setting and below it, and nowhere else', () => {
    expect(problemsOf(problems, 'cohort.goal').map(({ message }) => message)).toEqual(['a']);
    expect(problemsOf(problems, 'learning.supportShares').map(({ message }) => message)).toEqual(['b']);
    expect(problemsBeside(problems, ['/plan/cohort']).map(({ message }) => message)).toEqual(['b', 'd']);
  });
});

describe('documents side by side', () => {
  it('show what differs, and what only some have, where it stands', () => {
    expect(
      sideBySide([
        { a: 1, c: [1, 2], d: 4 },
        { a: 1, b: { x: 2 }, c: [1, 3], d: 4 },
      ]),
    ).toEqual([
      { path: 'a', values: [1, 1], same: true },
      { path: 'b.x', values: [undefined, 2], same: false },
      {
        path: 'c',
        values: [
          [1, 2],
          [1, 3],
        ],
        same: false,
      },
      { path: 'd', values: [4, 4], same: true },
    ]);
  });

  it('has every value of every document', () => {
    expect(leavesOf(whole)).toHaveLength(sideBySide([whole]).length);
  });
});

describe('values that a person writes', () => {
  it('are numbers in a list, whatever parts them', () => {
    expect(numbersIn('0.2, 0.5')).toEqual([0.2, 0.5]);
    expect(numbersIn(' 1 5，20 ')).toEqual([1, 5, 20]);
    expect(numbersIn('1, two')).toEqual([1, 'two']);
    expect(numbersIn('')).toEqual([]);
  });

  it('are labels', () => {
    expect(labelsIn('split=train, app=a=b')).toEqual({ split: 'train', app: 'a=b' });
    expect(labelsIn('split')).toEqual({ split: '' });
    expect(labelsAsText(labelsIn('split=train, app=x'))).toBe('split=train, app=x');
  });
});
