/** X25519 as RFC 7748, section 5, writes it, in BigInt: slow, and not constant time. */
const prime = 2n ** 255n - 19n;

export function slowX25519(scalar: Uint8Array, point: Uint8Array): Uint8Array {
  const clamped = scalar.slice();
  clamped[0]! &= 248;
  clamped[31]! &= 127;
  clamped[31]! |= 64;
  const masked = point.slice();
  masked[31]! &= 127;

  const k = toNumber(clamped);
  const x1 = toNumber(masked) % prime;
  let [x2, z2, x3, z3] = [1n, 0n, x1, 1n];
  for (let bit = 254n; bit >= 0n; bit--) {
    const swap = ((k >> bit) & 1n) === 1n;
    if (swap) [x2, z2, x3, z3] = [x3, z3, x2, z2];
    const [a, b, c, d] = [x2 + z2, x2 - z2, x3 + z3, x3 - z3];
    const [aa, bb, da, cb] = [reduced(a * a), reduced(b * b), reduced(d * a), reduced(c * b)];
    const e = aa - bb;
    x3 = reduced((da + cb) ** 2n);
    z3 = reduced(x1 * reduced((da - cb) ** 2n));
    x2 = reduced(aa * bb);
    z2 = reduced(e * (aa + 121665n * e));
    if (swap) [x2, z2, x3, z3] = [x3, z3, x2, z2];
  }
  return toBytes(reduced(x2 * power(z2, prime - 2n)));
}

function toNumber(bytes: Uint8Array): bigint {
  return bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

function toBytes(number: bigint): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, at) => Number((number >> BigInt(8 * at)) & 255n));
}

function reduced(number: bigint): bigint {
  return ((number % prime) + prime) % prime;
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let square = base, rest = exponent; rest > 0n; rest >>= 1n, square = reduced(square * square))
    if (rest & 1n) result = reduced(result * square);
  return result;
}
