import type { RowShape } from '../../models/document.ts';

/** A row at random: values of the standard normal distribution (Box and Muller 1958), or ids of tokens. */
export function randomRow({ size, vocabulary }: Pick<RowShape, 'size' | 'vocabulary'>, random: () => number) {
  return Float32Array.from({ length: size }, () =>
    vocabulary === undefined
      ? Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
      : Math.floor(random() * vocabulary),
  );
}
