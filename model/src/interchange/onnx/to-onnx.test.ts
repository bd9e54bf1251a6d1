import { describe, expect, it } from 'vitest';
import { parseModel } from '../../ir/parse.ts';
import { operations } from '../../ops/index.ts';
import { layoutOf } from '../../parameters/layout.ts';
import { ParamsMismatch } from '../../program/errors.ts';
import { drawCase, onnxCases } from '../testing/onnx-cases.ts';
import { onnxGolden } from '../testing/onnx-golden.ts';
import { readOnnx, type OnnxFile } from '../testing/onnx-reader.ts';
import { referenceOutput, relativeError } from '../testing/reference-output.ts';
import { OnnxExportError } from './errors.ts';
import { dataType } from './messages.ts';
import { onnxOperators } from './operators/index.ts';
import { toOnnx, type OnnxOptions } from './to-onnx.ts';

function modelOf(name: string) {
  return parseModel(onnxCases[name].ir);
}

function write(name: string, options?: OnnxOptions): Uint8Array {
  const model = modelOf(name);
  return toOnnx(model, drawCase(model, 1).params, options);
}

function fnv1a64(bytes: Uint8Array): string {
  let digest = 0xcbf29ce484222325n;
  for (const byte of bytes) digest = BigInt.asUintN(64, (digest ^ BigInt(byte)) * 0x100000001b3n);
  return digest.toString(16).padStart(16, '0');
}

describe('toOnnx', () => {
  it.each(Object.keys(onnxCases))('%s: ONNX Runtime computes what the IR means', (name) => {
    const model = modelOf(name);
    const { params, x } = drawCase(model, onnxCases[name].rows);
    const { digest, output } = onnxGolden[name];
    // Another digest: the exporter changed, and onnx-golden.py has to run again.
    expect(fnv1a64(toOnnx(model, params))).toBe(digest);
    expect(relativeError(output, referenceOutput(model, params, x))).toBeLessThan(1e-5);
  });

  it('knows every op, and is tried on every op', () => {
    const tried = Object.keys(onnxCases).flatMap((name) => modelOf(name).ir.nodes.map(({ op }) => op));
    const known = [...operations.keys()].sort();
    expect([...onnxOperators.keys()].sort()).toEqual(known);
    expect([...new Set(tried)].sort()).toEqual(known);
  });

  it('writes IR version 8, opset 17, and the model with any number of rows', () => {
    const file = readOnnx(write('cnn2d-flatten'));
    expect(file).toMatchObject({ irVersion: 8, opset: 17, name: 'cnn2d' });
    expect(file.inputs).toEqual([{ name: 'x', type: dataType.float, shape: ['batch', 7, 6, 2] }]);
    expect(file.outputs).toEqual([{ name: 'logits', type: dataType.float, shape: ['batch', 3] }]);
  });

  it('fixes the number of rows when it is asked to', () => {
    const { inputs, outputs } = readOnnx(write('lstm-labels-each-step', { batch: 7, opset: 17 }));
    expect(inputs[0].shape).toEqual([7, 4, 3]);
    expect(outputs[0].shape).toEqual([7, 4, 3]);
  });

  it('takes token ids as int32', () => {
    expect(readOnnx(write('lstm')).inputs).toEqual([
      { name: 'x', type: dataType.int32, shape: ['batch', 5] },
    ]);
  });

  it('moves axes once into a chain of convolutions and once out of it', () => {
    const { nodes } = readOnnx(write('cnn2d-flatten'));
    const types = nodes.map(({ type }) => type).filter((type) => !['Erf', 'Mul', 'Add'].includes(type));
    expect(types).toEqual('Transpose Conv MaxPool Conv Conv AveragePool Transpose Flatten Gemm'.split(' '));
    expect(nodes[0].attributes).toEqual({ perm: [0, 3, 1, 2] });
  });

  it.each(Object.keys(onnxCases).filter((name) => !name.startsWith('attention')))(
    '%s: no transpose follows another',
    (name) => {
      const { nodes } = readOnnx(write(name));
      const transposed = nodes.filter(({ type }) => type === 'Transpose');
      const outputs = new Set(transposed.flatMap((node) => node.outputs));
      expect(transposed.filter((node) => node.inputs.some((input) => outputs.has(input)))).toEqual([]);
    },
  );

  it('passes a sequence from one recurrence to the next without moving axes', () => {
    const types = readOnnx(write('lstm')).nodes.map(({ type }) => type);
    expect(types).toEqual('Gather Transpose LSTM Squeeze LSTM Squeeze Gemm'.split(' '));
  });

  it('writes filters [K, C, F] as [F, C, K]', () => {
    const model = modelOf('cnn1d');
    const { params } = drawCase(model, 1);
    const entry = params.layout.entries.find(({ name }) => name === 'w')!;
    const values = params.values.subarray(entry.offset);
    const { shape, floats } = initializer(readOnnx(toOnnx(model, params)), 'w:210');
    expect(shape).toEqual([4, 2, 3]);
    const [place, channel, filter] = [2, 1, 3];
    expect(floats[(filter * 2 + channel) * 3 + place]).toBe(values[(place * 2 + channel) * 4 + filter]);
  });

  it('writes the gates i, f, g, o of an LSTM as i, o, f, g, and r, z, n of a GRU as z, r, n', () => {
    const numbered = (name: string, id: string) => {
      const model = modelOf(name);
      const layout = layoutOf(model);
      const values = new Float32Array(layout.size);
      const { offset, size } = layout.entries.find((entry) => entry.name === id)!;
      for (let i = 0; i < size; i++) values[offset + i] = i;
      return readOnnx(toOnnx(model, { layout, values }));
    };
    const lstm = initializer(numbered('lstm', 'b/b'), 'b/b:gates0312');
    expect(lstm).toMatchObject({
      shape: [1, 16],
      floats: [0, 1, 6, 7, 2, 3, 4, 5, 0, 0, 0, 0, 0, 0, 0, 0],
    });
    const gru = initializer(numbered('gru', 'b/bh'), 'b/bx:b/bh:gates102');
    expect(gru).toMatchObject({ shape: [1, 12], floats: [0, 0, 0, 0, 0, 0, 2, 3, 0, 1, 4, 5] });
  });

  it('leaves learned rates out', () => {
    const model = modelOf('mlp');
    const layout = layoutOf(model, { learnedRates: true });
    const { initializers } = readOnnx(toOnnx(model, { layout, values: new Float32Array(layout.size) }));
    expect(initializers.map(({ name }) => name).filter((name) => name.includes('rate'))).toEqual([]);
  });

  it('refuses a filter that is computed, naming the node', () => {
    const model = parseModel({
      umir: 1,
      opset: 1,
      name: 'computed',
      inputs: [
        { id: 'x', shape: ['B', 2, 2, 3] },
        { id: 'y', shape: ['B'], dtype: 'i32', role: 'label', classes: 3 },
      ],
      params: [{ id: 'w', shape: [2, 2, 3], init: { kind: 'ones' } }],
      nodes: [
        { op: 'tanh', in: ['w'], out: 'bounded' },
        { op: 'depthwiseConv2d', in: ['x', 'bounded'], out: 'c' },
        { op: 'flatten', in: ['c'], out: 'logits' },
      ],
      loss: { op: 'softmaxCrossEntropy', in: ['logits', 'y'] },
    });
    const { params } = drawCase(model, 1);
    const refused = () => toOnnx(model, params);
    expect(refused).toThrow(OnnxExportError);
    expect(refused).toThrow('nodes[1], depthwiseConv2d "c"');
    expect(refused).toThrow('"bounded" is computed');
  });

  it('refuses options and parameters that it cannot serve', () => {
    expect(() => write('mlp', { batch: 0 })).toThrow(OnnxExportError);
    expect(() => write('mlp', { opset: 18 as 17 })).toThrow(OnnxExportError);
    const other = drawCase(modelOf('lstm'), 1).params;
    expect(() => toOnnx(modelOf('mlp'), other)).toThrow(ParamsMismatch);
  });
});

function initializer(file: OnnxFile, name: string): { shape: number[]; floats: number[] } {
  const { shape, bytes } = file.initializers.find((tensor) => tensor.name === name)!;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return {
    shape,
    floats: Array.from({ length: bytes.length / 4 }, (_, i) => view.getFloat32(i * 4, true)),
  };
}
