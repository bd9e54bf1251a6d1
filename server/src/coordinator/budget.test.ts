import { expect, it } from 'vitest';
import { Budget } from './budget.ts';

it('keeps the work under way within the budget, in order, also after a failure', async () => {
  const budget = new Budget(10);
  let spent = 0;
  let most = 0;
  const started: number[] = [];
  const release: (() => void)[] = [];
  const all = [4, 4, 4, 100, 1].map((bytes, index) =>
    budget.spend(bytes, async () => {
      started.push(index);
      spent += Math.min(bytes, 10);
      most = Math.max(most, spent);
      await new Promise<void>((resolve) => release.push(resolve));
      spent -= Math.min(bytes, 10);
      if (index === 0) throw new Error('failed');
    }),
  );
  const settled = Promise.allSettled(all);
  for (let ended = 0; ended < 5; ended++) {
    await new Promise((resolve) => setImmediate(resolve));
    release.shift()?.();
  }
  expect((await settled).map(({ status }) => status)).toEqual([
    'rejected',
    ...Array.from({ length: 4 }, () => 'fulfilled'),
  ]);
  expect(started).toEqual([0, 1, 2, 3, 4]);
  expect(most).toBeLessThanOrEqual(10);
});
