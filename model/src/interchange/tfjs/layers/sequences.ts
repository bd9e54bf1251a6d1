import type { Tensor } from '../draft.ts';
import type { LayerAt, LayerImporter } from '../layer.ts';

/** Gates i, f, c, o, which are the IR's i, f, g, o. */
export const lstm: LayerImporter = (layer) => {
  const { x, units } = readRecurrence(layer);
  const wx = layer.parameter('kernel', [x.shape[1], 4 * units], 'glorotUniform');
  const wh = layer.parameter('recurrent_kernel', [units, 4 * units], 'glorotUniform');
  const values = layer.config.flag('use_bias', true)
    ? layer.weight('bias', [4 * units])
    : new Float32Array(4 * units);
  const b = layer.parameterOf('bias', [4 * units], values, 'zeros');
  return layer.node('lstm', [x.id, wx, wh, b], { output: outputOf(layer) });
};

/** Gates z, r, h become r, z, n; with `reset_after`, as the IR resets behind the recurrent product. */
export const gru: LayerImporter = (layer) => {
  const { x, units } = readRecurrence(layer);
  if (!layer.config.flag('reset_after', false))
    throw layer.error(
      '"reset_after" is false, so the reset gate acts before the recurrent product; the IR has it behind.',
    );
  const columns = 3 * units;
  const [kernel, recurrent] = [
    layer.weight('kernel', [x.shape[1], columns]),
    layer.weight('recurrent_kernel', [units, columns]),
  ].map((values) => swapGates(values, units));
  const biases = layer.config.flag('use_bias', true)
    ? swapGates(layer.weight('bias', [2, columns]), units)
    : new Float32Array(2 * columns);
  const inputs = [
    layer.parameterOf('kernel', [x.shape[1], columns], kernel, 'glorotUniform'),
    layer.parameterOf('recurrent_kernel', [units, columns], recurrent, 'glorotUniform'),
    layer.parameterOf('bias', [columns], biases.slice(0, columns), 'zeros'),
    layer.parameterOf('recurrent_bias', [columns], biases.slice(columns), 'zeros'),
  ];
  return layer.node('gru', [x.id, ...inputs], { output: outputOf(layer) });
};

function readRecurrence(layer: LayerAt): { x: Tensor; units: number } {
  layer.expect('activation', 'tanh');
  if (layer.config.text('recurrent_activation', 'hard_sigmoid') !== 'sigmoid')
    throw layer.error('its "recurrent_activation" is not "sigmoid", the only one that the IR has.');
  for (const key of ['go_backwards', 'stateful', 'return_state', 'time_major']) layer.expect(key, false);
  for (const key of ['dropout', 'recurrent_dropout']) layer.expect(key, 0);
  return { x: layer.input(2), units: layer.config.count('units') };
}

function outputOf(layer: LayerAt): 'sequence' | 'last' {
  return layer.config.flag('return_sequences', false) ? 'sequence' : 'last';
}

/** Rows of z, r, h to rows of r, z, h. */
function swapGates(values: Float32Array, units: number): Float32Array {
  const swapped = values.slice();
  for (let row = 0; row < values.length; row += 3 * units) {
    swapped.set(values.subarray(row + units, row + 2 * units), row);
    swapped.set(values.subarray(row, row + units), row + units);
  }
  return swapped;
}
