import { stream } from '@starling/model';
import type { UpdateBlock } from '@starling/protocol';

/**
 * Values on the grid of a block's fixed point, each rounded up with the probability that makes its mean the value itself:
 * floor(x 2^scaleBits + u), u uniform in [0, 1). So what is smaller than a step of the grid is not lost in the mean over many
 * devices, as it is when everyone rounds to the nearest. Draw i of the stream `round/<block>` under `seed` is for value i:
 * the same seed and values give the same result everywhere. Nothing leaves the range [-clip, clip].
 */
export function roundStochastically(
  values: ArrayLike<number>,
  { name, scaleBits, clip }: Pick<UpdateBlock, 'name' | 'scaleBits' | 'clip'>,
  seed: number,
): Float64Array {
  const random = stream(seed, `round/${name}`);
  const scale = 2 ** scaleBits;
  const most = Math.floor(clip * scale);
  return Float64Array.from(values, (value) => {
    const whole = Math.floor(value * scale + random.nextFloat());
    return Math.min(most, Math.max(-most, whole)) / scale;
  });
}
