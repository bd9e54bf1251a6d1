import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gradient } from '../graph/gradient.ts';
import { Graph, type Value } from '../graph/graph.ts';
import { lowerLoss } from '../ops/losses.ts';
import { cnn, mlp } from '../testing/models.ts';
import { ModelError } from './errors.ts';
import type { Model } from './model.ts';
import { parseModel } from './parse.ts';
import { everyOp, language, regression } from './testing/documents.ts';

type Document = ReturnType<typeof language>;
type Change = (ir: Document) => unknown;

function refusal(change: Change, limits = {}): ModelError {
  const ir = mlp(5, 4, 3);
  change(ir);
  return refusalOf(ir, limits);
}

function refusalOf(ir: unknown, limits = {}): ModelError {
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

  it('says what a program needs to know', () => {
    expect(parseModel(mlp(5, 4, 3))).toMatchObject({
      inputKind: 'values',
      vocabulary: undefined,
      labelKind: 'class',
      labelShape: [],
      labelSize: 1,
      classes: 3,
      loss: { op: 'softmaxCrossEntropy', in: ['logits', 'y'] },
      metrics: [{ kind: 'accuracy' }],
      optimiser: undefined,
      mixesRows: false,
      hasDropout: false,
    });
    expect(parseModel(language())).toMatchObject({
      inputKind: 'tokens',
      vocabulary: 11,
      labelShape: [6],
      labelSize: 6,
      classes: 11,
      metrics: [{ kind: 'perplexity' }, { kind: 'topK', k: 3 }],
      optimiser: { kind: 'adamw', rate: 0.001, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.1 },
      hasDropout: true,
    });
    expect(parseModel(regression())).toMatchObject({
      labelKind: 'value',
      labelShape: [2],
      classes: 0,
      loss: { op: 'huber', delta: 1 },
      metrics: [{ kind: 'meanAbsoluteError' }],
      optimiser: { kind: 'sgd', rate: 0.1, momentum: 0.9, weightDecay: 0, nesterov: true },
      mixesRows: true,
    });
  });

  it('keeps metrics in the document as they were written', () => {
    expect(parseModel(language()).ir.metrics).toEqual(['perplexity', { kind: 'topK', k: 3 }]);
  });

  it.each([
    ['nodes', { maxNodes: 3 }],
    ['parameter tensors', { maxParameterTensors: 5 }],
    ['parameters', { maxParameters: 40 }],
    ['rank', { maxRank: 1 }],
    ['values of a tensor', { maxTensorValues: 19 }],
    ['values of all nodes', { maxActivations: 5 + 4 + 4 + 2 }],
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

  it('counts all that nodes compute for one example', () => {
    expect(parseModel(mlp(5, 4, 3), { maxActivations: 5 + 4 + 4 + 3 }).name).toBe('test-mlp');
  });

  const others: [string, () => Document, (ir: Document) => unknown, string, string][] = [
    [
      'ids in an op of numbers',
      language,
      (ir) => (ir.nodes[0].op = 'relu'),
      'model-wrong-arity',
      'nodes[0].in',
    ],
    [
      'ids that are added',
      language,
      (ir) => (ir.nodes[1].in = ['x', 'places']),
      'model-type-mismatch',
      'nodes[1].in[0]',
    ],
    [
      'numbers that are looked up',
      language,
      (ir) => {
        ir.inputs[0] = { id: 'x', shape: ['B', 6] };
      },
      'model-type-mismatch',
      'nodes[0].in[0]',
    ],
    [
      'a table of another vocabulary',
      language,
      (ir) => (ir.inputs[0].vocabulary = 12),
      'model-shape-mismatch',
      'nodes[0]',
    ],
    [
      'ids without a vocabulary',
      language,
      (ir) => delete ir.inputs[0].vocabulary,
      'model-malformed',
      'inputs[0].vocabulary',
    ],
    [
      'logits without a place for each label',
      language,
      (ir) => (ir.inputs[1].shape = ['B', 5]),
      'model-shape-mismatch',
      'loss.in[0]',
    ],
    ['ids as predictions', language, (ir) => (ir.loss.in = ['x', 'y']), 'model-type-mismatch', 'loss.in[0]'],
    [
      'more than all classes',
      language,
      (ir) => (ir.metrics = [{ kind: 'topK', k: 12 }]),
      'model-malformed',
      'metrics[0].k',
    ],
    ['a metric twice', language, (ir) => (ir.metrics = ['f1', 'f1']), 'model-malformed', 'metrics[1]'],
    [
      'a metric of values for classes',
      language,
      (ir) => (ir.metrics = ['meanAbsoluteError']),
      'model-type-mismatch',
      'metrics[0]',
    ],
    [
      'a metric of classes for values',
      regression,
      (ir) => (ir.metrics = ['accuracy']),
      'model-type-mismatch',
      'metrics[0]',
    ],
    ['an unknown metric', language, (ir) => (ir.metrics = ['bleu']), 'model-malformed', 'metrics[0]'],
    [
      'classes for a loss of values',
      language,
      (ir) => (ir.loss.op = 'meanSquaredError'),
      'model-type-mismatch',
      'loss.op',
    ],
    [
      'values for a loss of classes',
      regression,
      (ir) => {
        ir.loss = { op: 'softmaxCrossEntropy', in: ir.loss.in };
      },
      'model-type-mismatch',
      'loss.op',
    ],
    [
      'targets of another shape',
      regression,
      (ir) => (ir.inputs[1].shape = ['B', 3]),
      'model-shape-mismatch',
      'loss.in[0]',
    ],
    ['a delta of 0', regression, (ir) => (ir.loss.delta = 0), 'model-malformed', 'loss.delta'],
    [
      'a delta for another loss',
      regression,
      (ir) => (ir.loss.op = 'meanSquaredError'),
      'model-unknown-key',
      'loss',
    ],
    [
      'a rate that is missing',
      regression,
      (ir) => (ir.optimiser = { kind: 'sgd' }),
      'model-malformed',
      'optimiser.rate',
    ],
    [
      'nesterov without momentum',
      regression,
      (ir) => (ir.optimiser = { kind: 'sgd', rate: 1, nesterov: true }),
      'model-malformed',
      'optimiser.nesterov',
    ],
    [
      'momentum for adam',
      regression,
      (ir) => (ir.optimiser = { kind: 'adam', rate: 1, momentum: 0.9 }),
      'model-unknown-key',
      'optimiser',
    ],
    [
      'a beta of 1',
      regression,
      (ir) => (ir.optimiser = { kind: 'adam', rate: 1, beta2: 1 }),
      'model-malformed',
      'optimiser.beta2',
    ],
    [
      'a deviation of 0',
      regression,
      (ir) => (ir.params[0].init = { kind: 'normal', deviation: 0 }),
      'model-malformed',
      'params[0].init.deviation',
    ],
  ];
  it.each(others)('refuses %s', (_, document, change, code, path) => {
    const ir = document();
    parseModel(ir);
    change(ir);
    const error = refusalOf(ir);
    expect([error.code, error.path]).toEqual([code, path]);
  });

  it('counts the weights of attention, which no output shows', () => {
    // three outputs of [6, 8]; weights before and after the softmax; queries, keys and values by heads
    const limit = { maxActivations: 3 * 48 + 2 * 2 * 36 + 2 * 8 * 12 };
    expect(refusalOf(language(), limit).path).toBe('nodes[3]');
    const ir = language();
    ir.nodes[2].attrs = { heads: 8, causal: true };
    expect(refusalOf(ir, limit)).toMatchObject({ code: 'model-limit-exceeded', path: 'nodes[2]' });
  });

  it('keeps to the limit of recurrent steps of all nodes together', () => {
    const ir = everyOp();
    const second = ir.nodes.findIndex(({ op }) => op === 'gru');
    const error = refusalOf(ir, { maxRecurrentSteps: 15 });
    expect([error.code, error.path]).toEqual(['model-limit-exceeded', `nodes[${second}]`]);
    expect(error.message).toContain('take 16 steps; at most 15');
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
    const base = fc.constantFrom(mlp(5, 4, 3), cnn(16, 3, 4), language(), regression(), everyOp());
    fc.assert(
      fc.property(
        base,
        fc.array(fc.tuple(fc.nat(), json, fc.boolean()), { minLength: 1, maxLength: 3 }),
        (ir, changes) => {
          const mutant: unknown = structuredCloneOf(ir);
          for (const [place, value, remove] of changes) mutate(mutant, place, value, remove);
          let model: Model | undefined;
          try {
            model = parseModel(mutant, { maxActivations: 2 ** 20 });
          } catch (error) {
            expect(error).toBeInstanceOf(ModelError);
          }
          // What is accepted can be run, and its normal form is accepted again.
          if (!model) return;
          expect(() => differentiate(model)).not.toThrow();
          expect(parseModel(structuredCloneOf(model.ir)).ir).toEqual(model.ir);
        },
      ),
      { numRuns: 2000 },
    );
  });
});

/** Writes a model's loss and its gradient as primitives, for two rows. */
function differentiate(model: Model): Value[] {
  const graph = new Graph();
  const values = new Map<string, Value>(model.parameters.map(({ id, shape }) => [id, graph.leaf(id, shape)]));
  const features = model.ir.inputs.find(({ role }) => role === 'features')!.id;
  values.set(features, graph.leaf(features, [2, ...model.inputShape]));
  const mask = (shape: readonly number[]) => graph.leaf('mask', shape);
  for (const { id, inputs, operation } of model.nodes) {
    const operands = inputs.map((input) => values.get(input)!);
    const value = operation.lower(graph, operands, { training: true, mask });
    expect(value.shape).toEqual(model.nodeShapes.get(id)!.map((axis) => (axis === 'B' ? 2 : axis)));
    values.set(id, value);
  }
  const labels = graph.leaf('labels', [2, ...model.labelShape]);
  const losses = lowerLoss(graph, model.loss, values.get(model.loss.in[0])!, labels);
  const loss = graph.dot(losses, graph.constant(losses.shape, 1));
  return gradient(
    graph,
    loss,
    model.parameters.map(({ id }) => values.get(id)!),
  );
}

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

describe('what a node takes besides its output', () => {
  const document = (shape: readonly number[], params: readonly object[], node: object) => ({
    umir: 1,
    opset: 1,
    name: 'm',
    inputs: [
      { id: 'x', shape: ['B', ...shape] },
      { id: 'y', shape: ['B'], dtype: 'i32', role: 'label', classes: 2 },
    ],
    params: [...params, { id: 'w', shape: [1, 2], init: { kind: 'zeros' } }],
    nodes: [
      { ...node, out: 'a' },
      { op: 'globalAvgPool2d', in: ['a'], out: 'g' },
      { op: 'dense', in: ['g', 'w'], out: 'l' },
    ],
    loss: { op: 'softmaxCrossEntropy', in: ['l', 'y'] },
  });
  const filter = (...shape: number[]) => [{ id: 'f', shape, init: { kind: 'zeros' } }];

  it.each([
    [
      'windows that would be compared for hours',
      document([4095, 4095, 1], [], {
        op: 'maxPool2d',
        in: ['x'],
        attrs: { size: [2047, 2047], strides: [1, 1] },
      }),
    ],
    [
      'a filter that would be multiplied for hours',
      document([3000, 3000, 1], filter(1500, 1500, 1, 1), { op: 'conv2d', in: ['x', 'f'] }),
    ],
    [
      'zeros around a tiny image that would fill the memory',
      document([1, 1, 1], filter(1, 1, 1, 1), {
        op: 'conv2d',
        in: ['x', 'f'],
        attrs: { pads: [8000, 8000, 8000, 8000], strides: [16001, 16001] },
      }),
    ],
  ])('is refused: %s', (_, ir) => {
    expect(() => parseModel(ir)).toThrow(
      expect.objectContaining({ code: 'model-limit-exceeded', path: 'nodes[0]' }),
    );
  });

  it('is refused where float32 cannot hold a number', () => {
    const ir = document([4, 4, 1], [], { op: 'relu', in: ['x'] });
    const optimiser = { kind: 'adam', rate: 0.1, epsilon: 1e-50 };
    expect(() => parseModel(ir)).not.toThrow();
    expect(() => parseModel({ ...ir, optimiser })).toThrow(/above 0 that float32 can hold/);
  });
});
