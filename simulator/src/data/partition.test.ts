import { describe, expect, it } from 'vitest';
import { partition, partitionByPacks } from './partition.ts';
import { smallContents, smallPack } from './testing/small-pack.ts';

const { arrays, users } = smallContents();
/** The same kind of pack, other numbers. */
const other = (change = {}) =>
  smallPack({
    arrays: arrays.map((array) => ({ ...array, values: Array.from(array.values).reverse() })),
    ...change,
  });

describe('holding out a fold', () => {
  it('judges its people and trains on everybody else', () => {
    expect(partition(smallPack(), { fold: 1 })).toEqual({ train: ['ada'], heldOut: ['ben', 'cy'] });
    expect(partition(smallPack(), { fold: 0 })).toEqual({ train: ['ben', 'cy'], heldOut: ['ada'] });
  });

  it('is refused for a fold that nobody is in, naming the folds', () => {
    expect(() => partition(smallPack(), { fold: 4 })).toThrow(/the folds are 0, 1/);
  });

  it('is refused when it leaves nobody to train', () => {
    const pack = smallPack({ users: users.map((user) => ({ ...user, fold: 0 })) });
    expect(() => partition(pack, { fold: 0 })).toThrow(
      expect.objectContaining({ code: 'pack-unknown-fold' }),
    );
  });

  it('is refused when a user has no fold', () => {
    const pack = smallPack({ users: users.map(({ id, count }) => ({ id, count })) });
    expect(() => partition(pack, { fold: 0 })).toThrow(expect.objectContaining({ code: 'pack-no-folds' }));
  });

  it('is refused for a pack of one user', () => {
    const pack = smallPack({ users: [{ id: 'all', count: 7, fold: 0 }] });
    expect(() => partition(pack, { fold: 0 })).toThrow(
      expect.objectContaining({ code: 'pack-too-few-users' }),
    );
  });
});

describe('holding out another pack', () => {
  it('trains on all users of one and judges all of the other', () => {
    const held = other({ users: [{ id: 'dee', count: 7 }] });
    expect(partitionByPacks(smallPack(), held)).toEqual({ train: ['ada', 'ben', 'cy'], heldOut: ['dee'] });
  });

  it('is refused when rows have another shape', () => {
    const values = new Int16Array(42);
    const flat = smallPack({
      arrays: arrays.map((a) => (a.name === 'x' ? { ...a, values, shape: [7, 3, 2], about: {} } : a)),
    });
    expect(() => partitionByPacks(smallPack(), flat)).toThrow(/shape of a row.*2 x 3, and not 3 x 2/);
  });

  it('is refused when classes have other names or another order', () => {
    expect(() => partitionByPacks(smallPack(), other({ classes: ['move', 'rest'] }))).toThrow(
      expect.objectContaining({ code: 'pack-mismatch' }),
    );
  });

  it('is refused for the training data itself', () => {
    expect(() => partitionByPacks(smallPack(), smallPack())).toThrow(/same data/);
  });

  it('is refused when the other pack has nobody', () => {
    const nobody = smallPack({
      users: [],
      arrays: arrays
        .slice(0, 2)
        .map((array) => ({ ...array, shape: [0, ...array.shape.slice(1)], values: [] })),
    });
    expect(() => partitionByPacks(smallPack(), nobody)).toThrow(
      expect.objectContaining({ code: 'pack-too-few-users' }),
    );
  });
});
