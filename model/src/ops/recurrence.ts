import type { Graph, Value } from '../graph/graph.ts';
import type { Fields } from '../ir/fields.ts';
import type { Shape } from '../ir/schema.ts';
import { expectLength, fixedAxes, formatShape, rowAxes, ShapeMismatch } from '../ir/shapes.ts';
import type { Cost, Operation } from './operation.ts';

type Output = 'sequence' | 'last';

/** A gru is written out step by step; more steps would make its graph unwieldy. */
const maxGruSteps = 512;

/**
 * x [B, T, C] with wx [C, 4H], wh [H, 4H] and b [4H], from zero states (Hochreiter and Schmidhuber 1997, with forget
 * gates); gates in the order i, f, g, o, as torch. `sequence`: [B, T, H]; `last`: the last state, [B, H].
 */
export const lstm: Operation = {
  inputs: ['x', 'wx', 'wh', 'b'],
  optional: 0,
  bind(attributes) {
    const output = bindOutput(attributes);
    return {
      attributes: { output },
      infer: (shapes) => inferStates(shapes, 4, output),
      cost: (shapes) => costOf(shapes, 4, 10),
      lower(graph, [x, wx, wh, b]) {
        const [batch, steps] = x.shape;
        const [hidden] = wh.shape;
        const states = graph.lstm(gatesInTime(graph, x, wx, b), wh);
        const h = graph.view(graph.slice(states, 0, 0, 1), [steps, batch, hidden]);
        return output === 'last'
          ? graph.view(graph.slice(h, 0, steps - 1, steps), [batch, hidden])
          : graph.permute(h, [1, 0, 2]);
      },
    };
  },
};

/**
 * x [B, T, C] with wx [C, 3H], wh [H, 3H], bx [3H] and bh [3H], from a zero state (Cho et al. 2014), at most 512 steps;
 * gates in the order r, z, n, with n = tanh(x wxn + bxn + r (h whn + bhn)), as torch. Output as for `lstm`.
 */
export const gru: Operation = {
  inputs: ['x', 'wx', 'wh', 'bx', 'bh'],
  optional: 0,
  bind(attributes) {
    const output = bindOutput(attributes);
    return {
      attributes: { output },
      infer(shapes) {
        const [x] = shapes;
        if (rowAxes(x, 2, 'x')[0] > maxGruSteps)
          throw new ShapeMismatch(
            `x ${formatShape(x)} has more than ${maxGruSteps} steps; use an lstm, or shorter sequences.`,
          );
        return inferStates(shapes, 3, output);
      },
      cost: (shapes) => costOf(shapes, 3, 14),
      lower(graph, [x, wx, wh, bx, bh]) {
        const [batch, steps] = x.shape;
        const [hidden] = wh.shape;
        const fromInput = gatesInTime(graph, x, wx, bx);
        const found: Value[] = [];
        for (let t = 0; t < steps; t++) {
          const gates = graph.view(graph.slice(fromInput, 0, t, t + 1), [batch, 3 * hidden]);
          found.push(gruStep(graph, gates, found.at(-1), wh, bh));
        }
        return output === 'last'
          ? found[steps - 1]
          : graph.view(graph.concat(found, 1), [batch, steps, hidden]);
      },
    };
  },
};

/** The state after one step; `h` is missing before the first, where it is zero. */
function gruStep(graph: Graph, fromInput: Value, h: Value | undefined, wh: Value, bh: Value): Value {
  const [hidden] = wh.shape;
  const fromState = h ? graph.addRow(graph.matmul(h, wh), bh) : graph.repeatRow(bh, fromInput.shape);
  const part = (all: Value, from: number, to: number) => graph.slice(all, 1, from * hidden, to * hidden);
  const gates = graph.sigmoid(graph.add(part(fromInput, 0, 2), part(fromState, 0, 2)));
  const [r, z] = [part(gates, 0, 1), part(gates, 1, 2)];
  const n = graph.tanh(graph.add(part(fromInput, 2, 3), graph.multiply(r, part(fromState, 2, 3))));
  // (1 - z) n + z h
  return h ? graph.add(n, graph.multiply(z, graph.subtract(h, n))) : graph.subtract(n, graph.multiply(z, n));
}

/** x [B, T, C] to x wx + b [T, B, gates H]: what does not depend on the state, all steps at once. */
function gatesInTime(graph: Graph, x: Value, wx: Value, b: Value): Value {
  const [batch, steps, channels] = x.shape;
  const rows = graph.view(graph.permute(x, [1, 0, 2]), [steps * batch, channels]);
  return graph.view(graph.addRow(graph.matmul(rows, wx), b), [steps, batch, wx.shape[1]]);
}

function bindOutput(attributes: Fields): Output {
  return attributes.oneOf('output', ['sequence', 'last'], 'sequence');
}

function inferStates([x, wx, wh, ...biases]: readonly Shape[], gates: number, output: Output): Shape {
  const [steps, channels] = rowAxes(x, 2, 'x');
  const [inputs, width] = fixedAxes(wx, 2, 'wx');
  const [hidden, stateWidth] = fixedAxes(wh, 2, 'wh');
  expectLength(inputs, channels, `the first axis of wx ${formatShape(wx)}`);
  expectLength(width, gates * hidden, `the second axis of wx ${formatShape(wx)}`);
  expectLength(stateWidth, gates * hidden, `the second axis of wh ${formatShape(wh)}`);
  for (const b of biases)
    expectLength(fixedAxes(b, 1, 'a bias')[0], gates * hidden, `the length of a bias ${formatShape(b)}`);
  return output === 'last' ? ['B', hidden] : ['B', steps, hidden];
}

/** `kept`: values of a hidden unit and step. */
function costOf([x, , wh]: readonly Shape[], gates: number, kept: number): Cost {
  const [steps, channels] = rowAxes(x, 2, 'x');
  const [hidden] = fixedAxes(wh, 2, 'wh');
  return {
    values: steps * (channels + kept * hidden),
    products: steps * (channels + hidden) * gates * hidden,
    steps,
  };
}
