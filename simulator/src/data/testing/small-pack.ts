import { encodePack, type PackContents } from '../encode-pack.ts';
import { packFrom, type Pack } from '../fedpack.ts';

/** Three people, two classes, seven rows of a 2 x 3 window in int16, with recordings and an array of other length. */
export function smallContents(): PackContents {
  return {
    name: 'small',
    title: 'A pack for tests',
    classes: ['rest', 'move'],
    users: [
      { id: 'ada', count: 3, fold: 0 },
      { id: 'ben', count: 2, fold: 1 },
      { id: 'cy', count: 2, fold: 1 },
    ],
    arrays: [
      {
        name: 'x',
        dtype: 'int16',
        shape: [7, 2, 3],
        values: Array.from({ length: 42 }, (_, i) => i - 20),
        about: { scale: [0.5, 0.25, 2], offset: [0, 1, 0], channels: ['a', 'b', 'c'] },
      },
      { name: 'y', dtype: 'uint8', shape: [7], values: [0, 1, 1, 0, 0, 1, 0] },
      { name: 'group', dtype: 'uint16', shape: [7], values: [4, 4, 9, 300, 2, 5, 5] },
      { name: 'notes', dtype: 'float32', shape: [4], values: [1, 2, 3, 4] },
    ],
  };
}

export function smallPack(change: Partial<PackContents> = {}): Pack {
  const { index, data } = encodePack({ ...smallContents(), ...change });
  return packFrom(index, data, 'memory:small');
}
