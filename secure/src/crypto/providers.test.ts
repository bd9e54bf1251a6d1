/// <reference types="node" />
import { webcrypto } from 'node:crypto';
import { fromHex, toHex } from '@starling/protocol';
import { describe, expect, it } from 'vitest';
import { mixedProvider } from './mixed.ts';
import type { CryptoProvider } from './provider.ts';
import * as vectors from './testing/vectors.ts';
import { slowX25519 } from './testing/x25519.ts';
import { tweetnaclProvider } from './tweetnacl.ts';
import { webCryptoProvider, type Subtle } from './webcrypto.ts';

const subtle: Subtle = webcrypto.subtle;

function randomBytes(length: number): Uint8Array {
  return webcrypto.getRandomValues(new Uint8Array(length));
}

const providers: [name: string, provider: CryptoProvider][] = [
  ['tweetnacl', tweetnaclProvider(randomBytes)],
  ['webcrypto', webCryptoProvider(subtle, randomBytes)],
  ['mixed', await mixedProvider(subtle, randomBytes)],
];

const refusal = (code: string): unknown => expect.objectContaining({ name: 'SecureError', code });

describe.each(providers)('the %s provider', (_, provider) => {
  it.each(vectors.x25519Vectors)('multiplies as RFC 7748, section 5.2: $result', async (vector) => {
    const shared = await provider.sharedSecret(fromHex(vector.scalar), fromHex(vector.point));
    expect(toHex(shared)).toBe(vector.result);
  });

  it.each(vectors.x25519Iterated)('multiplies $times times over as RFC 7748, section 5.2', async (vector) => {
    const nine = Uint8Array.of(9, ...new Uint8Array(31));
    let [scalar, point]: Uint8Array[] = [nine, nine];
    for (let time = 0; time < vector.times; time++)
      [scalar, point] = [await provider.sharedSecret(scalar!, point!), scalar];
    expect(toHex(scalar!)).toBe(vector.result);
  });

  it('agrees on a secret as RFC 7748, section 6.1', async () => {
    const { alice, bob, shared } = vectors.diffieHellman;
    for (const [own, other] of [
      [alice, bob],
      [bob, alice],
    ] as const) {
      expect(toHex(await provider.sharedSecret(fromHex(own.secretKey), fromHex(other.publicKey)))).toBe(
        shared,
      );
    }
  });

  it('makes the key pair of the random bytes that it is given, as every provider does', async () => {
    const { alice } = vectors.diffieHellman;
    const fixed = [
      tweetnaclProvider(() => fromHex(alice.secretKey)),
      webCryptoProvider(subtle, () => fromHex(alice.secretKey)),
      await mixedProvider(subtle, () => fromHex(alice.secretKey)),
    ].find(({ name }) => name === provider.name)!;
    const pair = await fixed.keyPair();
    expect({ secretKey: toHex(pair.secretKey), publicKey: toHex(pair.publicKey) }).toEqual(alice);
  });

  it('makes fresh pairs that agree', async () => {
    const [one, two] = [await provider.keyPair(), await provider.keyPair()];
    expect(one.secretKey).not.toEqual(two.secretKey);
    expect(await provider.sharedSecret(one.secretKey, two.publicKey)).toEqual(
      await provider.sharedSecret(two.secretKey, one.publicKey),
    );
  });

  it.each(vectors.smallOrderPoints)('refuses the point %s of small order', async (point) => {
    const { secretKey } = await provider.keyPair();
    const plain = fromHex(point);
    const withTopBit = fromHex(point);
    withTopBit[31]! |= 0x80;
    for (const weak of [plain, withTopBit])
      await expect(provider.sharedSecret(secretKey, weak)).rejects.toEqual(refusal('weak-key'));
  });

  it('takes unreduced points, the bit above them and points of the twist as RFC 7748, section 5, does', async () => {
    const { secretKey } = await provider.keyPair();
    const points: Uint8Array[] = [];
    // 2 to 18 and their unreduced twins p + 2 to p + 18: about half of them on the twist.
    for (let u = 2; u <= 18; u++) {
      points.push(Uint8Array.of(u, ...new Uint8Array(31)));
      points.push(Uint8Array.of(0xed + u, ...new Uint8Array(30).fill(255), 0x7f));
    }
    points.push(randomBytes(32), randomBytes(32), new Uint8Array(32).fill(255));
    for (const point of points) {
      const withTopBit = point.slice();
      withTopBit[31]! |= 0x80;
      const expected = toHex(slowX25519(secretKey, point));
      expect(toHex(await provider.sharedSecret(secretKey, point))).toBe(expected);
      expect(toHex(await provider.sharedSecret(secretKey, withTopBit))).toBe(expected);
    }
  });

  it.each(vectors.ed25519Vectors)('signs as RFC 8032, section 7.1: $publicKey', async (vector) => {
    const [seed, publicKey, message] = [vector.seed, vector.publicKey, vector.message].map(fromHex);
    const signature = await provider.sign(seed!, message!);
    expect(toHex(signature)).toBe(vector.signature);
    expect(await provider.verify(publicKey!, message!, signature)).toBe(true);
    expect(await provider.verify(publicKey!, Uint8Array.of(...message!, 0), signature)).toBe(false);
    for (const at of [0, 31, 32, 62]) {
      const forged = signature.slice();
      forged[at]! ^= 1;
      expect(await provider.verify(publicKey!, message!, forged)).toBe(false);
    }
  });

  it('refuses signatures and keys of wrong length, and anything under a key that is no point', async () => {
    const [vector] = vectors.ed25519Vectors;
    const [publicKey, signature] = [fromHex(vector!.publicKey), fromHex(vector!.signature)];
    const none = new Uint8Array();
    expect(await provider.verify(publicKey.subarray(1), none, signature)).toBe(false);
    expect(await provider.verify(publicKey, none, signature.subarray(1))).toBe(false);
    expect(await provider.verify(Uint8Array.of(2, ...new Uint8Array(31)), none, signature)).toBe(false);
  });

  it('refuses the twin of a signature above the order', async () => {
    const seed = randomBytes(32);
    const publicKey = await publicKeyOf(seed);
    const signature = await provider.sign(seed, seed);
    let twin = signature.slice(32).reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
    twin += 2n ** 252n + 27742317777372353535851937790883648493n;
    const forged = signature.slice();
    for (let at = 32; at < 64; at++, twin >>= 8n) forged[at] = Number(twin & 255n);
    expect(await provider.verify(publicKey, seed, signature)).toBe(true);
    expect(await provider.verify(publicKey, seed, forged)).toBe(false);
  });

  it('refuses keys of small order, in every encoding', async () => {
    const encodings = [
      `01${'00'.repeat(31)}`,
      `01${'00'.repeat(30)}80`,
      '00'.repeat(32),
      `${'00'.repeat(31)}80`,
      `ec${'ff'.repeat(30)}7f`,
      `ec${'ff'.repeat(31)}`,
      `ee${'ff'.repeat(30)}7f`,
      `ed${'ff'.repeat(31)}`,
      '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
      'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
    ];
    const trivial = Uint8Array.of(1, ...new Uint8Array(63)); // R neutral, S = 0
    for (const encoding of encodings)
      for (let byte = 0; byte < 8; byte++)
        expect(await provider.verify(fromHex(encoding), Uint8Array.of(byte), trivial)).toBe(false);
  });

  it('refuses a signature that holds only in the equation with the cofactor', async () => {
    const [publicKey, message, signature] = [
      vectors.mixedOrder.publicKey,
      vectors.mixedOrder.message,
      vectors.mixedOrder.signature,
    ].map(fromHex);
    expect(await provider.verify(publicKey!, message!, signature!)).toBe(false);
  });

  it.each(vectors.hkdfVectors)('derives keys as RFC 5869, appendix A: $key', async (vector) => {
    const [secret, salt, info] = [vector.secret, vector.salt, vector.info].map(fromHex);
    const key = await provider.deriveKey(secret!, salt!, info!, vector.key.length / 2);
    expect(toHex(key)).toBe(vector.key);
  });

  it('derives 1 to 8160 bytes, the shorter key a part of the longer', async () => {
    const secret = randomBytes(32);
    const none = new Uint8Array();
    const longest = await provider.deriveKey(secret, none, none, 8160);
    for (const length of [1, 31, 32, 33])
      expect(await provider.deriveKey(secret, none, none, length)).toEqual(longest.subarray(0, length));
    for (const length of [0, 8161, 1.5, Number.NaN])
      await expect(provider.deriveKey(secret, none, none, length)).rejects.toEqual(refusal('wrong-length'));
    await expect(provider.deriveKey(none, secret, none, 32)).rejects.toEqual(refusal('wrong-length'));
  });

  it.each(vectors.sha256Vectors)('digests as FIPS 180-4: $digest', async ({ message, digest }) => {
    expect(toHex(await provider.sha256(fromHex(message)))).toBe(digest);
  });

  it('seals and opens as NaCl does', () => {
    const { key, nonce, plain, sealed } = vectors.secretbox;
    expect(toHex(provider.seal(fromHex(key), fromHex(nonce), fromHex(plain)))).toBe(sealed);
    expect(toHex(provider.open(fromHex(key), fromHex(nonce), fromHex(sealed))!)).toBe(plain);
  });

  it('opens nothing that was changed, cut, or sealed otherwise', () => {
    const [key, nonce] = [randomBytes(32), randomBytes(24)];
    const sealed = provider.seal(key, nonce, Uint8Array.of(1, 2, 3));
    expect(sealed).toHaveLength(19);
    for (let at = 0; at < sealed.length; at++) {
      const forged = sealed.slice();
      forged[at]! ^= 0x10;
      expect(provider.open(key, nonce, forged)).toBeUndefined();
    }
    expect(provider.open(key, nonce, sealed.subarray(0, 15))).toBeUndefined();
    expect(provider.open(key, nonce, new Uint8Array())).toBeUndefined();
    expect(provider.open(key, randomBytes(24), sealed)).toBeUndefined();
    expect(provider.open(randomBytes(32), nonce, sealed)).toBeUndefined();
  });

  it('refuses keys, seeds and nonces of another length', async () => {
    const [good, short] = [randomBytes(32), randomBytes(31)];
    await expect(provider.sharedSecret(short, good)).rejects.toEqual(refusal('wrong-length'));
    await expect(provider.sharedSecret(good, short)).rejects.toEqual(refusal('wrong-length'));
    await expect(provider.sign(short, good)).rejects.toEqual(refusal('wrong-length'));
    expect(() => provider.seal(short, randomBytes(24), good)).toThrow(refusal('wrong-length'));
    expect(() => provider.seal(good, randomBytes(12), good)).toThrow(refusal('wrong-length'));
    expect(() => provider.open(good, randomBytes(32), good)).toThrow(refusal('wrong-length'));
  });

  it('takes the Buffers of Node.js and shared memory, and leaves them as they were', async () => {
    const [vector] = vectors.ed25519Vectors.slice(3); // its points have the sign bit set
    const kinds = [
      (hex: string): Uint8Array => Buffer.from(hex, 'hex'),
      (hex: string): Uint8Array => {
        const shared = new Uint8Array(new SharedArrayBuffer(hex.length / 2));
        shared.set(fromHex(hex));
        return shared;
      },
    ];
    for (const bytesOf of kinds) {
      const [seed, publicKey, message] = [vector!.seed, vector!.publicKey, vector!.message].map(bytesOf);
      const signature = bytesOf(vector!.signature);
      expect(toHex(await provider.sign(seed!, message!))).toBe(vector!.signature);
      expect(await provider.verify(publicKey!, message!, signature)).toBe(true);
      const { alice, bob, shared } = vectors.diffieHellman;
      const [secretKey, partner] = [bytesOf(alice.secretKey), bytesOf(bob.publicKey)];
      expect(toHex(await provider.sharedSecret(secretKey, partner))).toBe(shared);
      const [hkdf] = vectors.hkdfVectors;
      const [secret, salt, info] = [hkdf!.secret, hkdf!.salt, hkdf!.info].map(bytesOf);
      expect(toHex(await provider.deriveKey(secret!, salt!, info!, 42))).toBe(hkdf!.key);
      expect(toHex(await provider.sha256(message!))).toBe(
        toHex(await provider.sha256(fromHex(vector!.message))),
      );
      const after = [seed, publicKey, signature, secretKey, partner, secret].map((bytes) => toHex(bytes!));
      const before = [vector!.seed, vector!.publicKey, vector!.signature];
      expect(after).toEqual([...before, alice.secretKey, bob.publicKey, hkdf!.secret]);
    }
  });
});

describe('the mixed provider', () => {
  it('takes all that the engine has', async () => {
    const { name } = await mixedProvider(subtle, randomBytes);
    expect(name).toBe('mixed (webcrypto: x25519, sign, verify, sha256)');
  });

  it('is tweetnacl where there is no WebCrypto, or nothing of it works', async () => {
    const broken = new Proxy({} as Subtle, { get: () => () => Promise.reject(new Error('not here')) });
    expect((await mixedProvider(undefined, randomBytes)).name).toBe('tweetnacl');
    expect((await mixedProvider(broken, randomBytes)).name).toBe('tweetnacl');
  });

  /** What an engine without one operation, or with one that answers otherwise, comes to. */
  const engines: [what: string, name: string, engine: Partial<Subtle>][] = [
    [
      'without Ed25519 and X25519',
      'mixed (webcrypto: sha256)',
      {
        importKey: () => Promise.reject(new DOMException('Unrecognized name.', 'NotSupportedError')),
      },
    ],
    [
      'whose signatures are randomised',
      'mixed (webcrypto: x25519, verify, sha256)',
      {
        async sign(...call) {
          const signature = await subtle.sign(...call);
          new Uint8Array(signature)[3]! ^= 1;
          return signature;
        },
      },
    ],
    [
      'that verifies whatever comes',
      'mixed (webcrypto: x25519, sign, sha256)',
      { verify: () => Promise.resolve(true) },
    ],
    [
      'that throws at once',
      'mixed (webcrypto: x25519, sign, verify)',
      {
        digest() {
          throw new TypeError('no digests today');
        },
      },
    ],
  ];
  it.each(engines)('falls back, operation by operation, on an engine %s', async (_, name, engine) => {
    const provider = await mixedProvider({ ...whole(), ...engine }, randomBytes);
    expect(provider.name).toBe(name);
    const [vector] = vectors.ed25519Vectors.slice(1);
    const signature = await provider.sign(fromHex(vector!.seed), fromHex(vector!.message));
    expect(toHex(signature)).toBe(vector!.signature);
    expect(await provider.verify(fromHex(vector!.publicKey), fromHex(vector!.message), signature)).toBe(true);
    expect(await provider.verify(fromHex(vector!.publicKey), fromHex('73'), signature)).toBe(false);
    const million = vectors.sha256Vectors.at(-1)!;
    expect(toHex(await provider.sha256(fromHex(million.message)))).toBe(million.digest);
    const { alice, bob, shared } = vectors.diffieHellman;
    expect(toHex(await provider.sharedSecret(fromHex(alice.secretKey), fromHex(bob.publicKey)))).toBe(shared);
  });

  it('passes on what goes wrong in the engine, and tries again', async () => {
    let isLocked = true;
    const locked = { ...whole(), importKey: lockable };
    function lockable(...call: Parameters<Subtle['importKey']>): Promise<object> {
      return isLocked ? Promise.reject(new Error('the key store is locked')) : subtle.importKey(...call);
    }
    const { alice, bob, shared } = vectors.diffieHellman;
    const [secretKey, publicKey] = [fromHex(alice.secretKey), fromHex(bob.publicKey)];
    const [vector] = vectors.ed25519Vectors;
    const signed = [vector!.publicKey, vector!.message, vector!.signature].map(fromHex);
    const provider = webCryptoProvider(locked, randomBytes);
    await expect(provider.sharedSecret(secretKey, publicKey)).rejects.toThrow(/locked/);
    await expect(provider.verify(signed[0]!, signed[1]!, signed[2]!)).rejects.toThrow(/locked/);
    isLocked = false;
    expect(toHex(await provider.sharedSecret(secretKey, publicKey))).toBe(shared);
    expect(await provider.verify(signed[0]!, signed[1]!, signed[2]!)).toBe(true);
  });

  it('imports a secret key once for many partners, and follows an array whose bytes change', async () => {
    const imports: string[] = [];
    const counting: Subtle = {
      ...whole(),
      importKey(...call) {
        imports.push(call[0]);
        return subtle.importKey(...call);
      },
    };
    const provider = webCryptoProvider(counting, randomBytes);
    const { secretKey } = await provider.keyPair();
    const partners = await Promise.all(Array.from({ length: 5 }, () => somePublicKey()));
    for (const partner of partners)
      expect(await provider.sharedSecret(secretKey, partner)).toEqual(slowX25519(secretKey, partner));
    expect(imports.filter((format) => format === 'pkcs8')).toHaveLength(1);
    secretKey.set(randomBytes(32));
    expect(await provider.sharedSecret(secretKey, partners[0]!)).toEqual(slowX25519(secretKey, partners[0]!));
    for (let other = 0; other < 20; other++) await provider.sign(randomBytes(32), secretKey);
    expect(imports.filter((format) => format === 'pkcs8')).toHaveLength(22);
  });
});

/** The engine's operations, to be replaced one by one. */
function whole(): Subtle {
  return {
    importKey: (...call) => subtle.importKey(...call),
    deriveBits: (...call) => subtle.deriveBits(...call),
    sign: (...call) => subtle.sign(...call),
    verify: (...call) => subtle.verify(...call),
    digest: (...call) => subtle.digest(...call),
  };
}

async function somePublicKey(): Promise<Uint8Array> {
  const { publicKey } = await tweetnaclProvider(randomBytes).keyPair();
  return publicKey;
}

async function publicKeyOf(seed: Uint8Array): Promise<Uint8Array> {
  const { identityFromSeed } = await import('../identity.ts');
  return identityFromSeed(seed).publicKey;
}
