import { afterAll, describe, expect, it } from 'vitest';
import { openGpuTab, type GpuTab } from './testing/gpu-tab.ts';

const found = await openGpuTab();
const reason = typeof found === 'string' ? found : undefined;

/** WebGPU as a browser has it, in software: right or wrong shows, fast or slow does not. */
describe.skipIf(reason !== undefined)(
  `training on WebGPU (${reason ?? 'in Chromium'})`,
  { timeout: 60_000 },
  () => {
    const tab = found as GpuTab; // skipped otherwise
    afterAll(() => tab.close());

    it('computes every covered primitive as it is defined', async () => {
      const differences = await tab.ask('primitives');
      expect(differences.length).toBeGreaterThan(100);
      expect(differences.filter(({ error }) => !(error < 1e-5))).toEqual([]);
    });

    it('computes what needs several tiles, parts and dimensions of workgroups', async () => {
      const differences = await tab.ask('large');
      expect(differences.filter(({ error }) => !(error < 1e-5))).toEqual([]);
    });

    const adam = {
      kind: 'adam',
      rate: 0,
      beta1: 0.9,
      beta2: 0.999,
      epsilon: 1e-8,
      weightDecay: 0.01,
    } as const;
    const momentum = { kind: 'sgd', rate: 0, momentum: 0.9, weightDecay: 0, nesterov: true } as const;
    it.each([
      [
        'a convolutional network with dropout and short batches',
        'convolutional',
        [6, 6, 3, 6, 1],
        { seed: 3 },
      ],
      ['a convolutional network with momentum', 'convolutional', [6, 6, 6, 6, 6], { optimiser: momentum }],
      [
        'a network with batch norm and batches of three sizes',
        'batchNormed',
        [6, 6, 4, 5, 6],
        { optimiser: adam },
      ],
      ['a transformer', 'transformer', [4, 4, 4, 2, 4], {}],
      ['a transformer with Adam', 'transformer', [4, 4, 4, 2, 4], { optimiser: adam }],
    ] as const)('trains %s as plain JavaScript does', async (_, workload, rows, options) => {
      const { losses, error, moved, arenaBytes } = await tab.ask('train', workload, rows, options);
      losses.js.forEach((loss, step) => {
        expect(Math.abs(losses.gpu[step]! - loss)).toBeLessThan(1e-4 * loss);
      });
      expect(losses.gpu).toHaveLength(rows.length);
      expect(error).toBeLessThan(1e-4);
      expect(moved).toBeGreaterThan(100 * error);
      expect(arenaBytes).toBeGreaterThan(0);
    });

    it('refuses a step whose loss or gradient is not finite, and goes on from the weights before it', async () => {
      const { code, unchanged, lossAfter } = await tab.ask('diverge');
      expect({ code, unchanged }).toEqual({ code: 'training-diverged', unchanged: true });
      expect(lossAfter).toBeGreaterThan(0);
      expect(lossAfter).toBeLessThan(10);
    });

    it('takes steps that are asked for at once in their order, to the same bits, and none once it is destroyed', async () => {
      const { losses, repeats, again } = await tab.ask('overlap');
      expect(losses).toEqual([...losses].sort((a, b) => b - a));
      expect(new Set(losses).size).toBe(3);
      expect(repeats).toBe(true);
      expect(again).toContain('destroyed');
    });
  },
);
