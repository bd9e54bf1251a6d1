import type { Model } from '../../ir/model.ts';
import type { Params } from '../../parameters/layout.ts';
import { ParamsMismatch } from '../../program/errors.ts';
import { OnnxExportError } from './errors.ts';
import { GraphWriter, type Weights } from './graph-writer.ts';
import { dataType, graphMessage, modelMessage, valueInfo } from './messages.ts';
import { ExportedNode } from './node.ts';
import { onnxOperators } from './operators/index.ts';
import { identity } from './permutation.ts';

export interface OnnxOptions {
  /** The version of ONNX's operators; 17 is the only one. */
  readonly opset?: 17;
  /** Rows of one run: any number (the default), or so many. */
  readonly batch?: 'dynamic' | number;
}

/**
 * Writes a model with its parameters as an ONNX file (IR version 8, opset 17) for inference. The input keeps the id,
 * shape [B, …] and layout that it has in the IR; the output is what the loss compares with labels or targets: logits
 * [B, …, classes] before their softmax or sigmoid, or predictions, under their id in the IR. Dropout is left out;
 * `batchNorm` uses the statistics of the rows of one run, as everywhere. Learned rates are not written.
 * @throws OnnxExportError Naming the node that has no meaning in ONNX, or an option that is out of range.
 * @throws ParamsMismatch When the parameters are not laid out for this model.
 */
export function toOnnx(model: Model, params: Params, options: OnnxOptions = {}): Uint8Array {
  const batch = options.batch ?? 'dynamic';
  checkOptions(options.opset ?? 17, batch);
  const graph = new GraphWriter(model.nodeShapes, weightsOf(model, params));
  const features = model.ir.inputs.filter((input) => input.role === 'features');
  for (const { id, shape } of features) graph.store(id, identity(shape.length), id);
  model.ir.nodes.forEach((ir, index) => {
    const node = new ExportedNode(index, ir);
    const write = onnxOperators.get(ir.op);
    if (!write) throw node.error('the exporter does not know this op');
    write(graph, node);
  });
  const [output] = model.ir.loss.in;
  const found = graph.read(output);
  if (found !== output) graph.node('Identity', [found], {}, output);
  const info = (id: string, type: number) =>
    valueInfo(
      id,
      type,
      graph.shape(id).map((axis) => (axis === 'B' ? (batch === 'dynamic' ? 'batch' : batch) : axis)),
    );
  return modelMessage(
    graphMessage({
      name: model.name,
      nodes: graph.nodes,
      initializers: graph.initializers,
      inputs: features.map(({ id, dtype }) => info(id, elementType(dtype))),
      outputs: [info(output, dataType.float)],
    }),
    17,
  ).finish();
}

function elementType(dtype: 'f32' | 'i32'): number {
  return dtype === 'i32' ? dataType.int32 : dataType.float;
}

function checkOptions(opset: number, batch: 'dynamic' | number): void {
  if (opset !== 17)
    throw new OnnxExportError(`Opset ${opset} cannot be written; leave it out, or ask for 17.`);
  if (batch !== 'dynamic' && !(Number.isSafeInteger(batch) && batch >= 1))
    throw new OnnxExportError(`A batch of ${batch} cannot be run; use "dynamic", or a whole number from 1.`);
}

function weightsOf(model: Model, { layout, values }: Params): Weights[] {
  const entries = new Map(layout.entries.map((entry) => [entry.name, entry]));
  return model.parameters.map(({ id, shape, size }) => {
    const entry = entries.get(id);
    if (entry?.size !== size || values.length !== layout.size)
      throw new ParamsMismatch(
        `The parameters do not fit the model "${model.name}": "${id}" with ${size} values was expected among them.`,
      );
    return { id, shape, values: values.subarray(entry.offset, entry.offset + size) };
  });
}
