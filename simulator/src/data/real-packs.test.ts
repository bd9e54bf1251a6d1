import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { classesOf, examplesOf, inputShape } from './examples.ts';
import { openPack } from './fedpack.ts';
import { partition } from './partition.ts';
import { realData, unlessPresent } from './testing/real-packs.ts';

const packs = [
  { name: 'wisdm-watch', users: 41, rows: 14776, shape: [52], classes: 18 },
  { name: 'uci-har-feat', users: 24, rows: 8013, shape: [265], classes: 6 },
  { name: 'wrist-spsw', users: 18, rows: 2391, shape: [64, 6], classes: 5 },
  { name: 'omniglot', users: 5, rows: 3220, shape: [28, 28], classes: 161 },
  { name: 'mnist-2k', users: 1, rows: 2000, shape: [28, 28], classes: 10 },
  { name: 'wrist-spsw-stream', users: 18, rows: 198052, shape: [6], classes: 5 },
  { name: 'hapt-acc', users: 5, rows: 178420, shape: [3], classes: 12 },
];

describe('packs of real people', () => {
  for (const expected of packs) {
    const { skip, reason } = unlessPresent(expected.name);
    it.skipIf(skip)(`${expected.name}: digest, users and class counts are reproduced${reason}`, async () => {
      const directory = join(realData, expected.name);
      const pack = await openPack(directory);
      const data = await readFile(join(directory, 'data.bin'));
      expect(pack.sha256).toBe(createHash('sha256').update(data).digest('hex'));
      expect(pack.users).toHaveLength(expected.users);
      expect(pack.rows).toBe(expected.rows);
      expect(inputShape(pack)).toEqual(expected.shape);
      expect(classesOf(pack)).toHaveLength(expected.classes);
      for (const user of pack.users) {
        const { x, y, count } = examplesOf(pack, user.id);
        expect(x.length).toBe(count * expected.shape.reduce((product, axis) => product * axis, 1));
        expect(Math.max(...new Set(y))).toBeLessThan(expected.classes);
        if (user.classCounts === undefined) expect(count).toBe(user.count);
        else {
          const counts = user.classCounts.map(() => 0);
          for (const code of y) counts[code]!++;
          expect(counts).toEqual(user.classCounts);
        }
      }
    });
  }

  const wrist = unlessPresent('wrist-spsw');
  it.skipIf(wrist.skip)(
    `wrist-spsw: windows are in g, and come with their recordings${wrist.reason}`,
    async () => {
      const pack = await openPack(join(realData, 'wrist-spsw'));
      const { x, recording, count } = examplesOf(pack, 's01');
      expect(recording).toHaveLength(count);
      expect(new Set(recording)).toEqual(new Set([0, 1, 2, 3, 4, 5]));
      let gravity = 0;
      for (let i = 0; i < x.length; i += 6) gravity += Math.hypot(x[i]!, x[i + 1]!, x[i + 2]!);
      expect(gravity / (x.length / 6)).toBeGreaterThan(0.9);
      expect(gravity / (x.length / 6)).toBeLessThan(1.2);
    },
  );

  const wisdm = unlessPresent('wisdm-watch');
  it.skipIf(wisdm.skip)(`wisdm-watch: five folds cover everybody once${wisdm.reason}`, async () => {
    const pack = await openPack(join(realData, 'wisdm-watch'));
    const held = [0, 1, 2, 3, 4].flatMap((fold) => partition(pack, { fold }).heldOut);
    expect(held.sort()).toEqual(pack.users.map((user) => user.id).sort());
    expect(() => examplesOf(pack, '1600', { array: 'gyro' })).toThrow(/"gyro".*Usable here: "accel"/);
  });

  const shakespeare = unlessPresent('shakespeare');
  it.skipIf(shakespeare.skip)(
    `shakespeare: opens, but has no labels to learn${shakespeare.reason}`,
    async () => {
      const pack = await openPack(join(realData, 'shakespeare'));
      expect(pack.users).toHaveLength(122);
      expect(() => examplesOf(pack, 'ROMEO')).toThrow(/"y".*"classes"/);
    },
  );
});
