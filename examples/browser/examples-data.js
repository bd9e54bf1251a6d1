/**
 * A person's examples in the form that the SDK takes: rows in the order of time.
 * @typedef {{ x: Float32Array, y: Int32Array, count: number, recording?: Int32Array }} Examples
 * @typedef {{ examples: Examples, shape: number[], classes: string[], synthetic: boolean }} Data
 */

/**
 * Reads a document {x, shape, y, recording?, classes?}. `shape` is that of one row, or of all rows.
 * @returns {Data}
 * @throws {TypeError} that says what is wrong with the document.
 */
export function readExamples(document) {
  const { x, y, shape, recording, classes } = document ?? {};
  for (const [name, list] of Object.entries({ x, y, shape })) {
    if (!Array.isArray(list) || !list.every(Number.isFinite)) {
      throw new TypeError(`The data need "${name}", a list of numbers.`);
    }
  }
  const count = y.length;
  const row = size(shape) * count === x.length ? shape : shape.slice(1);
  if (count === 0 || size(row) * count !== x.length) {
    throw new TypeError(
      `x has ${x.length} values; ${count} labels and the shape [${shape.join(', ')}] want others.`,
    );
  }
  if (!y.every((label) => Number.isInteger(label) && label >= 0))
    throw new TypeError('Labels are whole numbers from 0.');
  if (recording !== undefined && recording.length !== count) {
    throw new TypeError(`"recording" has ${recording.length} entries for ${count} rows.`);
  }
  const names = Array.from(
    { length: Math.max(...y) + 1 },
    (_, label) => classes?.[label] ?? `class ${label}`,
  );
  return {
    examples: {
      x: Float32Array.from(x),
      y: Int32Array.from(y),
      count,
      ...(recording ? { recording: Int32Array.from(recording) } : {}),
    },
    shape: row,
    classes: names,
    synthetic: document.synthetic === true,
  };
}

/** The values of one row. */
export function rowOf(examples, shape, row) {
  return examples.x.subarray(row * size(shape), (row + 1) * size(shape));
}

function size(shape) {
  return shape.reduce((product, axis) => product * axis, 1);
}
