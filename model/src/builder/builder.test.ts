import { describe, expect, it } from 'vitest';
import { ModelError } from '../ir/errors.ts';
import { parseModel } from '../ir/parse.ts';
import { operations } from '../ops/index.ts';
import { initialise } from '../parameters/initialise.ts';
import { compile } from '../program/compile.ts';
import { modelBuilder, type ModelBuilder } from './model-builder.ts';
import { builtModels } from './testing/built.ts';
import { femnist } from './testing/example.ts';

function refusal(build: (m: ModelBuilder) => unknown): ModelError {
  try {
    build(modelBuilder('refused'));
  } catch (error) {
    if (error instanceof ModelError) return error;
    throw error;
  }
  throw new Error('The model was accepted.');
}

const raw = async (path: string) => ((await import(`${path}?raw`)) as { readonly default: string }).default;

describe('the example in the documentation', () => {
  it('is the one that runs here', async () => {
    const page = await raw('../../../docs/model-ir.md');
    const source = await raw('../../src/builder/testing/example.ts');
    expect(source).toContain('modelBuilder(');
    expect(page).toContain(source.replace('../../index.ts', '@starling/model'));
    expect(parseModel(femnist()).nodeShapes.get('out')).toEqual(['B', 62]);
  });

  it('stands beside a table of all ops', async () => {
    const page = await raw('../../../docs/model-ir.md');
    const table = page.slice(page.indexOf('## Ops'), page.indexOf('## Loss'));
    const named = [...table.matchAll(/^\| (`.*?) +\|/gm)].flatMap(([, cell]) =>
      [...cell.matchAll(/`(\w+)`/g)].map(([, op]) => op),
    );
    expect(named.sort()).toEqual([...operations.keys()].sort());
  });
});

describe('modelBuilder', () => {
  it('names, shapes and initialises parameters', () => {
    const ir = femnist();
    expect(ir.params.map(({ id, shape, group }) => [id, shape, group])).toEqual([
      ['conv2d-1/w', [5, 5, 1, 32], 'body'],
      ['conv2d-1/b', [32], 'body'],
      ['conv2d-2/w', [5, 5, 32, 64], 'body'],
      ['conv2d-2/b', [64], 'body'],
      ['dense-1/w', [3136, 2048], 'body'],
      ['dense-1/b', [2048], 'body'],
      ['out/w', [2048, 62], 'head'],
      ['out/b', [62], 'head'],
    ]);
    expect(ir.params[2].init).toEqual({ kind: 'uniform', fan: 5 * 5 * 32 });
    expect(parseModel(JSON.parse(JSON.stringify(ir))).ir).toEqual(ir);
  });

  it.each(Object.entries(builtModels))('writes %s as the parser would', (_, build) => {
    const ir = build();
    expect(parseModel(JSON.parse(JSON.stringify(ir))).ir).toEqual(ir);
  });

  it('has a call for every op', () => {
    const used = Object.values(builtModels).flatMap((build) => build().nodes.map(({ op }) => op));
    expect([...new Set(used)].sort()).toEqual([...operations.keys()].sort());
  });

  it('initialises recurrences by their state, norms as nothing, tables normally', () => {
    const kindOf = new Map(
      Object.values(builtModels).flatMap((build) => build().params.map(({ id, init }) => [id, init])),
    );
    expect(kindOf.get('lstm-1/wx')).toEqual({ kind: 'uniform', fan: 8 });
    expect(kindOf.get('lstm-1/b')).toEqual({ kind: 'uniform', fan: 8 });
    expect(kindOf.get('layerNorm-1/gamma')).toEqual({ kind: 'ones' });
    expect(kindOf.get('layerNorm-1/beta')).toEqual({ kind: 'zeros' });
    expect(kindOf.get('embedding-1/table')).toEqual({ kind: 'normal', deviation: 1 });
    expect(kindOf.get('depthwiseConv2d-1/w')).toEqual({ kind: 'uniform', fan: 9 });
  });

  it('gives models that train', () => {
    const model = parseModel(builtModels.perceptron());
    const params = initialise(model, 1);
    const x = Float32Array.from({ length: 8 * 5 }, (_, i) => (i % 7) / 7 + (i % 3));
    const examples = { x, y: Int32Array.from({ length: 8 }, (_, i) => i % 3), count: 8 };
    const program = compile(model, { batch: 8 });
    const before = program.evaluate(params, examples).loss;
    for (let step = 0; step < 30; step++) program.train(params, examples, { rate: 0.1 });
    expect(program.evaluate(params, examples).loss).toBeLessThan(0.9 * before);
  });

  it('can be taken apart', () => {
    const { features, dense, classification, build } = modelBuilder('apart');
    classification(dense(features([3]), { features: 2 }), { classes: 2 });
    expect(build().nodes).toHaveLength(1);
  });

  const cases: [string, (m: ModelBuilder) => unknown, string, string, RegExp][] = [
    [
      'a filter that does not fit',
      (m) => m.conv2d(m.features([3, 3, 1]), { features: 2, kernel: [5, 5] }),
      'model-shape-mismatch',
      'nodes[0]',
      /conv2d of x \[B, 3, 3, 1\], w \[5, 5, 1, 2\], b \[2\]: .*longer/,
    ],
    [
      'no features of a layer',
      (m) => m.dense(m.features([3]), { features: 0 }),
      'model-malformed',
      'params[0].shape[1]',
      /found 0/,
    ],
    [
      'numbers in an embedding',
      (m) => m.embedding(m.features([3]), { features: 2 }),
      'model-type-mismatch',
      'nodes[0].in[0]',
      /"x" holds numbers/,
    ],
    [
      'a name used twice',
      (m) => m.relu(m.relu(m.features([3]), { name: 'h' }), { name: 'h' }),
      'model-duplicate-id',
      'nodes[1].out',
      /"h" is defined a second time/,
    ],
    [
      'a tensor of another builder',
      (m) => m.relu(modelBuilder('other').features([3])),
      'model-undefined-value',
      'nodes[0].in[0]',
      /not made by this builder/,
    ],
    [
      'a second input',
      (m) => [m.features([3]), m.features([4], { name: 'z' })],
      'model-malformed',
      'inputs[1]',
      /this is the second/,
    ],
    [
      'an input of another length than logits have',
      (m) => {
        m.classification(m.dense(m.features([3]), { features: 4 }), { classes: 5 });
      },
      'model-classes-mismatch',
      'loss.in[0]',
      /labels have 5 classes/,
    ],
    [
      'a single class',
      (m) => {
        m.classification(m.dense(m.features([3]), { features: 1 }), { classes: 1 });
      },
      'model-malformed',
      'inputs[1].classes',
      /found 1/,
    ],
    [
      'a second loss',
      (m) => {
        const y = m.dense(m.features([3]), { features: 2 });
        m.regression(y);
        m.multiLabel(y);
      },
      'model-malformed',
      'loss',
      /this is the second/,
    ],
    [
      'a metric of classes for values',
      (m) => {
        m.regression(m.dense(m.features([3]), { features: 2 }), { metrics: ['f1'] });
      },
      'model-type-mismatch',
      'metrics[0]',
      /"f1" judges classes/,
    ],
    ['a missing loss', (m) => [m.features([3]), m.build()], 'model-malformed', 'inputs', /role/],
    [
      'a node that nothing uses',
      (m) => {
        const x = m.features([3]);
        m.relu(x);
        m.regression(m.dense(x, { features: 2 }));
        return m.build();
      },
      'model-unused-value',
      'nodes[0].out',
      /nothing uses "relu-1"/,
    ],
    [
      'statistics of something else than the features',
      (m) => {
        m.regression(m.standardise(m.relu(m.features([3]))));
        return m.build();
      },
      'model-statistics-misplaced',
      'nodes[1].in',
      /standardise of "x"/,
    ],
    [
      'a dense layer of a single value',
      (m) => m.dense(m.reduce(m.features([3]), { kind: 'sum', axes: [1] }), { features: 2 }),
      'model-shape-mismatch',
      'nodes[1]',
      /dense needs more axes than "reduce-1" \[B\] has/,
    ],
    [
      'an unknown option',
      (m) => m.relu(m.features([3]), { slope: 0.1 } as object),
      'model-unknown-key',
      'nodes[0].attrs',
      /"slope"/,
    ],
  ];
  it.each(cases)('refuses %s', (_, build, code, path, message) => {
    const error = refusal(build);
    expect([error.code, error.path]).toEqual([code, path]);
    expect(error.message).toMatch(message);
  });

  it('keeps to limits of its own', () => {
    const m = modelBuilder('small', { limits: { maxParameters: 10 } });
    expect(() => m.dense(m.features([3]), { features: 4 })).toThrow(/at most 10 are allowed/);
  });
});
