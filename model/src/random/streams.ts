import { philox4x32 } from './philox.ts';

/** Numbers drawn one after another; the same seed and name give the same numbers on every machine. */
export interface RandomStream {
  /** 32 uniform bits as an integer from 0 to 2^32 - 1. */
  nextUint32(): number;
  /** Uniform in [0, 1), a multiple of 2^-32. */
  nextFloat(): number;
  /** Uniform integer from 0 to n - 1, without bias. @throws RangeError unless n is an integer from 1 to 2^32. */
  below(n: number): number;
  /** Puts the elements into random order, in place (Fisher and Yates; Durstenfeld 1964), from the last place down. */
  shuffle(elements: number[] | Int32Array): void;
}

/**
 * An independent stream for each name under one seed: Philox-4x32-10 with the seed as key (low word first) and, as
 * counter, the 64-bit number of the block and the 64-bit FNV-1a hash of the name in UTF-8 (low words first).
 * @throws RangeError unless the seed is an integer from 0 to 2^53 - 1.
 */
export function stream(seed: number, name: string): RandomStream {
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new RangeError(`The seed is ${seed}; expected an integer from 0 to ${Number.MAX_SAFE_INTEGER}.`);
  const key = Uint32Array.of(seed, Math.floor(seed / 2 ** 32));
  const counter = Uint32Array.of(0, 0, ...fnv1a64(name));
  const block = new Uint32Array(4);
  let used = 4;
  const nextUint32 = () => {
    if (used === 4) {
      philox4x32(block, counter, key);
      if (++counter[0] === 0) counter[1]++;
      used = 0;
    }
    return block[used++];
  };
  const below = (n: number) => {
    if (!Number.isInteger(n) || n < 1 || n > 2 ** 32)
      throw new RangeError(`Cannot draw below ${n}; expected an integer from 1 to 2^32.`);
    const fair = 2 ** 32 - (2 ** 32 % n); // what lies above would favour small results
    let draw = nextUint32();
    while (draw >= fair) draw = nextUint32();
    return draw % n;
  };
  return {
    nextUint32,
    nextFloat: () => nextUint32() / 2 ** 32,
    below,
    shuffle(elements) {
      for (let last = elements.length - 1; last > 0; last--) {
        const other = below(last + 1);
        const held = elements[last];
        elements[last] = elements[other];
        elements[other] = held;
      }
    },
  };
}

/** FNV-1a of 64 bits over the UTF-8 bytes of a text, as low and high word (Fowler, Noll, Vo; RFC 9923). */
export function fnv1a64(text: string): [number, number] {
  const hash = fnv1a(utf8(text));
  return [Number(hash & 0xffffffffn), Number(hash >> 32n)];
}

/** The same over any bytes, going on from the hash of what came before. */
export function fnv1a(bytes: Iterable<number>, before = 0xcbf29ce484222325n): bigint {
  let hash = before;
  for (const byte of bytes) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return hash;
}

function* utf8(text: string): Iterable<number> {
  for (const character of text) {
    const code = character.codePointAt(0)!; // an iterated string gives no empty characters
    if (code < 0x80) yield code;
    else {
      const following = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
      yield ((0xff << (7 - following)) & 0xff) | (code >> (6 * following));
      for (let i = following - 1; i >= 0; i--) yield 0x80 | ((code >> (6 * i)) & 0x3f);
    }
  }
}
