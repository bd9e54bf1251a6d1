/** The platform's operations where a known answer shows that they are there and right, tweetnacl's elsewhere. */
import { fromHex, toHex } from '@starling/protocol';
import { providerOf, type Primitives } from './primitives.ts';
import type { CryptoProvider, RandomBytes } from './provider.ts';
import { portable } from './tweetnacl.ts';
import { nativePrimitives, type Subtle } from './webcrypto.ts';

/** Fewer bytes are hashed faster in JavaScript than by the round trip to the platform (4 against 16 us for 100 bytes). */
const longMessage = 8192;

/**
 * A provider of the fastest operations that `subtle` is seen to have, one by one; undefined where the engine has no
 * WebCrypto (as on pages that are not served over TLS). HKDF stays in JavaScript: it hashes a few short messages, and
 * that is faster so (27 against 52 us in Node.js). Randomness is handed in.
 */
export async function mixedProvider(
  subtle: Subtle | undefined,
  randomBytes: RandomBytes,
): Promise<CryptoProvider> {
  if (!subtle) return providerOf('tweetnacl', randomBytes, portable);
  const native = nativePrimitives(subtle);
  const operations = ['x25519', 'sign', 'verify', 'sha256'] as const;
  const verdicts = await Promise.all(operations.map((operation) => isRight(operation, native)));
  const usable = operations.filter((_, at) => verdicts[at]);
  if (usable.length === 0) return providerOf('tweetnacl', randomBytes, portable);

  const chosen = Object.fromEntries(usable.map((operation) => [operation, native[operation]]));
  const mixed: Primitives = { ...portable, ...chosen };
  return providerOf(`mixed (webcrypto: ${usable.join(', ')})`, randomBytes, {
    ...mixed,
    sha256: (bytes) => (bytes.length < longMessage ? portable : mixed).sha256(bytes),
  });
}

type Operation = Exclude<keyof Primitives, 'hkdf'>;

async function isRight(operation: Operation, native: Primitives): Promise<boolean> {
  try {
    return await knownAnswers[operation](native);
  } catch {
    return false; // missing here
  }
}

/** RFC 7748, section 6.1: Alice's keys. */
const scalar = fromHex('77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a');
const multiple = '8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a';
/** u = 9 + p with the bit above it, which are to be reduced and ignored (section 5). */
const unusualNine = fromHex(`f6${'ff'.repeat(31)}`);

/** RFC 8032, section 7.1, test 2. */
const seed = fromHex('4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb');
const publicKey = fromHex('3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c');
const message = Uint8Array.of(0x72);
const signature =
  '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00';

/** A key with a component of order 8: its signature of the byte 0 holds only in an equation with the cofactor. */
const mixedOrderKey = fromHex('e6ab774842c83a5a95085f7f556f4ca2c5e139ddfc02da15078340eb5178c7c8');
const mixedOrderSignature = fromHex(
  'd41bb1ea0f7a20c97036afcfb7df29e1a14ce9d49bf15dec5c4e69fc1a3b2f3e57ab0a80ca5266942847ada4aa346f51e1ad978e06d5630d5889eca11b47820b',
);

const knownAnswers: Record<Operation, (native: Primitives) => Promise<boolean>> = {
  x25519: async ({ x25519 }) => toHex(await x25519(scalar, unusualNine)) === multiple,
  // Some engines add randomness to their signatures: valid, but not the same bytes.
  sign: async ({ sign }) => toHex(await sign(seed, message)) === signature,
  verify: async ({ verify }) =>
    (await verify(publicKey, message, fromHex(signature))) &&
    !(await verify(publicKey, Uint8Array.of(0x73), fromHex(signature))) &&
    !(await verify(mixedOrderKey, Uint8Array.of(0), mixedOrderSignature)),
  // FIPS 180-4, "abc"
  sha256: async ({ sha256 }) =>
    toHex(await sha256(Uint8Array.of(0x61, 0x62, 0x63))) ===
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
};
