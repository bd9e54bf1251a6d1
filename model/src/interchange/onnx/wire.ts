/**
 * The wire format of Protocol Buffers (protobuf.dev, "Encoding"), as far as ONNX needs it: varints, floats, and
 * lengths with bytes. A message keeps pieces, so that weights are copied once, when the outermost message is finished.
 */
export class Message {
  readonly #pieces: Uint8Array[] = [];
  #length = 0;

  /** A field of type int32, int64 or enum; `value` is a non-negative safe integer. */
  integer(field: number, value: number): this {
    return this.#tag(field, 0).#push(varint(value));
  }

  /** A field of type float. */
  float(field: number, value: number): this {
    return this.#tag(field, 5).#push(floatBytes(Float32Array.of(value)));
  }

  bytes(field: number, value: Uint8Array): this {
    return this.#tag(field, 2).#push(varint(value.length)).#push(value);
  }

  /** A string of ASCII: ids of the IR and names of ONNX are nothing else. */
  text(field: number, value: string): this {
    return this.bytes(
      field,
      Uint8Array.from(value, (character) => character.charCodeAt(0)),
    );
  }

  message(field: number, inner: Message): this {
    this.#tag(field, 2).#push(varint(inner.#length));
    inner.#pieces.forEach((piece) => this.#push(piece));
    return this;
  }

  finish(): Uint8Array {
    const whole = new Uint8Array(this.#length);
    let offset = 0;
    for (const piece of this.#pieces) {
      whole.set(piece, offset);
      offset += piece.length;
    }
    return whole;
  }

  #tag(field: number, wireType: 0 | 2 | 5): this {
    return this.#push(varint(field * 8 + wireType));
  }

  #push(piece: Uint8Array): this {
    this.#pieces.push(piece);
    this.#length += piece.length;
    return this;
  }
}

/** Seven bits a byte, lowest first, the highest bit set on all but the last. */
function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  return Uint8Array.of(...bytes, rest);
}

/** Little-endian on every machine. */
export function floatBytes(values: Float32Array): Uint8Array {
  const bytes = new Uint8Array(values.length * 4);
  const view = new DataView(bytes.buffer);
  values.forEach((value, i) => {
    view.setFloat32(i * 4, value, true);
  });
  return bytes;
}

/** As int64, little-endian. */
export function integerBytes(values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 8);
  const view = new DataView(bytes.buffer);
  values.forEach((value, i) => {
    view.setBigInt64(i * 8, BigInt(value), true);
  });
  return bytes;
}
