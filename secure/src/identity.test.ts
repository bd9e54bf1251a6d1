import { describe, expect, it } from 'vitest';
import nacl from 'tweetnacl';
import { utf8Encode } from '@starling/protocol';
import { mixedProvider } from './crypto/mixed.ts';
import { IdentityError, identityFromSeed, sign, signWith, verify, verifyWith } from './identity.ts';

const fromHex = (hex: string) => Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));

describe('Ed25519 identities', () => {
  // RFC 8032, section 7.1, tests 1 to 3
  it.each([
    [
      '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
      'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
      '',
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
    ],
    [
      '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
      '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
      '72',
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
    ],
    [
      'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
      'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
      'af82',
      '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
    ],
  ])('are those of RFC 8032', (seed, publicKey, message, signature) => {
    const identity = identityFromSeed(fromHex(seed));
    expect(identity.publicKey).toEqual(fromHex(publicKey));
    expect(nacl.sign.detached(fromHex(message), identity.secretKey)).toEqual(fromHex(signature));
  });

  it('sign for one purpose only', () => {
    const identity = identityFromSeed(new Uint8Array(32).fill(7));
    const message = utf8Encode('challenge');
    const signature = sign(identity, 'session', message);
    expect(verify(identity.publicKey, 'session', message, signature)).toBe(true);
    expect(verify(identity.publicKey, 'enrol', message, signature)).toBe(false);
    expect(verify(identity.publicKey, 'session', utf8Encode('challengf'), signature)).toBe(false);
    expect(
      verify(identityFromSeed(new Uint8Array(32).fill(8)).publicKey, 'session', message, signature),
    ).toBe(false);
  });

  it('sign and verify the same by a provider', async () => {
    const seed = new Uint8Array(32).fill(7);
    const { publicKey } = identityFromSeed(seed);
    const provider = await mixedProvider(globalThis.crypto.subtle, (length) => new Uint8Array(length));
    const message = utf8Encode('challenge');
    const signature = await signWith(provider, seed, 'session', message);
    expect(signature).toEqual(sign(identityFromSeed(seed), 'session', message));
    expect(await verifyWith(provider, publicKey, 'session', message, signature)).toBe(true);
    expect(await verifyWith(provider, publicKey, 'enrol', message, signature)).toBe(false);
  });

  it('refuse keys and signatures of another length without an exception', () => {
    const identity = identityFromSeed(new Uint8Array(32));
    expect(verify(identity.publicKey.subarray(1), 'session', new Uint8Array(), new Uint8Array(64))).toBe(
      false,
    );
    expect(verify(identity.publicKey, 'session', new Uint8Array(), new Uint8Array(63))).toBe(false);
    expect(() => identityFromSeed(new Uint8Array(31))).toThrow(IdentityError);
  });

  it('refuse the second signature that anyone can make by adding the order of the group', () => {
    const identity = identityFromSeed(new Uint8Array(32).fill(7));
    const signature = sign(identity, 'session', utf8Encode('challenge'));
    const scalar = signature.slice(32).reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
    let other = scalar + 2n ** 252n + 27742317777372353535851937790883648493n;
    const forged = signature.slice();
    for (let at = 32; at < 64; at++, other >>= 8n) forged[at] = Number(other & 255n);
    const framed = utf8Encode('starling/v1/session\0challenge');
    expect(nacl.sign.detached.verify(framed, signature, identity.publicKey)).toBe(true);
    expect(nacl.sign.detached.verify(framed, forged, identity.publicKey)).toBe(true);
    expect(verify(identity.publicKey, 'session', utf8Encode('challenge'), forged)).toBe(false);
  });

  it('refuse a purpose that could run into the message', () => {
    const identity = identityFromSeed(new Uint8Array(32));
    expect(() => sign(identity, '', new Uint8Array())).toThrow(IdentityError);
    expect(() => sign(identity, 'a\0b', new Uint8Array())).toThrow(IdentityError);
  });

  it('refuse a key of small order, under which one signature verifies for any message', () => {
    // The neutral element: R = S B - h A does not depend on the message.
    const key = new Uint8Array(32);
    const forged = new Uint8Array(64);
    key[0] = 1;
    forged[0] = 1;
    expect(nacl.sign.detached.verify(utf8Encode('anything'), forged, key)).toBe(true);
    expect(verify(key, 'enrol', utf8Encode('anything'), forged)).toBe(false);
    const signed = key.slice();
    signed[31] = 0x80;
    expect(verify(signed, 'enrol', utf8Encode('anything'), forged)).toBe(false);
  });
});
