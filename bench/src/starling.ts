/** The contenders of our own: node starling.js strict | relaxed | js. */
import { readFileSync } from 'node:fs';
import { compile, initialise, jsBackend, parseModel, wasmBackend } from '@starling/model';
import { relaxedKernels } from '@starling/model/relaxed';
import type { Backend, Batch, Model, Params } from '@starling/model';
import type { Fixture } from './fixtures.ts';
import { serve, type Loaded } from './serve.ts';

const backends: Readonly<Record<string, () => Backend>> = {
  strict: () => wasmBackend(),
  relaxed: () => wasmBackend(relaxedKernels),
  js: () => jsBackend,
};

const kind = process.argv[2] ?? 'strict';
const backend = backends[kind];
if (!backend)
  throw new Error(`"${kind}" is no backend; expected one of ${Object.keys(backends).join(', ')}.`);
await serve((fixture) => Promise.resolve(load(fixture, backend())));

function load(fixture: Fixture, backend: Backend): Loaded {
  const model = parseModel(JSON.parse(readFileSync(fixture.document, 'utf8')));
  const params = initialise(model, 0);
  params.values.set(floats(fixture.params));
  const batchOf = (part: string): Batch => {
    const { rows, x, y } = fixture.parts[part]!; // a fixture has the parts of its workload
    return { x: model.vocabulary === undefined ? floats(x) : integers(x), y: integers(y), count: rows };
  };
  return fixture.innerRate === undefined
    ? training(model, params, batchOf('train'), fixture.rate, backend)
    : episodes(model, params, batchOf('support'), batchOf('query'), fixture, backend);
}

function training(model: Model, params: Params, batch: Batch, rate: number, backend: Backend): Loaded {
  const trainer = compile(model, { batch: batch.count, backend }).trainer(params);
  return {
    step: () => trainer.step(batch, { rate }).loss,
    read: () => trainer.read().values,
  };
}

function episodes(
  model: Model,
  params: Params,
  support: Batch,
  query: Batch,
  fixture: Fixture,
  backend: Backend,
): Loaded {
  const program = compile(model, { batch: query.count, backend });
  const slope = new Float32Array(params.layout.weights.size);
  const innerRate = fixture.innerRate!; // given: this is an episode
  const request = { support, query, innerSteps: 1, innerRate, order: 2 } as const;
  const { values } = params;
  const { rate } = fixture;
  return {
    step: () => {
      const { after } = program.metaGradient(params, request, slope);
      for (let i = 0; i < slope.length; i++) values[i]! -= rate * slope[i]!;
      return after.loss / after.count;
    },
    read: () => values,
  };
}

function floats(path: string): Float32Array {
  const bytes = readFileSync(path);
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

function integers(path: string): Int32Array {
  const bytes = readFileSync(path);
  return new Int32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}
