import { describe, expect, it } from 'vitest';
import { classesOf, examplesOf, inputShape } from './examples.ts';
import { encodePack } from './encode-pack.ts';
import { packFrom } from './fedpack.ts';
import { smallContents, smallPack } from './testing/small-pack.ts';

const withoutArray = (name: string) => ({
  arrays: smallContents().arrays.filter((array) => array.name !== name),
});

describe('examples of one user', () => {
  it('are the rows of that user alone, with labels', () => {
    const pack = smallPack();
    const { x, y, count } = examplesOf(pack, 'ben');
    expect(count).toBe(2);
    expect([...y]).toEqual([0, 0]);
    expect([...x]).toEqual([...pack.values(pack.array('x'), 3, 2)]);
  });

  it('have recordings counted from zero, whatever numbers the pack uses', () => {
    const pack = smallPack();
    expect(pack.users.map(({ id }) => [...examplesOf(pack, id).recording!])).toEqual([
      [0, 0, 1],
      [1, 0],
      [0, 0],
    ]);
  });

  it('have no recordings when the pack has no groups', () => {
    expect(examplesOf(smallPack(withoutArray('group')), 'ada').recording).toBeUndefined();
  });

  it('leave out rows that nobody labelled', () => {
    const { index, data } = encodePack({ ...smallContents(), about: { unlabelled: 1 } });
    const users = (index['users'] as { classCounts: number[] }[]).map((user) => ({
      ...user,
      classCounts: [user.classCounts[0], 0],
    }));
    const pack = packFrom({ ...index, users }, data, 'p');
    const { x, y, count, recording } = examplesOf(pack, 'cy');
    expect([count, [...y], [...recording!]]).toEqual([1, [0], [0]]);
    expect([...x]).toEqual([...pack.values(pack.array('x'), 6, 1)]);
  });

  it('know the shape of a row and the names of the classes', () => {
    expect(inputShape(smallPack())).toEqual([2, 3]);
    expect(classesOf(smallPack())).toEqual(['rest', 'move']);
  });

  it('come from the array that was asked for', () => {
    const second = { name: 'z', dtype: 'float64' as const, shape: [7, 1], values: [0, 1, 2, 3, 4, 5, 6] };
    const pack = smallPack({ arrays: [...smallContents().arrays, second] });
    expect([...examplesOf(pack, 'cy', { array: 'z' }).x]).toEqual([5, 6]);
    expect(inputShape(pack, { array: 'z' })).toEqual([1]);
  });
});

describe('examples are refused', () => {
  it('from a pack without labels, naming what is missing', () => {
    expect(() => examplesOf(smallPack(withoutArray('y')), 'ada')).toThrow(
      expect.objectContaining({ code: 'pack-no-labels' }),
    );
    expect(() => classesOf(smallPack(withoutArray('y')))).toThrow(/array "y"/);
    expect(() => classesOf(smallPack({ classes: [] }))).toThrow(/"classes"/);
  });

  it('from a pack without features', () => {
    expect(() => examplesOf(smallPack(withoutArray('x')), 'ada')).toThrow(
      expect.objectContaining({ code: 'pack-no-features' }),
    );
  });

  it('from an array that is unknown or has other rows', () => {
    const pack = smallPack();
    expect(() => examplesOf(pack, 'ada', { array: 'gyro' })).toThrow(
      expect.objectContaining({ code: 'pack-unknown-array' }),
    );
    expect(() => examplesOf(pack, 'ada', { array: 'notes' })).toThrow(
      expect.objectContaining({ code: 'pack-no-features' }),
    );
  });

  it('when they hold NaN', () => {
    const bad = { name: 'x', dtype: 'float32' as const, shape: [7, 1], values: [0, 1, 2, 3, NaN, 5, 6] };
    const pack = smallPack({ arrays: [bad, ...withoutArray('x').arrays] });
    expect(examplesOf(pack, 'ada').count).toBe(3);
    expect(() => examplesOf(pack, 'ben')).toThrow(expect.objectContaining({ code: 'pack-not-finite' }));
  });
});
