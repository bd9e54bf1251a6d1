import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readRows, RowsProblem } from './rows.ts';

const shape = { size: 3, classes: 2 };
const read = (text: string) => {
  const { x, labels } = readRows(text, shape);
  return { x: x.map((row) => [...row]), labels };
};
const faultOf = (text: string) => {
  try {
    readRows(text, shape);
    return undefined;
  } catch (error) {
    return error instanceof RowsProblem ? error.fault : error;
  }
};

describe('rows that a person gives', () => {
  it('are lines of numbers, whatever stands between', () => {
    const two = { x: [[1, 2, 3], [4, 5, 6]], labels: [null, null] }; // prettier-ignore
    for (const text of [
      '1,2,3\n4,5,6',
      '1 2\t3\r\n\n4; 5; 6\n',
      'a,b,c\n1,2,3\n4,5,6',
      '[[1,2,3],[4,5,6]]',
      '[1,2,3,4,5,6]',
    ])
      expect(read(text)).toEqual(two);
  });

  it('end with their class when they have one value more', () => {
    expect(read('1,2,3,0\n4,5,6,1')).toMatchObject({ labels: [0, 1] });
    expect(read('{"x": [1,2,3,4,5,6], "y": [1, 0]}')).toMatchObject({ labels: [1, 0] });
  });

  it('may be one row over several lines, as an image is', () => {
    expect(read('1\n2\n3')).toEqual({ x: [[1, 2, 3]], labels: [null] });
    expect(read('[[1],[2],[3]]')).toEqual({ x: [[1, 2, 3]], labels: [null] });
  });

  it('are refused with the line and what is wrong there', () => {
    expect(faultOf('')).toEqual({ kind: 'empty' });
    expect(faultOf('1,2,3\n1,x,3')).toEqual({ kind: 'not-a-number', line: 2, text: 'x' });
    expect(faultOf('1,2,3\n1,2')).toEqual({ kind: 'wrong-length', line: 2, found: 2, wanted: 3 });
    expect(faultOf('1,2,3,7')).toEqual({ kind: 'no-class', line: 1, found: 7, classes: 2 });
    expect(faultOf('[1, 2')).toMatchObject({ kind: 'not-a-number' });
  });

  it('never are anything but finite numbers in rows of the right length, whatever was typed', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), fc.stringMatching(/^[0-9,.;\n -]*$/)), (text) => {
        const fault = faultOf(text);
        if (fault === undefined) {
          for (const row of readRows(text, shape).x) {
            expect(row).toHaveLength(3);
          }
        } else expect(fault).toHaveProperty('kind');
      }),
    );
  });
});
