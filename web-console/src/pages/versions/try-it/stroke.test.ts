import { expect, it } from 'vitest';
import { withStroke } from './stroke.ts';

const sheet = { width: 5, height: 3, channels: 1 };
const rows = (values: Float32Array) => [0, 1, 2].map((row) => [...values.slice(row * 5, row * 5 + 5)]);

it('draws a line with round ends on a copy of the image', () => {
  const blank = new Float32Array(15);
  const pen = { radius: 0.5, ink: 1, paper: 0 };
  const drawn = withStroke(blank, sheet, { x: 1.5, y: 1.5 }, { x: 3.5, y: 1.5 }, pen);
  expect(rows(drawn)).toEqual([
    [0, 0, 0, 0, 0],
    [0, 1, 1, 1, 0],
    [0, 0, 0, 0, 0],
  ]);
  expect(blank.every((value) => value === 0)).toBe(true);
});

it('draws dark on light paper, on every channel, and never takes ink away', () => {
  const colour = { ...sheet, channels: 3 };
  const paper = new Float32Array(45).fill(1);
  const pen = { radius: 0.5, ink: 0, paper: 1 };
  const once = withStroke(paper, colour, { x: 2.5, y: 1.5 }, { x: 2.5, y: 1.5 }, pen);
  expect([...once.slice(21, 24)]).toEqual([0, 0, 0]);
  const twice = withStroke(once, colour, { x: 2.9, y: 1.5 }, { x: 2.9, y: 1.5 }, pen);
  expect([...twice.slice(21, 24)]).toEqual([0, 0, 0]);
});
