import { describe, expect, it } from 'vitest';
import { parseModel } from '../../ir/parse.ts';
import { initialise } from '../../parameters/initialise.ts';
import { ParamsMismatch } from '../../program/errors.ts';
import { cnn, mlp } from '../../testing/models.ts';
import type { GpuDevice } from './device.ts';
import { GpuUnsuitable } from './errors.ts';
import { createGpuTrainer, gpuSupports } from './trainer.ts';

const recurrent = parseModel({
  umir: 1,
  opset: 1,
  name: 'recurrent',
  inputs: [
    { id: 'x', shape: ['B', 5, 3] },
    { id: 'y', shape: ['B'], dtype: 'i32', role: 'label', classes: 4 },
  ],
  params: [
    { id: 'wx', shape: [3, 16], init: { kind: 'uniform', fan: 4 } },
    { id: 'wh', shape: [4, 16], init: { kind: 'uniform', fan: 4 } },
    { id: 'b', shape: [16], init: { kind: 'zeros' } },
  ],
  nodes: [{ op: 'lstm', in: ['x', 'wx', 'wh', 'b'], out: 'logits', attrs: { output: 'last' } }],
  loss: { op: 'softmaxCrossEntropy', in: ['logits', 'y'] },
});
const small = parseModel(mlp(6, 8, 3));

/** A device that must not be asked for anything but its limits: what else is asked throws a TypeError. */
function untouched(mostBytes: number): GpuDevice {
  const limits = {
    maxBufferSize: mostBytes,
    maxStorageBufferBindingSize: mostBytes,
    maxComputeWorkgroupsPerDimension: 65535,
  };
  return { limits } as GpuDevice; // the rest is missing on purpose
}

/** What the GPU computes is checked where there is one: tests/src/webgpu.test.ts. */
describe('a trainer on WebGPU', () => {
  it('names the primitive that it has no shader for', () => {
    expect(gpuSupports(recurrent)).toBe('lstm');
    expect(gpuSupports(small)).toBeUndefined();
    expect(gpuSupports(parseModel(cnn(16, 3, 4)))).toBeUndefined();
  });

  it('refuses a model with such a primitive before anything is allocated', async () => {
    const refused = createGpuTrainer(untouched(2 ** 30), recurrent, initialise(recurrent, 1), { rows: 2 });
    await expect(refused).rejects.toThrow(GpuUnsuitable);
    await expect(refused).rejects.toThrow('"lstm"');
  });

  it('refuses an arena that is larger than the device allows, before anything is allocated', async () => {
    const refused = createGpuTrainer(untouched(1000), small, initialise(small, 1), { rows: 2 });
    await expect(refused).rejects.toThrow(GpuUnsuitable);
    await expect(refused).rejects.toThrow('the device allows 1000');
  });

  it('refuses parameters of another model, and numbers of rows that are none', async () => {
    const device = untouched(2 ** 30);
    const foreign = createGpuTrainer(device, small, initialise(recurrent, 1), { rows: 2 });
    await expect(foreign).rejects.toThrow(ParamsMismatch);
    for (const rows of [0, 1.5])
      await expect(createGpuTrainer(device, small, initialise(small, 1), { rows })).rejects.toThrow(
        RangeError,
      );
  });
});
