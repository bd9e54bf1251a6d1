/// <reference types="node" />
import { webcrypto } from 'node:crypto';
import nacl from 'tweetnacl';
import { expect, it } from 'vitest';
import { mixedProvider } from '../crypto/mixed.ts';
import { tweetnaclProvider } from '../crypto/tweetnacl.ts';
import { bestMasks, javaScriptMasks } from '../masks/index.ts';
import { castOf, openSum, phase, plainSum, start, type Cast } from '../testing/group.ts';

const randomBytes = (length: number) => webcrypto.getRandomValues(new Uint8Array(length));
const mixed = await mixedProvider(webcrypto.subtle, randomBytes);
const portable = tweetnaclProvider(randomBytes);

/** Every third device has no WebCrypto and no WebAssembly. */
function realCast(options: Parameters<typeof castOf>[0]): Cast {
  const cast = castOf({
    ...options,
    cryptoOf: () => mixed,
    identityOf: (seed) => nacl.sign.keyPair.fromSeed(seed).publicKey,
    masks: bestMasks(),
  });
  const devices = cast.devices.map((device) =>
    device.number % 3 === 0
      ? { ...device, environment: { ...device.environment, crypto: portable, masks: javaScriptMasks() } }
      : device,
  );
  return { ...cast, devices };
}

it.each([16, 32] as const)('devices with different cryptography sum together (%i bits)', async (ring) => {
  const cast = realCast({ size: 9, terms: { ring, length: 100_003 } });
  let moment = await start(cast);
  while (moment.server.phase !== 'summed') {
    // One device drops out after it has shared.
    const speaking = moment.server.phase === 'uploads' ? moment.alive.slice(0, 8) : moment.alive;
    moment = await phase(cast, moment, speaking);
  }
  const { sum, counted } = openSum(cast, moment.server);
  expect(counted).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  expect(sum).toEqual(plainSum(cast, counted));
});
