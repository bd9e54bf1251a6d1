/** ChaCha20 word for word as RFC 8439, sections 2.1 to 2.4, writes it, on unsigned numbers: slow. */

/** Section 2.1. */
function quarterRound(state: number[], a: number, b: number, c: number, d: number): void {
  for (const [sum, addend, rotated, bits] of [
    [a, b, d, 16],
    [c, d, b, 12],
    [a, b, d, 8],
    [c, d, b, 7],
  ] as const) {
    state[sum] = (state[sum]! + state[addend]!) % 2 ** 32;
    const mixed = BigInt(state[rotated]!) ^ BigInt(state[sum]);
    state[rotated] = Number(((mixed << BigInt(bits)) | (mixed >> BigInt(32 - bits))) & 0xffffffffn);
  }
}

/** Section 2.3: 16 words. */
export function chacha20Block(key: Uint8Array, counter: number, nonce: Uint8Array): number[] {
  const words = (bytes: Uint8Array): number[] =>
    Array.from({ length: bytes.length / 4 }, (_, word) =>
      bytes.subarray(4 * word, 4 * word + 4).reduceRight((sum, byte) => sum * 256 + byte, 0),
    );
  const initial = [
    ...[0x61707865, 0x3320646e, 0x79622d32, 0x6b206574],
    ...[...words(key), counter, ...words(nonce)],
  ];
  const state = [...initial];
  for (let round = 0; round < 10; round++) {
    for (const [a, b, c, d] of [
      [0, 4, 8, 12],
      [1, 5, 9, 13],
      [2, 6, 10, 14],
      [3, 7, 11, 15],
      [0, 5, 10, 15],
      [1, 6, 11, 12],
      [2, 7, 8, 13],
      [3, 4, 9, 14],
    ] as const)
      quarterRound(state, a, b, c, d);
  }
  return state.map((word, at) => (word + initial[at]!) % 2 ** 32);
}

/** Words `from` to `from + many - 1` of the stream of a key, nonce 0, counter from 0. */
export function slowStream(key: Uint8Array, from: number, many: number): Uint32Array {
  const words: number[] = [];
  const first = Math.floor(from / 16);
  for (let block = first; block * 16 < from + many; block++)
    words.push(...chacha20Block(key, block, new Uint8Array(12)));
  return Uint32Array.from(words.slice(from - 16 * first, from - 16 * first + many));
}
