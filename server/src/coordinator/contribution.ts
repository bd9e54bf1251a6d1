import { checkContribution, type Contribution } from '@starling/aggregation';
import {
  ProblemError,
  readSafetensors,
  SafetensorsError,
  tensorDtype,
  weightTensor,
  type UpdateBlock,
} from '@starling/protocol';
import { FixedPointError } from '@starling/secure';

/** Bytes that an update file may have beyond its values: the header and the weight. */
const headerAllowance = 4096;

/** The most bytes that an update with these blocks can have. */
export function updateByteLimit(blocks: readonly UpdateBlock[]): number {
  return blocks.reduce((sum, block) => sum + block.size * width(block), headerAllowance);
}

/**
 * Reads an update file and checks everything about it: exactly the blocks of the round, their dtype and length,
 * finite values in range, an update no longer than `clipNorm`, an integer weight from 1 to `maxWeight`. What it returns
 * can be added to a sum. Throws ProblemError with an `update-*` code.
 */
export function readContribution(
  bytes: Uint8Array,
  blocks: readonly UpdateBlock[],
  maxWeight: number,
  clipNorm = Infinity,
): Contribution {
  const { tensors } = parse(bytes);
  const expected = new Set<string>([...blocks.map((block) => block.name), weightTensor]);
  const surplus = [...tensors.keys()].filter((name) => !expected.has(name));
  if (surplus.length > 0) {
    throw wrongShape(`holds tensors that the round does not ask for (${surplus.slice(0, 5).join(', ')})`);
  }
  const weight = tensors.get(weightTensor);
  if (weight?.dtype !== 'U32' || weight.shape.join('x') !== '1') {
    throw wrongShape('lacks the tensor "weight" (U32, shape [1])');
  }
  const weightValue = Number(weight.data[0]);
  if (weightValue < 1 || weightValue > maxWeight) {
    throw new ProblemError(
      'update-weight-invalid',
      `The weight is ${weightValue}; the plan allows whole numbers from 1 to ${maxWeight}.`,
    );
  }
  const values = blocks.map((block) => {
    const tensor = tensors.get(block.name);
    const dtype = tensorDtype(block);
    if (tensor?.dtype !== dtype || tensor.shape.length !== 1 || tensor.shape[0] !== block.size) {
      const found = tensor ? `${tensor.dtype} [${tensor.shape.join(', ')}]` : 'absent';
      throw wrongShape(`has "${block.name}" ${found}; the round asks for ${dtype} [${block.size}]`);
    }
    return tensor.data;
  });
  const contribution: Contribution = { blocks: values, weight: weightValue };
  try {
    checkContribution(contribution, blocks, maxWeight);
  } catch (error) {
    if (!(error instanceof FixedPointError)) throw error;
    const code = error.code === 'value-not-finite' ? 'update-not-finite' : 'update-out-of-range';
    throw new ProblemError(code, `The update was refused: ${error.message}`);
  }
  requireNorm(blocks, values, clipNorm);
  return contribution;
}

/**
 * A device that clips gives an update of `clipNorm`, up to what float32 and the grid of stochastic rounding add to it: a step
 * for each coordinate at most.
 */
function requireNorm(
  blocks: readonly UpdateBlock[],
  values: readonly ArrayLike<number | bigint>[],
  clipNorm: number,
): void {
  if (clipNorm === Infinity) return;
  let [squares, grid] = [0, 0];
  for (const [index, { name, size, scaleBits, rounding }] of blocks.entries()) {
    if (name !== 'parameters' && name !== 'rates') continue;
    for (let at = 0; at < size; at++) squares += Number(values[index]![at]) ** 2;
    if (rounding === 'stochastic') grid += size * 4 ** -scaleBits;
  }
  const norm = Math.sqrt(squares);
  if (norm <= clipNorm * (1 + 1e-5) + Math.sqrt(grid)) return;
  throw new ProblemError(
    'update-norm-exceeded',
    `The update has an L2 norm of ${norm}; the plan clips it to ${clipNorm}. Scale it down, or use the current SDK, which does.`,
  );
}

function parse(bytes: Uint8Array) {
  try {
    return readSafetensors(bytes, { maxHeaderBytes: headerAllowance, maxTensors: 8 });
  } catch (error) {
    if (!(error instanceof SafetensorsError)) throw error;
    throw new ProblemError('update-malformed', `The update is not a safetensors file: ${error.message}`);
  }
}

function wrongShape(what: string): ProblemError {
  return new ProblemError('update-wrong-shape', `The update ${what}.`);
}

function width(block: UpdateBlock): number {
  return tensorDtype(block) === 'F64' ? 8 : 4;
}
