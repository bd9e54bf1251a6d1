import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { builtModels } from '../builder/testing/built.ts';
import { operations } from '../ops/index.ts';
import { cnn, mlp } from '../testing/models.ts';
import { parseModel } from './parse.ts';
import { everyOp, language, regression, type MutableDocument } from './testing/documents.ts';
import { fits } from './testing/json-schema.ts';

interface OpCase {
  readonly if: {
    readonly properties: { readonly op: { readonly enum?: string[]; readonly const?: string } };
  };
  readonly then: {
    readonly properties: { readonly in: { readonly minItems: number; readonly maxItems: number } };
  };
}

const file: string = '../../schema/umir-1.json';
const imported = (await import(file, { with: { type: 'json' } })) as {
  readonly default: {
    readonly $defs: {
      readonly node: {
        readonly properties: { readonly op: { readonly enum: string[] } };
        readonly allOf: OpCase[];
      };
    };
  };
};
const schema = imported.default;

const documents: Record<string, () => MutableDocument> = {
  mlp: () => mlp(5, 4, 3),
  cnn: () => cnn(16, 3, 4),
  language,
  regression,
  everyOp,
};

describe('the JSON Schema of the IR', () => {
  it('knows exactly the ops of the parser, with as many inputs', () => {
    const { node } = schema.$defs;
    expect([...node.properties.op.enum].sort()).toEqual([...operations.keys()].sort());
    const counts = node.allOf.flatMap(({ if: condition, then }) => {
      const { op } = condition.properties;
      const { minItems, maxItems } = then.properties.in;
      return (op.enum ?? [op.const!]).map((name) => [name, minItems, maxItems] as const);
    });
    const wanted = [...operations].map(
      ([name, { inputs, optional }]) => [name, inputs.length - optional, inputs.length] as const,
    );
    expect(counts.toSorted()).toEqual(wanted.toSorted());
  });

  it.each(Object.entries(builtModels))('accepts %s as it is built', (_, build) => {
    expect(fits(schema, JSON.parse(JSON.stringify(build())))).toBe(true);
  });

  it.each(Object.entries(documents))('accepts %s as it is written, and normalised', (_, document) => {
    expect(fits(schema, document())).toBe(true);
    expect(fits(schema, JSON.parse(JSON.stringify(parseModel(document()).ir)))).toBe(true);
  });

  const malformed: [string, () => MutableDocument, (ir: MutableDocument) => unknown][] = [
    ['another version', language, (ir) => (ir.umir = 2)],
    ['an unknown key', language, (ir) => (ir.colour = 'red')],
    ['no loss', language, (ir) => delete (ir as Record<string, unknown>).loss],
    ['a third input', language, (ir) => ir.inputs.push({ id: 'z', shape: ['B', 2] })],
    ['a shape without a batch', language, (ir) => (ir.inputs[0].shape = [6])],
    ['a batch in a parameter', language, (ir) => (ir.params[0].shape = ['B', 8])],
    ['an axis of 0', language, (ir) => (ir.params[0].shape = [11, 0])],
    ['seven axes', language, (ir) => (ir.params[0].shape = [1, 1, 1, 1, 1, 1, 1])],
    ['ids without a vocabulary', language, (ir) => delete ir.inputs[0].vocabulary],
    ['a single class', language, (ir) => (ir.inputs[1].classes = 1)],
    ['an unsafe id', language, (ir) => (ir.params[0].id = '../table')],
    ['a parameter called like a rate', language, (ir) => (ir.params[0].id = 'rate/w')],
    ['an unknown op', language, (ir) => (ir.nodes[0].op = 'lookup')],
    ['too many inputs', language, (ir) => (ir.nodes[1].in = ['e', 'places', 'e'])],
    ['an unknown attribute', language, (ir) => (ir.nodes[2].attrs = { mask: true })],
    ['an attribute for an op that has none', language, (ir) => (ir.nodes[1].attrs = { scale: 2 })],
    ['a dropout without a rate', language, (ir) => delete ir.nodes[5].attrs],
    ['a dropout of everything', language, (ir) => (ir.nodes[5].attrs = { rate: 1 })],
    ['an unknown start', language, (ir) => (ir.params[0].init = { kind: 'orthogonal' })],
    ['a normal start without a deviation', language, (ir) => (ir.params[0].init = { kind: 'normal' })],
    ['a fan for zeros', language, (ir) => (ir.params[3].init = { kind: 'zeros', fan: 2 })],
    ['an unknown group', language, (ir) => (ir.params[0].group = 'neck')],
    ['an unknown metric', language, (ir) => (ir.metrics = ['bleu'])],
    ['a metric twice', language, (ir) => (ir.metrics = ['f1', 'f1'])],
    ['a top of none', language, (ir) => (ir.metrics = [{ kind: 'topK', k: 0 }])],
    ['an unknown loss', language, (ir) => (ir.loss.op = 'hinge')],
    ['a loss of three', language, (ir) => (ir.loss.in = ['a', 'b', 'c'])],
    ['a delta for another loss', language, (ir) => (ir.loss.delta = 1)],
    ['momentum for adam', language, (ir) => (ir.optimiser = { kind: 'adam', rate: 1, momentum: 0.9 })],
    ['an optimiser without a rate', regression, (ir) => (ir.optimiser = { kind: 'sgd' })],
    ['an empty adaptation', regression, (ir) => (ir.meta = { adapt: [] })],
    ['an order of 3', regression, (ir) => (ir.meta = { order: 3 })],
    ['pads for two sides', everyOp, (ir) => (ir.nodes[0].attrs = { pads: [1, 1] })],
    ['a gelu that does not say which', everyOp, (ir) => (ir.nodes[3].attrs = {})],
    ['a pool without a size', everyOp, (ir) => delete ir.nodes[4].attrs],
    ['an axis twice', everyOp, (ir) => (ir.nodes[19].attrs = { kind: 'mean', axes: [1, 1] })],
  ];
  it.each(malformed)('refuses %s, as the parser does', (_, document, change) => {
    const ir = document();
    expect(fits(schema, ir)).toBe(true);
    change(ir);
    expect(fits(schema, ir)).toBe(false);
    expect(() => parseModel(ir)).toThrow();
  });

  it('accepts whatever the parser accepts', () => {
    const value = fc.constantFrom<unknown>(
      ...[
        'f32',
        'i32',
        'label',
        'body',
        'head',
        'local',
        'zeros',
        'sum',
        'last',
        'erf',
        'f1',
        'x',
        'relu',
        'add',
      ],
      ...[0, 1, 2, 3, 0.5, -1, true, false, [1], [2, 1], [1, 1], [], {}],
    );
    fc.assert(
      fc.property(fc.constantFrom(...Object.values(documents)), fc.nat(), value, (document, place, json) => {
        const ir = document();
        replace(ir, place, json);
        let accepted = true;
        try {
          parseModel(ir);
        } catch {
          accepted = false;
        }
        if (accepted) expect(fits(schema, ir)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});

/** Replaces the `place`-th scalar or list of a document. */
function replace(document: MutableDocument, place: number, json: unknown): void {
  const places: [Record<string, unknown>, string][] = [];
  const walk = (node: Record<string, unknown>) => {
    for (const [key, value] of Object.entries(node)) {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) places.push([node, key]);
      if (typeof value === 'object' && value !== null) walk(value as Record<string, unknown>);
    }
  };
  walk(document);
  const [parent, key] = places[place % places.length];
  parent[key] = structuredClone(json);
}
