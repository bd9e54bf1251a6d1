import { describe, expect, it } from 'vitest';
import { at, bound, compute, expectEach, rows, sum, weights, type Tensor } from './testing/lowered.ts';

const [batch, steps, channels, hidden] = [2, 4, 3, 5];
const x = rows('x', batch, steps, channels);
const logistic = (a: number) => 1 / (1 + Math.exp(-a));

/** Row `n` of x_t wx + b, and of h wh + b. */
const fromInput = (wx: Tensor, b: Tensor, n: number, t: number, column: number) =>
  at(b, column) + sum(channels, (c) => at(x, n, t, c) * at(wx, c, column));
const fromState = (h: readonly number[], wh: Tensor, column: number) =>
  sum(hidden, (i) => h[i] * at(wh, i, column));

function lstmStates(n: number, wx: Tensor, wh: Tensor, b: Tensor): number[][] {
  let [h, c] = [new Array<number>(hidden).fill(0), new Array<number>(hidden).fill(0)];
  return Array.from({ length: steps }, (_, t) => {
    const before = h;
    const gate = (k: number, j: number) =>
      fromInput(wx, b, n, t, k * hidden + j) + fromState(before, wh, k * hidden + j);
    c = c.map((old, j) => logistic(gate(1, j)) * old + logistic(gate(0, j)) * Math.tanh(gate(2, j)));
    h = c.map((cell, j) => logistic(gate(3, j)) * Math.tanh(cell));
    return h;
  });
}

function gruStates(n: number, wx: Tensor, wh: Tensor, bx: Tensor, bh: Tensor): number[][] {
  let h = new Array<number>(hidden).fill(0);
  return Array.from({ length: steps }, (_, t) => {
    const before = h;
    const input = (k: number, j: number) => fromInput(wx, bx, n, t, k * hidden + j);
    const state = (k: number, j: number) => fromState(before, wh, k * hidden + j) + at(bh, k * hidden + j);
    h = h.map((old, j) => {
      const r = logistic(input(0, j) + state(0, j));
      const z = logistic(input(1, j) + state(1, j));
      const fresh = Math.tanh(input(2, j) + r * state(2, j));
      return (1 - z) * fresh + z * old;
    });
    return h;
  });
}

describe('lstm', () => {
  const [wx, wh, b] = [weights('wx', channels, 20), weights('wh', hidden, 20), weights('b', 20)];

  it('gives the state after every step, or the last', () => {
    const states = Array.from({ length: batch }, (_, n) => lstmStates(n, wx, wh, b));
    expectEach(compute('lstm', {}, [x, wx, wh, b]), (n, t, j) => states[n][t][j]);
    expectEach(compute('lstm', { output: 'last' }, [x, wx, wh, b]), (n, j) => states[n][steps - 1][j]);
  });

  it('refuses gates of another width', () => {
    expect(() => bound('lstm').infer([['B', 4, 3], [3, 15], [5, 20], [20]])).toThrow(
      /second axis of wx \[3, 15\] is 15; expected 20/,
    );
  });
});

describe('gru', () => {
  const [wx, wh] = [weights('wx3', channels, 15), weights('wh3', hidden, 15)];
  const [bx, bh] = [weights('bx', 15), weights('bh', 15)];

  it('gives the state after every step, or the last', () => {
    const states = Array.from({ length: batch }, (_, n) => gruStates(n, wx, wh, bx, bh));
    expectEach(compute('gru', {}, [x, wx, wh, bx, bh]), (n, t, j) => states[n][t][j]);
    expectEach(compute('gru', { output: 'last' }, [x, wx, wh, bx, bh]), (n, j) => states[n][steps - 1][j]);
  });

  it('takes a single step', () => {
    const one: Tensor = { ...x, shape: [batch * steps, 1, channels] };
    const found = compute('gru', {}, [one, wx, wh, bx, bh]);
    expectEach(found, (n, _, j) => {
      const [sample, t] = [Math.floor(n / steps), n % steps];
      const gate = (k: number) => fromInput(wx, bx, sample, t, k * hidden + j);
      const r = logistic(gate(0) + at(bh, j));
      const z = logistic(gate(1) + at(bh, hidden + j));
      return (1 - z) * Math.tanh(gate(2) + r * at(bh, 2 * hidden + j));
    });
  });

  it('refuses more than 512 steps', () => {
    const shapes = (length: number) => [['B', length, 3], [3, 15], [5, 15], [15], [15]] as const;
    expect(bound('gru').infer(shapes(512))).toEqual(['B', 512, 5]);
    expect(() => bound('gru').infer(shapes(513))).toThrow(/x \[B, 513, 3\] has more than 512 steps/);
  });
});
