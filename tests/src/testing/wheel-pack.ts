import { writeFedpack } from '@starling/simulator';

/** Six made-up people whose rows of four numbers have three classes that a linear model can tell apart: fits `tinyModel`. */
export async function wheelPack(directory: string): Promise<string[]> {
  const users = Array.from({ length: 6 }, (_, person) => ({
    id: `person-${person}`,
    count: 30,
    fold: person % 2,
  }));
  const rows = users.length * 30;
  const y = Array.from({ length: rows }, (_, row) => row % 3);
  const x = Array.from({ length: rows * 4 }, (_, place) => {
    const row = place >> 2;
    const towards = Math.cos((2 * Math.PI * ((place & 3) - (row % 3))) / 3);
    return Math.fround(towards + Math.sin(place * 12.9898) / 4);
  });
  await writeFedpack(directory, {
    name: 'wheel',
    title: 'SYNTHETIC: made-up people for tests',
    classes: ['a', 'b', 'c'],
    users,
    arrays: [
      { name: 'x', dtype: 'float32', shape: [rows, 4], values: x },
      { name: 'y', dtype: 'uint8', shape: [rows], values: y },
    ],
  });
  return users.map(({ id }) => id);
}
