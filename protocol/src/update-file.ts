import { writeSafetensors, type Tensor } from './codec/index.ts';
import { tensorDtype, weightTensor, type UpdateBlock } from './update.ts';

/**
 * The file of a contribution (safetensors): one tensor a block, of shape [block.size], and the weight (U32, [1]).
 * Blocks without values are zero; missing trailing values are zero too.
 */
export function writeUpdateFile(
  blocks: readonly UpdateBlock[],
  values: Partial<Record<UpdateBlock['name'], ArrayLike<number>>>,
  weight: number,
): Uint8Array {
  const tensors = blocks.map((block): Tensor => {
    const shape = [block.size];
    const given = values[block.name] ?? [];
    if (tensorDtype(block) === 'F64') {
      const data = new Float64Array(block.size);
      data.set(given);
      return { name: block.name, dtype: 'F64', shape, data };
    }
    const data = new Float32Array(block.size);
    data.set(given);
    return { name: block.name, dtype: 'F32', shape, data };
  });
  return writeSafetensors([
    ...tensors,
    { name: weightTensor, dtype: 'U32', shape: [1], data: Uint32Array.of(weight) },
  ]);
}
