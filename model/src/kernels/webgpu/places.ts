import type { Operand } from '../backend.ts';
import { eachElement, type GpuKernels } from './dispatch.ts';

type Op = 'permute' | 'slice' | 'pad' | 'concat' | 'takeRows' | 'addRowsAt';

export const places: GpuKernels<Op> = {
  permute({ inputs: [a], output: y, attributes: { axes } }) {
    // The index along each axis of y, from the last, takes its step through a.
    const integers: Record<string, number> = { a: a.offset };
    let steps = 'var rest = i; var place = call.a;';
    for (let axis = axes.length - 1; axis >= 0; axis--) {
      if (y.shape[axis] === 1) continue;
      integers[`length${axis}`] = y.shape[axis];
      integers[`step${axis}`] = rowFrom(a, axes[axis] + 1);
      steps += ` place += (rest % call.length${axis}) * call.step${axis}; rest /= call.length${axis};`;
    }
    return [eachElement(y, { integers }, 'arena[place]', { steps })];
  },

  slice({ inputs: [a], output: y, attributes: { axis, start } }) {
    const first = a.offset + start * rowFrom(a, axis + 1);
    const integers = { first, row: rowFrom(a, axis), cut: rowFrom(y, axis) };
    return [eachElement(y, { integers }, 'arena[call.first + (i / call.cut) * call.row + i % call.cut]')];
  },

  pad({ inputs: [a], output: y, attributes: { axis, before } }) {
    const integers = {
      a: a.offset,
      before: before * rowFrom(y, axis + 1),
      row: rowFrom(a, axis),
      padded: rowFrom(y, axis),
    };
    const steps = `let at = i % call.padded;
  var value = 0.0;
  if (at >= call.before && at < call.before + call.row) {
    value = arena[call.a + (i / call.padded) * call.row + at - call.before];
  }`;
    return [eachElement(y, { integers }, 'value', { steps })];
  },

  concat({ inputs, output, attributes: { axis } }) {
    const whole = rowFrom(output, axis);
    let first = 0;
    return inputs.map((input) => {
      const row = rowFrom(input, axis);
      const integers = { a: input.offset, row, gap: whole - row };
      const strip = { offset: output.offset + first, size: input.size };
      first += row;
      return eachElement(strip, { integers }, 'arena[call.a + i]', {
        place: 'call.y + i + (i / call.row) * call.gap',
      });
    });
  },

  takeRows({ inputs: [table, index], output: y }) {
    const integers = { table: table.offset, index: index.offset, columns: table.shape[1] };
    const steps = 'let row = u32(arena[call.index + i / call.columns]);';
    return [
      eachElement(y, { integers }, 'arena[call.table + row * call.columns + i % call.columns]', { steps }),
    ];
  },

  /** No atomics on floats: each value of the table looks for its rows, in their order. */
  addRowsAt({ inputs: [d, index], output: y }) {
    const integers = { d: d.offset, index: index.offset, many: index.size, columns: y.shape[1] };
    const steps = `let row = f32(i / call.columns);
  let column = i % call.columns;
  var sum = 0.0;
  for (var k = 0u; k < call.many; k++) {
    if (arena[call.index + k] == row) { sum += arena[call.d + k * call.columns + column]; }
  }`;
    return [eachElement(y, { integers }, 'sum', { steps })];
  },
};

/** Values under one index of all axes before `axis`. */
function rowFrom({ shape }: Operand, axis: number): number {
  return shape.slice(axis).reduce((size, length) => size * length, 1);
}
