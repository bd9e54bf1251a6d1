import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromBase64 } from './base64.ts';
import { concatBytes } from './bytes.ts';
import { readSafetensors } from './read-safetensors.ts';
import { SafetensorsError } from './safetensors-error.ts';
import { arrayTypes, bytesOf, type Dtype, type Tensor } from './tensor.ts';
import { utf8Decode, utf8Encode } from './utf8.ts';
import { writeSafetensors } from './write-safetensors.ts';

const dtypes = Object.keys(arrayTypes) as Dtype[]; // its own keys
const anyTensor: fc.Arbitrary<Tensor> = fc
  .record({
    name: fc.string({ unit: 'grapheme', maxLength: 6 }),
    dtype: fc.constantFrom(...dtypes),
    shape: fc.array(fc.nat(3), { maxLength: 3 }),
    seed: fc.infiniteStream(fc.nat(255)),
  })
  .map(({ name, dtype, shape, seed }) => {
    const array = arrayTypes[dtype];
    const count = shape.reduce((product, dimension) => product * dimension, 1);
    const memory = Uint8Array.from({ length: count * array.BYTES_PER_ELEMENT }, () =>
      Number(seed.next().value),
    );
    return { name: `t.${name}`, dtype, shape, data: new array(memory.buffer, 0, count) } as Tensor; // by its dtype
  });
const anyTensors = fc.uniqueArray(anyTensor, { selector: ({ name }) => name, maxLength: 6 });
const anyMetadata = fc.dictionary(
  fc.string({ minLength: 1, unit: 'grapheme' }).map((key) => `m${key}`),
  fc.string(),
);

/** Bits, not values: a NaN must come back as the same NaN. */
function bitsOf(tensors: Iterable<Tensor>): Record<string, unknown> {
  return Object.fromEntries(
    Array.from(tensors, (tensor) => [tensor.name, [tensor.dtype, tensor.shape, [...bytesOf(tensor)]]]),
  );
}

/** A file with this header, as it is, and this many bytes of values. */
function file(header: string | Uint8Array, valueBytes = 0): Uint8Array {
  const text = typeof header === 'string' ? utf8Encode(header) : header;
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(text.length), true);
  return concatBytes(length, text, new Uint8Array(valueBytes));
}
function entry(dtype: string, shape: unknown, offsets: unknown): string {
  return JSON.stringify({ dtype, shape, data_offsets: offsets });
}
function codeOf(bytes: Uint8Array, limits?: Parameters<typeof readSafetensors>[1]): string {
  try {
    readSafetensors(bytes, limits);
  } catch (error) {
    if (error instanceof SafetensorsError) return error.code;
    throw error;
  }
  return 'read';
}

describe('a safetensors file', () => {
  it('comes back bit for bit, from memory of any alignment', () => {
    fc.assert(
      fc.property(
        anyTensors,
        fc.option(anyMetadata, { nil: undefined }),
        fc.nat(8),
        (tensors, metadata, shift) => {
          const bytes = concatBytes(new Uint8Array(shift), writeSafetensors(tensors, metadata)).subarray(
            shift,
          );
          const read = readSafetensors(bytes);
          expect(bitsOf(read.tensors.values())).toEqual(bitsOf(tensors));
          expect(read.metadata).toEqual(metadata);
        },
      ),
    );
  });

  it('is the same whatever the order of its tensors and metadata', () => {
    fc.assert(
      fc.property(anyTensors, anyMetadata, (tensors, metadata) => {
        const backwards = Object.fromEntries(Object.entries(metadata).reverse());
        expect(writeSafetensors(tensors.toReversed(), backwards)).toEqual(
          writeSafetensors(tensors, metadata),
        );
      }),
    );
  });

  it('holds wider values first, then sorts by name, aligned to 8 bytes', () => {
    const bytes = writeSafetensors([
      { name: 'b', dtype: 'F32', shape: [1], data: Float32Array.of(1) },
      { name: '10', dtype: 'U8', shape: [1], data: Uint8Array.of(1) },
      { name: 'a', dtype: 'I32', shape: [], data: Int32Array.of(1) },
      { name: 'z', dtype: 'F64', shape: [0], data: new Float64Array() },
    ]);
    const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    expect(length % 8).toBe(0);
    expect(utf8Decode(bytes.subarray(8, 8 + length)).trimEnd()).toBe(
      `{"z":${entry('F64', [0], [0, 0])},"a":${entry('I32', [], [0, 4])},"b":${entry('F32', [1], [4, 8])},"10":${entry('U8', [1], [8, 9])}}`,
    );
  });

  it('is byte for byte what the Python library (0.8.0) writes', () => {
    const python = fromBase64(
      'AAEAAAAAAAB7Il9fbWV0YWRhdGFfXyI6eyJrIjoidlwiXG4ifSwiOSI6eyJkdHlwZSI6IkY2NCIsInNoYXBlIjpbMV0sImRhdGFfb2Zmc2V0cyI6WzAsOF19LCIxMCI6eyJkdHlwZSI6IkYzMiIsInNoYXBlIjpbXSwiZGF0YV9vZmZzZXRzIjpbOCwxMl19LCJhL8OpIjp7ImR0eXBlIjoiRjMyIiwic2hhcGUiOlsxLDFdLCJkYXRhX29mZnNldHMiOlsxMiwxNl19LCJiIjp7ImR0eXBlIjoiRjMyIiwic2hhcGUiOlsyXSwiZGF0YV9vZmZzZXRzIjpbMTYsMjRdfX0gICAgAAAAAAAA4D8AAIBAAABAQAAAwD8AABDA',
    );
    const ours = writeSafetensors(
      [
        { name: 'b', dtype: 'F32', shape: [2], data: Float32Array.of(1.5, -2.25) },
        { name: 'a/é', dtype: 'F32', shape: [1, 1], data: Float32Array.of(3) },
        { name: '10', dtype: 'F32', shape: [], data: Float32Array.of(4) },
        { name: '9', dtype: 'F64', shape: [1], data: Float64Array.of(0.5) },
      ],
      { k: 'v"\n' },
    );
    expect(ours).toEqual(python);
  });

  it('gives views of aligned memory and copies of the rest', () => {
    const bytes = writeSafetensors([{ name: 'x', dtype: 'F64', shape: [2], data: Float64Array.of(1, 2) }]);
    const shifted = concatBytes(Uint8Array.of(0), bytes).subarray(1);
    expect(readSafetensors(bytes).tensors.get('x')?.data.buffer).toBe(bytes.buffer);
    expect(readSafetensors(shifted).tensors.get('x')?.data.buffer).not.toBe(shifted.buffer);
  });

  it('may be empty, and need not list its tensors in order', () => {
    expect(readSafetensors(file('{}'))).toEqual({ tensors: new Map(), metadata: undefined });
    const two = file(`{"b":${entry('U8', [1], [1, 2])},"a":${entry('U8', [1], [0, 1])}}`, 2);
    expect([...readSafetensors(two).tensors.keys()]).toEqual(['a', 'b']);
  });
});

describe('reading refuses', () => {
  const byte = (begin: number) => entry('U8', [1], [begin, begin + 1]);
  const two53 = 2 ** 53;

  it.each<[string, string, Uint8Array]>([
    ['no length', 'header-truncated', new Uint8Array(7)],
    ['a header past the end', 'header-truncated', file('{}').subarray(0, 9)],
    ['a header of 2^64 - 1 bytes', 'header-too-large', new Uint8Array(16).fill(255)],
    ['a header that is not UTF-8', 'header-not-utf8', file(Uint8Array.of(0x7b, 0xff, 0x7d))],
    ['a header that is not JSON', 'header-not-json', file('{"a":}')],
    ['an empty header', 'header-not-json', file('')],
    ['a list', 'header-not-object', file('[]')],
    ['null', 'header-not-object', file('null')],
    ['space before the header', 'header-not-object', file(' {}')],
    ['a name twice', 'duplicate-name', file(`{"a":${byte(0)},"a":${byte(0)}}`, 1)],
    ['a name twice, once escaped', 'duplicate-name', file(`{"a":${byte(0)},"\\u0061" :${byte(0)}}`, 1)],
    [
      'a field twice',
      'duplicate-name',
      file('{"a":{"dtype":"U8","shape":[2],"shape":[1],"data_offsets":[0,1]}}', 1),
    ],
    ['metadata twice', 'duplicate-name', file('{"__metadata__":{},"__metadata__":{}}')],
    ['__proto__', 'invalid-name', file(`{"__proto__":${byte(0)}}`, 1)],
    ['a lone surrogate as name', 'invalid-name', file(`{"\\ud800":${byte(0)}}`, 1)],
    ['a number as entry', 'invalid-entry', file('{"a":1}')],
    [
      'a field too many',
      'invalid-entry',
      file('{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"x":1}}', 1),
    ],
    ['no dtype', 'unknown-dtype', file('{"a":{"shape":[1],"data_offsets":[0,1],"x":1}}', 1)],
    ['a dtype that we do not know', 'unknown-dtype', file(`{"a":${entry('F8_E4M3', [1], [0, 1])}}`, 1)],
    ['a dtype from a prototype', 'unknown-dtype', file(`{"a":${entry('toString', [1], [0, 1])}}`, 1)],
    ['a shape that is no list', 'invalid-shape', file(`{"a":${entry('U8', 1, [0, 1])}}`, 1)],
    ['a negative dimension', 'invalid-shape', file(`{"a":${entry('U8', [-1, -1], [0, 1])}}`, 1)],
    ['a fraction', 'invalid-shape', file(`{"a":${entry('U8', [0.5, 2], [0, 1])}}`, 1)],
    ['a dimension as text', 'invalid-shape', file(`{"a":${entry('U8', ['1'], [0, 1])}}`, 1)],
    ['an unsafe dimension', 'invalid-shape', file(`{"a":${entry('U8', [two53], [0, 1])}}`, 1)],
    ['a product beyond 2^53', 'invalid-shape', file(`{"a":${entry('U8', [2 ** 27, 2 ** 27, 0], [0, 0])}}`)],
    ['bytes beyond 2^53', 'invalid-shape', file(`{"a":${entry('F64', [2 ** 51], [0, 1])}}`, 1)],
    ['offsets out of order', 'invalid-offsets', file(`{"a":${entry('U8', [1], [1, 0])}}`, 1)],
    ['negative offsets', 'invalid-offsets', file(`{"a":${entry('U8', [1], [-1, 0])}}`, 1)],
    ['three offsets', 'invalid-offsets', file(`{"a":${entry('U8', [1], [0, 1, 1])}}`, 1)],
    ['offsets that are no list', 'invalid-offsets', file(`{"a":${entry('U8', [1], { 0: 0, 1: 1 })}}`, 1)],
    ['a length that is not the shape', 'wrong-length', file(`{"a":${entry('F32', [2], [0, 4])}}`, 4)],
    ['a gap at the start', 'gap', file(`{"a":${byte(1)}}`, 2)],
    ['a gap between', 'gap', file(`{"a":${byte(0)},"b":${byte(2)}}`, 3)],
    ['an overlap', 'overlap', file(`{"a":${entry('U8', [2], [0, 2])},"b":${byte(1)}}`, 2)],
    ['the same bytes twice', 'overlap', file(`{"a":${byte(0)},"b":${byte(0)}}`, 1)],
    [
      'an empty tensor inside another',
      'overlap',
      file(`{"a":${entry('U8', [2], [0, 2])},"b":${entry('U8', [0], [1, 1])}}`, 2),
    ],
    ['values past the end', 'data-truncated', file(`{"a":${entry('U8', [2], [0, 2])}}`, 1)],
    ['trailing bytes', 'trailing-bytes', file(`{"a":${byte(0)}}`, 2)],
    ['trailing bytes after nothing', 'trailing-bytes', file('{}', 1)],
    ['metadata that is no object', 'invalid-metadata', file('{"__metadata__":[]}')],
    ['metadata that is null', 'invalid-metadata', file('{"__metadata__":null}')],
    ['metadata that is not text', 'invalid-metadata', file('{"__metadata__":{"a":1}}')],
    ['metadata under __proto__', 'invalid-metadata', file('{"__metadata__":{"__proto__":"x"}}')],
  ])('%s', (_, code, bytes) => {
    expect(codeOf(bytes)).toBe(code);
  });

  it('headers and counts over the limits that were given', () => {
    const bytes = writeSafetensors([
      { name: 'a', dtype: 'U8', shape: [0], data: new Uint8Array() },
      { name: 'b', dtype: 'U8', shape: [0], data: new Uint8Array() },
    ]);
    const headerBytes = bytes.length - 8;
    expect(codeOf(bytes, { maxHeaderBytes: headerBytes, maxTensors: 2 })).toBe('read');
    expect(codeOf(bytes, { maxHeaderBytes: headerBytes - 1 })).toBe('header-too-large');
    expect(codeOf(bytes, { maxTensors: 1 })).toBe('too-many-tensors');
    expect(codeOf(file(`{}${' '.repeat(2 ** 20 - 2)}`))).toBe('read');
    expect(codeOf(file(`{}${' '.repeat(2 ** 20 - 1)}`))).toBe('header-too-large');
  });

  it('bottomless nesting', () => {
    expect(codeOf(file(`{"a":${'['.repeat(200_000)}${']'.repeat(200_000)}}`))).not.toBe('read');
  });

  it('or reads whatever the bytes, never with another exception', () => {
    const edits = fc.array(
      fc.tuple(fc.nat(), fc.oneof(fc.nat(255), fc.constantFrom(...utf8Encode('{}[]",:0123456789\\')))),
      { minLength: 1, maxLength: 4 },
    );
    const seen = new Set<string>();
    fc.assert(
      fc.property(anyTensors, anyMetadata, edits, fc.nat(3), (tensors, metadata, changes, cut) => {
        const bytes = writeSafetensors(tensors, metadata);
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        seen.add(codeOf(bytes.subarray(0, bytes.length - cut)));
      }),
      { numRuns: 2000 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        seen.add(codeOf(bytes));
      }),
    );
    expect([...seen]).toEqual(expect.arrayContaining(['read', 'header-not-json', 'header-truncated']));
  });
});

describe('writing refuses', () => {
  const tensor = (name: string, shape = [1]): Tensor => ({
    name,
    dtype: 'U8',
    shape,
    data: Uint8Array.of(1),
  });

  it.each<[string, string, Tensor[]]>([
    ['a name twice', 'duplicate-name', [tensor('a'), tensor('a')]],
    ['__metadata__', 'invalid-name', [tensor('__metadata__')]],
    ['__proto__', 'invalid-name', [tensor('__proto__')]],
    ['a lone surrogate', 'invalid-name', [tensor('\ud800')]],
    ['too few values', 'wrong-length', [tensor('a', [2])]],
    ['a shape of fractions', 'invalid-shape', [tensor('a', [0.5, 2])]],
  ])('%s', (_, code, tensors) => {
    expect(() => writeSafetensors(tensors)).toThrow(
      expect.objectContaining({ code, tensor: tensors[0]?.name }),
    );
  });

  it.each([{ a: '\ud800' }, { '\udc00': 'a' }, { ['__proto__']: 'a' }])(
    'metadata that cannot be read back: %j',
    (metadata) => {
      expect(() => writeSafetensors([], metadata)).toThrow(
        expect.objectContaining({ code: 'invalid-metadata' }),
      );
    },
  );
});
