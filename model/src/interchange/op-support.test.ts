/// <reference types="node" />
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { gradient, NotDifferentiable } from '../graph/gradient.ts';
import { Graph, type Value } from '../graph/graph.ts';
import { parseModel } from '../ir/parse.ts';
import type { LossIr } from '../ir/schema.ts';
import type { Backend } from '../kernels/backend.ts';
import { jsBackend } from '../kernels/js/index.ts';
import { wasmBackend } from '../kernels/wasm/index.ts';
import { uncovered } from '../kernels/webgpu/kernels.ts';
import { operations } from '../ops/index.ts';
import { lowerLoss } from '../ops/losses.ts';
import { Executable } from '../plan/executable.ts';
import { stream } from '../random/streams.ts';
import { onnxOperators } from './onnx/operators/index.ts';
import { onnxCases } from './testing/onnx-cases.ts';
import { tfjsGolden } from './testing/tfjs-golden.ts';
import { fromTfjsLayers } from './tfjs/from-tfjs-layers.ts';

const root = new URL('../../../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), 'utf8');

/** Column of a backend, the folder of its kernels, and whether it runs a use of an op with its gradients of both orders. */
const backends: readonly { column: string; folder: string; holds: (use: Use) => boolean }[] = [
  { column: 'WASM', folder: 'wasm', holds: (use) => runs(use, wasmBackend()) },
  { column: 'JS', folder: 'js', holds: (use) => runs(use, jsBackend) },
  { column: 'WebGPU', folder: 'webgpu', holds: (use) => uncovered(outputsOf(use)) === undefined },
];

const losses: Readonly<Record<LossIr['op'], LossIr>> = {
  softmaxCrossEntropy: { op: 'softmaxCrossEntropy', in: ['p', 'y'] },
  binaryCrossEntropy: { op: 'binaryCrossEntropy', in: ['p', 'y'] },
  meanSquaredError: { op: 'meanSquaredError', in: ['p', 'y'] },
  huber: { op: 'huber', in: ['p', 'y'], delta: 1 },
};

/** One use of an op or a loss: its value, and the leaves that it can be differentiated by. */
interface Use {
  readonly graph: Graph;
  readonly value: Value;
  readonly by: readonly Value[];
  /** Leaves that hold ids or classes: 0 is one of each. */
  readonly whole: readonly Value[];
}

const rows = 2;

/** Every node of the ONNX cases, which name every op, on leaves of its own. */
function usesOf(op: string): Use[] {
  return Object.values(onnxCases)
    .map(({ ir }) => parseModel(ir))
    .flatMap((model) => {
      const tokens =
        model.inputKind === 'tokens' ? model.ir.inputs.find(({ role }) => role === 'features')?.id : '';
      return model.nodes.flatMap((node, i) => {
        if (model.ir.nodes[i].op !== op) return [];
        const graph = new Graph();
        const leaf = (name: string, shape: readonly (number | 'B')[]) =>
          graph.leaf(
            name,
            shape.map((axis) => (axis === 'B' ? rows : axis)),
          );
        const inputs = new Map(node.inputs.map((id) => [id, leaf(id, model.nodeShapes.get(id)!)]));
        const value = node.operation.lower(
          graph,
          node.inputs.map((id) => inputs.get(id)!),
          { training: true, mask: (shape) => leaf('mask', shape) },
        );
        const some = (areTokens: boolean) =>
          [...inputs].filter(([id]) => (id === tokens) === areTokens).map(([, input]) => input);
        return [{ graph, value, by: some(false), whole: some(true) }];
      });
    });
}

function useOfLoss(loss: LossIr): Use {
  const graph = new Graph();
  const prediction = graph.leaf('prediction', [rows, 3]);
  const labels = graph.leaf('labels', loss.op === 'softmaxCrossEntropy' ? [rows] : [rows, 3]);
  const value = lowerLoss(graph, loss, prediction, labels);
  return { graph, value, by: [prediction], whole: loss.op === 'softmaxCrossEntropy' ? [labels] : [] };
}

/** The gradients of a weighted sum of a value, `order` times over; undefined where a rule is missing. */
function differentiate({ graph, value, by }: Use, order: 1 | 2): Value[] | undefined {
  try {
    const weights = graph.leaf(`weights/${order}`, value.shape);
    const first = gradient(graph, graph.dot(value, weights), by);
    if (order === 1) return first;
    const sum = first
      .map((part, i) => graph.dot(part, graph.leaf(`weights/${order}/${i}`, part.shape)))
      .reduce((a, b) => graph.add(a, b));
    return gradient(graph, sum, by);
  } catch (error) {
    if (error instanceof NotDifferentiable) return undefined;
    throw error;
  }
}

/** The value of a use, and its gradients of both orders. */
function outputsOf(use: Use): Value[] {
  return [use.value, ...(differentiate(use, 1) ?? []), ...(differentiate(use, 2) ?? [])];
}

/** Whether a backend has a kernel for all that a value and its gradients are made of, and runs it to finite numbers. */
function runs(use: Use, backend: Backend): boolean {
  const outputs = outputsOf(use);
  const executable = new Executable(outputs, backend);
  const random = stream(1, 'leaves');
  for (const leaf of leavesOf(outputs)) {
    const place = executable.place(leaf);
    if (!use.whole.includes(leaf)) place?.forEach((_, i) => (place[i] = random.nextFloat() - 0.5));
  }
  executable.run();
  return outputs.every((output) => executable.place(output)?.every(Number.isFinite) ?? false);
}

function leavesOf(values: readonly Value[]): Value[] {
  const found = new Set(values);
  for (const value of found) for (const input of value.inputs) found.add(input);
  return [...found].filter(({ op }) => op === 'leaf');
}

/** Ops and losses that importing the models of TensorFlow.js, and a GRU, gives. */
function imported(): Set<string> {
  const gru = {
    ...{ name: 'gru', units: 1, recurrent_activation: 'sigmoid', reset_after: true },
    ...{ batch_input_shape: [null, 2, 1], use_bias: false },
  };
  const byHand = {
    modelTopology: { class_name: 'Sequential', config: { layers: [{ class_name: 'GRU', config: gru }] } },
    weightSpecs: [
      { name: 'gru/kernel', shape: [1, 3], dtype: 'float32' },
      { name: 'gru/recurrent_kernel', shape: [1, 3], dtype: 'float32' },
    ],
  };
  const documents: [unknown, number[]][] = [
    [byHand, [0, 0, 0, 0, 0, 0]],
    ...Object.values(tfjsGolden).map((json): [unknown, number[]] => {
      const { model, weights } = JSON.parse(json) as { model: unknown; weights: number[] }; // by tfjs-golden.mjs
      return [model, weights];
    }),
  ];
  const irs = documents.map(
    ([json, weights]) =>
      parseModel(fromTfjsLayers(json, [Float32Array.from(weights).buffer], { loss: 'meanSquaredError' }).ir)
        .ir,
  );
  return new Set(irs.flatMap(({ nodes, loss }) => [loss.op, ...nodes.map(({ op }) => op)]));
}

/** The keys of OPERATIONS and LOSSES in an interpreter's source. */
function interpretedOn(framework: 'torch' | 'mindspore'): Set<string> {
  const source = read(`cluster/src/starling_cluster/on_${framework}/operations.py`);
  return new Set([...source.matchAll(/^ {4}"(\w+)":/gm)].map(([, op]) => op));
}

const columns = [
  ...['forward', 'gradient', 'second order'],
  ...backends.map(({ column }) => column),
  ...['torch', 'MindSpore', 'ONNX', 'tfjs import'],
];

/** What the code says of one op or loss, a cell for each column. */
function rowOf(
  op: string,
  uses: readonly Use[],
  [torch, mindSpore]: readonly Set<string>[],
  tfjs: Set<string>,
): string[] {
  const all = (holds: (use: Use) => boolean) => (uses.length > 0 && uses.every(holds) ? 'yes' : 'no');
  return [
    op,
    operations.has(op) || op in losses ? 'yes' : 'no',
    all((use) => differentiate(use, 1) !== undefined),
    all((use) => differentiate(use, 2) !== undefined),
    ...backends.map(({ holds }) => all(holds)),
    torch.has(op) ? 'yes' : 'no',
    mindSpore.has(op) ? 'yes' : 'no',
    onnxOperators.has(op) ? 'yes' : 'no',
    tfjs.has(op) ? 'yes' : 'no',
  ];
}

function tableOf(markdown: string): string[][] {
  return markdown
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll('`', '')),
    )
    .filter(([first]) => !/^-+$/.test(first));
}

describe('docs/op-support.md', () => {
  it('says of every op and loss what the code says', () => {
    const cluster = [interpretedOn('torch'), interpretedOn('mindspore')];
    const tfjs = imported();
    const expected = [
      ['op', ...columns],
      ...[...operations.keys()].map((op) => rowOf(op, usesOf(op), cluster, tfjs)),
      ...Object.values(losses).map((loss) => rowOf(loss.op, [useOfLoss(loss)], cluster, tfjs)),
    ];
    const table = expected.map((row) => `| ${row.join(' | ')} |`);
    expect(tableOf(read('docs/op-support.md')), `the table should read\n${table.join('\n')}\n`).toEqual(
      expected,
    );
  });

  it('has a column for every backend', () => {
    const entries = readdirSync(new URL('model/src/kernels/', root), { withFileTypes: true });
    const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
    expect(folders.sort()).toEqual(backends.map(({ folder }) => folder).sort());
  });
});
