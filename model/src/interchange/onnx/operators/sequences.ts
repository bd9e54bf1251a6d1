import type { GraphWriter, Weights } from '../graph-writer.ts';
import type { ExportedNode, Exporter } from '../node.ts';
import { identity, timeFirst } from '../permutation.ts';

/** Places of ONNX's gates i, o, f, c among the IR's i, f, g, o. */
const lstmGates = [0, 3, 1, 2];

/** Places of ONNX's gates z, r, h among the IR's r, z, n. */
const gruGates = [1, 0, 2];

/** The recurrent bias that ONNX adds is zero: the IR has one bias. */
export const lstm: Exporter = (graph, node) => {
  const [wx, wh, b] = [1, 2, 3].map((input) => node.weights(graph, input));
  recurrence(graph, node, 'LSTM', {}, [
    gateRows(graph, wx, lstmGates),
    gateRows(graph, wh, lstmGates),
    biases(graph, [b], lstmGates),
  ]);
};

/** The reset gate acts on h.whn + bhn: `linear_before_reset`. */
export const gru: Exporter = (graph, node) => {
  const [wx, wh, bx, bh] = [1, 2, 3, 4].map((input) => node.weights(graph, input));
  recurrence(graph, node, 'GRU', { linear_before_reset: 1 }, [
    gateRows(graph, wx, gruGates),
    gateRows(graph, wh, gruGates),
    biases(graph, [bx, bh], gruGates),
  ]);
};

function recurrence(
  graph: GraphWriter,
  node: ExportedNode,
  type: 'LSTM' | 'GRU',
  attributes: Readonly<Record<string, number>>,
  weights: readonly string[],
): void {
  const [x] = node.inputs;
  const inputs = [graph.read(x, timeFirst(3)), ...weights];
  const hidden_size = node.weights(graph, 2).shape[0];
  const sequence = node.oneOf('output', ['sequence', 'last']) === 'sequence';
  const order = sequence ? timeFirst(3) : identity(2);
  const name = graph.nameOf(node.out, order);
  const state = `${name}:state`; // [T, 1, B, H], or of the last step [1, B, H]; the 1 counts directions
  graph.nodeWithOutputs(type, inputs, { hidden_size, ...attributes }, sequence ? [state] : ['', state]);
  graph.node('Squeeze', [state, graph.integers(sequence ? 1 : 0)], {}, name);
  graph.store(node.out, order, name);
}

/** [in, gates H] to [1, gates H, in], the gates in another order. */
function gateRows(graph: GraphWriter, { id, shape, values }: Weights, gates: readonly number[]): string {
  const [inputs, columns] = shape;
  const hidden = columns / gates.length;
  return graph.floats(`${id}:gates${gates.join('')}`, [1, columns, inputs], () => {
    const rows = new Float32Array(values.length);
    gates.forEach((gate, place) => {
      for (let unit = 0; unit < hidden; unit++)
        for (let input = 0; input < inputs; input++)
          rows[(place * hidden + unit) * inputs + input] = values[input * columns + gate * hidden + unit];
    });
    return rows;
  });
}

/** Biases of the input and of the recurrence behind each other, [1, 2 gates H]. */
function biases(graph: GraphWriter, tensors: readonly Weights[], gates: readonly number[]): string {
  const columns = tensors[0].values.length;
  const hidden = columns / gates.length;
  const name = `${tensors.map(({ id }) => id).join(':')}:gates${gates.join('')}`;
  return graph.floats(name, [1, 2 * columns], () => {
    const row = new Float32Array(2 * columns);
    tensors.forEach(({ values }, half) => {
      gates.forEach((gate, place) => {
        row.set(values.subarray(gate * hidden, (gate + 1) * hidden), half * columns + place * hidden);
      });
    });
    return row;
  });
}
