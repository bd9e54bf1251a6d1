/** The messages of onnx.proto3 (IR version 8) that an inference graph needs, by their field numbers. */
import { floatBytes, integerBytes, Message } from './wire.ts';

/** TensorProto.DataType. */
export const dataType = { float: 1, int32: 6, int64: 7 } as const;

const attributeType = { float: 1, integer: 2, integers: 7 } as const;

/** A whole number stands for an INT; a FLOAT is written as such. */
export type AttributeValue = number | readonly number[] | { readonly float: number };

export function modelMessage(graph: Message, opset: number): Message {
  const operatorSet = new Message().text(1, '').integer(2, opset);
  return new Message().integer(1, 8).text(2, 'starling').message(7, graph).message(8, operatorSet);
}

export function graphMessage(parts: {
  readonly name: string;
  readonly nodes: readonly Message[];
  readonly initializers: readonly Message[];
  readonly inputs: readonly Message[];
  readonly outputs: readonly Message[];
}): Message {
  const graph = new Message();
  parts.nodes.forEach((node) => graph.message(1, node));
  graph.text(2, parts.name);
  parts.initializers.forEach((tensor) => graph.message(5, tensor));
  parts.inputs.forEach((input) => graph.message(11, input));
  parts.outputs.forEach((output) => graph.message(12, output));
  return graph;
}

export function nodeMessage(
  name: string,
  type: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Readonly<Record<string, AttributeValue>>,
): Message {
  const node = new Message();
  inputs.forEach((input) => node.text(1, input));
  outputs.forEach((output) => node.text(2, output));
  node.text(3, name).text(4, type);
  for (const [key, value] of Object.entries(attributes)) node.message(5, attributeMessage(key, value));
  return node;
}

function attributeMessage(name: string, value: AttributeValue): Message {
  const attribute = new Message().text(1, name);
  if (typeof value === 'number') return attribute.integer(3, value).integer(20, attributeType.integer);
  if ('float' in value) return attribute.float(2, value.float).integer(20, attributeType.float);
  value.forEach((item) => attribute.integer(8, item));
  return attribute.integer(20, attributeType.integers);
}

export function floatTensor(name: string, shape: readonly number[], values: Float32Array): Message {
  return tensor(name, shape, dataType.float, floatBytes(values));
}

/** A vector of int64: shapes, axes, bounds. */
export function integerTensor(name: string, values: readonly number[]): Message {
  return tensor(name, [values.length], dataType.int64, integerBytes(values));
}

function tensor(name: string, shape: readonly number[], type: number, bytes: Uint8Array): Message {
  const message = new Message();
  shape.forEach((axis) => message.integer(1, axis));
  return message.integer(2, type).text(8, name).bytes(9, bytes);
}

/** An input or output of the graph. A text among the axes is a length that is known only when the graph runs. */
export function valueInfo(name: string, type: number, shape: readonly (number | string)[]): Message {
  const axes = new Message();
  for (const axis of shape)
    axes.message(1, typeof axis === 'number' ? new Message().integer(1, axis) : new Message().text(2, axis));
  const tensorType = new Message().integer(1, type).message(2, axes);
  return new Message().text(1, name).message(2, new Message().message(1, tensorType));
}
