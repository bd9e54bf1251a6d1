/** Reads back what the exporter writes: Protocol Buffers, as far as its own messages go. */

interface Field {
  readonly number: number;
  /** A varint or a float. */
  readonly value: number;
  /** What a field of bytes holds; empty for others. */
  readonly bytes: Uint8Array;
}

export interface OnnxTensor {
  readonly name: string;
  readonly shape: number[];
  readonly type: number;
  readonly bytes: Uint8Array;
}

export interface OnnxNode {
  readonly type: string;
  readonly inputs: string[];
  readonly outputs: string[];
  readonly attributes: Record<string, number | number[]>;
}

export interface OnnxValue {
  readonly name: string;
  readonly type: number;
  readonly shape: (number | string)[];
}

export interface OnnxFile {
  readonly irVersion: number;
  readonly opset: number;
  readonly name: string;
  readonly nodes: OnnxNode[];
  readonly initializers: OnnxTensor[];
  readonly inputs: OnnxValue[];
  readonly outputs: OnnxValue[];
}

export function readOnnx(file: Uint8Array): OnnxFile {
  const model = fields(file);
  const graph = fields(one(model, 7).bytes);
  return {
    irVersion: one(model, 1).value,
    opset: one(fields(one(model, 8).bytes), 2).value,
    name: text(one(graph, 2)),
    nodes: all(graph, 1).map(readNode),
    initializers: all(graph, 5).map(readTensor),
    inputs: all(graph, 11).map(readValue),
    outputs: all(graph, 12).map(readValue),
  };
}

function readNode({ bytes }: Field): OnnxNode {
  const node = fields(bytes);
  const attributes = all(node, 5).map((attribute) => {
    const parts = fields(attribute.bytes);
    const type = one(parts, 20).value;
    const value = type === 7 ? all(parts, 8).map((item) => item.value) : one(parts, type === 1 ? 2 : 3).value;
    return [text(one(parts, 1)), value] as const;
  });
  return {
    type: text(one(node, 4)),
    inputs: all(node, 1).map(text),
    outputs: all(node, 2).map(text),
    attributes: Object.fromEntries(attributes),
  };
}

function readTensor({ bytes }: Field): OnnxTensor {
  const tensor = fields(bytes);
  return {
    name: text(one(tensor, 8)),
    shape: all(tensor, 1).map((axis) => axis.value),
    type: one(tensor, 2).value,
    bytes: one(tensor, 9).bytes,
  };
}

function readValue({ bytes }: Field): OnnxValue {
  const info = fields(bytes);
  const tensor = fields(one(fields(one(info, 2).bytes), 1).bytes);
  const axes = all(fields(one(tensor, 2).bytes), 1).map((axis) => one(fields(axis.bytes)));
  return {
    name: text(one(info, 1)),
    type: one(tensor, 1).value,
    shape: axes.map((axis) => (axis.number === 1 ? axis.value : text(axis))),
  };
}

function all(message: readonly Field[], number: number): Field[] {
  return message.filter((field) => field.number === number);
}

/** The only field, or the only one of this number. */
function one(message: readonly Field[], number?: number): Field {
  const found = number === undefined ? message : all(message, number);
  if (found.length !== 1) throw new Error(`Field ${number ?? 'any'} comes ${found.length} times, not once.`);
  return found[0];
}

function text({ bytes }: Field): string {
  return String.fromCharCode(...bytes);
}

function fields(message: Uint8Array): Field[] {
  const view = new DataView(message.buffer, message.byteOffset, message.length);
  const found: Field[] = [];
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = view.getUint8(at++);
      value += (byte % 128) * factor;
      if (byte < 128) return value;
    }
  };
  const empty = new Uint8Array();
  while (at < message.length) {
    const tag = varint();
    const number = Math.floor(tag / 8);
    if (tag % 8 === 0) found.push({ number, value: varint(), bytes: empty });
    else if (tag % 8 === 5) {
      found.push({ number, value: view.getFloat32(at, true), bytes: empty });
      at += 4;
    } else if (tag % 8 === 2) {
      const length = varint();
      if (at + length > message.length) throw new Error('A field is longer than its message.');
      found.push({ number, value: NaN, bytes: message.subarray(at, at + length) });
      at += length;
    } else throw new Error(`Wire type ${tag % 8} is not used by ONNX files of ours.`);
  }
  return found;
}
