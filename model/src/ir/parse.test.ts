import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cnn, mlp } from '../testing/models.ts';
import { ModelError } from './errors.ts';
import { parseModel } from './parse.ts';

type Change = (ir: ReturnType<typeof mlp>) => void;

function refusal(change: Change, limits = {}): ModelError {
  const ir = mlp(5, 4, 3);
  change(ir);
  try {
    parseModel(ir, limits);
  } catch (error) {
    if (error instanceof ModelError) return error;
    throw error;
  }
  throw new Error('The model was accepted.');
}

describe('parseModel', () => {
  it('infers the shape of every value', () => {
    const model = parseModel(cnn(16, 3, 4));
    expect(model.inputShape).toEqual([16, 3]);
    expect(model.classes).toBe(4);
    expect(model.nodeShapes.get('c1')).toEqual(['B', 8, 4]);
    expect(model.nodeShapes.get('p1')).toEqual(['B', 7, 4]);
    expect(model.nodeShapes.get('c2')).toEqual(['B', 7, 5]);
    expect(model.nodeShapes.get('p2')).toEqual(['B', 3, 5]);
    expect(model.nodeShapes.get('logits')).toEqual(['B', 4]);
  });

  it('writes every default out, so that the same model always has the same IR', () => {
    const model = parseModel(cnn(16, 3, 4));
    expect(model.ir.nodes[0]?.attrs).toEqual({ stride: 2, pads: [1, 1] });
    expect(model.ir.nodes[4]?.attrs).toEqual({ size: 2, stride: 2, floor: true });
    expect(model.ir.params[0]).toMatchObject({ share: 'global', group: 'body' });
    expect(model.ir.metrics).toEqual(['accuracy']);
    const again = parseModel(JSON.parse(JSON.stringify(model.ir)));
    expect(again.ir).toEqual(model.ir);
  });

  it('gives a frozen model', () => {
    const model = parseModel(mlp(5, 4, 3));
    expect(Object.isFrozen(model)).toBe(true);
    expect(Object.isFrozen(model.ir.params[0]?.init)).toBe(true);
  });

  it('keeps what the author recommends to a plan', () => {
    const meta = {
      algorithm: 'meta-sgd',
      order: 2,
      innerSteps: 1,
      innerRate: { learned: 0.1 },
      adapt: ['head'],
    };
    const model = parseModel({ ...mlp(5, 4, 3), meta });
    expect(model.ir.meta).toEqual(meta);
    expect(model.parameters.filter((parameter) => parameter.adapts).map((parameter) => parameter.id)).toEqual(
      ['output/w', 'output/b'],
    );
  });

  const cases: [string, Change, string, string][] = [
    ['another version', (ir) => (ir.umir = 2), 'model-version-unsupported', 'umir'],
    ['an unknown key', (ir) => (ir.colour = 'red'), 'model-unknown-key', ''],
    [
      'an unknown attribute',
      (ir) => (ir.nodes[2].attrs = { slope: 1 }),
      'model-unknown-key',
      'nodes[2].attrs',
    ],
    ['an unknown op', (ir) => (ir.nodes[2].op = 'swish'), 'model-unknown-op', 'nodes[2].op'],
    [
      'an op named like an inherited key',
      (ir) => (ir.nodes[2].op = 'constructor'),
      'model-unknown-op',
      'nodes[2].op',
    ],
    [
      'a value used before its definition',
      (ir) => ir.nodes.reverse(),
      'model-undefined-value',
      'nodes[0].in[0]',
    ],
    [
      'a node that uses itself',
      (ir) => (ir.nodes[2].in = ['active']),
      'model-undefined-value',
      'nodes[2].in[0]',
    ],
    ['labels used as features', (ir) => (ir.nodes[2].in = ['y']), 'model-undefined-value', 'nodes[2].in[0]'],
    ['an id used twice', (ir) => (ir.nodes[2].out = 'h'), 'model-duplicate-id', 'nodes[2].out'],
    ['too many inputs', (ir) => (ir.nodes[2].in = ['h', 'h']), 'model-wrong-arity', 'nodes[2].in'],
    ['too few inputs', (ir) => (ir.nodes[1].in = ['z']), 'model-wrong-arity', 'nodes[1].in'],
    ['a shape that does not fit', (ir) => (ir.params[2].shape = [6, 4]), 'model-shape-mismatch', 'nodes[1]'],
    ['a bias that does not fit', (ir) => (ir.params[3].shape = [5]), 'model-shape-mismatch', 'nodes[1]'],
    ['other classes than logits', (ir) => (ir.inputs[1].classes = 4), 'model-classes-mismatch', 'loss.in[0]'],
    [
      'a loss of something else',
      (ir) => (ir.loss.in = ['logits', 'x']),
      'model-undefined-value',
      'loss.in[1]',
    ],
    [
      'a parameter that nothing uses',
      (ir) => ir.params.push({ id: 'spare', shape: [2], init: { kind: 'zeros' } }),
      'model-unused-value',
      'params[6].id',
    ],
    [
      'a node that nothing uses',
      (ir) => ir.nodes.push({ op: 'relu', in: ['z'], out: 'spare' }),
      'model-unused-value',
      'nodes[4].out',
    ],
    [
      'NaN',
      (ir) => (ir.params[2].init = { kind: 'constant', value: NaN }),
      'model-malformed',
      'params[2].init.value',
    ],
    [
      'an infinite fan',
      (ir) => (ir.params[2].init = { kind: 'uniform', fan: Infinity }),
      'model-malformed',
      'params[2].init.fan',
    ],
    ['a fraction as an axis', (ir) => (ir.params[3].shape = [4.5]), 'model-malformed', 'params[3].shape[0]'],
    ['an axis of 0', (ir) => (ir.params[3].shape = [0]), 'model-malformed', 'params[3].shape[0]'],
    ['a batch in a parameter', (ir) => (ir.params[3].shape = ['B']), 'model-malformed', 'params[3].shape[0]'],
    ['an unsafe id', (ir) => (ir.params[3].id = '../b'), 'model-malformed', 'params[3].id'],
    [
      'a parameter called like a rate',
      (ir) => (ir.params[3].id = 'rate/b'),
      'model-malformed',
      'params[3].id',
    ],
    [
      'statistics elsewhere',
      (ir) => (ir.params[3].init = { kind: 'inputMean' }),
      'model-statistics-misplaced',
      'nodes[1].in',
    ],
    [
      'half a pair of statistics',
      (ir) => (ir.params[1].init = { kind: 'ones' }),
      'model-statistics-misplaced',
      'nodes[0].in',
    ],
    ['a missing loss', (ir) => delete (ir as Record<string, unknown>).loss, 'model-malformed', 'loss'],
    [
      'two inputs of features',
      (ir) => (ir.inputs[1] = { id: 'v', shape: ['B', 2] }),
      'model-malformed',
      'inputs',
    ],
  ];
  it.each(cases)('refuses %s', (_, change, code, path) => {
    const error = refusal(change);
    expect([error.code, error.path]).toEqual([code, path]);
  });

  it('says in the message which shapes did not fit', () => {
    const { message } = refusal((ir) => (ir.params[2].shape = [6, 4]));
    expect(message).toContain('x [B, 5], w [6, 4], b [4]');
    expect(message).toContain('expected 5');
  });

  it('refuses a key __proto__ that JSON.parse made a field of', () => {
    const text = JSON.stringify(mlp(5, 4, 3)).replace('"umir":1', '"umir":1,"__proto__":{"name":"x"}');
    expect(() => parseModel(JSON.parse(text))).toThrow(ModelError);
  });

  it('takes no field from a prototype', () => {
    const { name, ...rest } = mlp(5, 4, 3);
    expect(() => parseModel(Object.assign(Object.create({ name }) as object, rest))).toThrow(/name/);
  });

  it.each([
    ['nodes', { maxNodes: 3 }],
    ['parameter tensors', { maxParameterTensors: 5 }],
    ['parameters', { maxParameters: 40 }],
    ['rank', { maxRank: 1 }],
    ['values of a tensor', { maxTensorValues: 19 }],
  ])('keeps to the limit of %s', (_, limits) => {
    expect(refusal(() => undefined, limits).code).toBe('model-limit-exceeded');
  });

  it('keeps to the limit of the length of an id', () => {
    expect(refusal(() => undefined, { maxIdLength: 8 }).code).toBe('model-malformed');
  });

  it('refuses a huge tensor before its size overflows', () => {
    const huge = Array.from({ length: 6 }, () => 2 ** 25);
    expect(refusal((ir) => (ir.params[2].shape = huge)).code).toBe('model-limit-exceeded');
  });

  it('accepts or refuses with a ModelError whatever is changed in a document', () => {
    const json = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.constantFrom<unknown>(
        'B',
        'x',
        'y',
        'logits',
        'relu',
        'conv1d',
        0,
        1,
        -1,
        2 ** 53,
        1e308,
        NaN,
        null,
        [],
        {},
        undefined,
      ),
    );
    const base = fc.constantFrom(mlp(5, 4, 3), cnn(16, 3, 4));
    fc.assert(
      fc.property(
        base,
        fc.array(fc.tuple(fc.nat(), json, fc.boolean()), { minLength: 1, maxLength: 3 }),
        (ir, changes) => {
          const mutant: unknown = structuredCloneOf(ir);
          for (const [place, value, remove] of changes) mutate(mutant, place, value, remove);
          try {
            parseModel(mutant);
          } catch (error) {
            expect(error).toBeInstanceOf(ModelError);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});

function structuredCloneOf(json: unknown): unknown {
  return JSON.parse(JSON.stringify(json));
}

/** Replaces or removes the `place`-th value of a document, counted through all its levels. */
function mutate(document: unknown, place: number, value: unknown, remove: boolean): void {
  const places: [Record<string, unknown>, string][] = [];
  const walk = (node: unknown) => {
    if (typeof node !== 'object' || node === null) return;
    for (const key of Object.keys(node)) {
      places.push([node as Record<string, unknown>, key]);
      walk((node as Record<string, unknown>)[key]);
    }
  };
  walk(document);
  const chosen = places[place % places.length];
  if (places.length === 0) return;
  const [parent, key] = chosen;
  if (!remove) parent[key] = value;
  else if (Array.isArray(parent)) parent.splice(Number(key), 1);
  else Reflect.deleteProperty(parent, key);
}
