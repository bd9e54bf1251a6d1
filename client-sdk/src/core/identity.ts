import {
  sha256,
  toBase64Url,
  utf8Encode,
  type DeviceId,
  type EnrolAnswer,
  type EnrolRequest,
  type Labels,
} from '@starling/protocol';
import { identityFromSeed, sign, type Identity } from '@starling/secure/identity';
import type { Host } from './ports.ts';
import { jsonBody, readAnswer, type Requests } from './requests.ts';
import { readJson, writeJson } from './stored-json.ts';

export const sdkVersion = '0.1.0';

const seedKey = 'identity-seed';
const enrolledKey = 'enrolled';

interface Enrolment {
  readonly server: string;
  /** SHA-256 of the token: with another one the app wants to be in another project. */
  readonly token: string;
  readonly deviceId: DeviceId;
}

/** The device's Ed25519 key: made at its first start, kept in its storage, and nowhere else. */
export async function ownIdentity({ storage, random }: Pick<Host, 'storage' | 'random'>): Promise<Identity> {
  const kept = await storage.get(seedKey);
  if (kept?.length === 32) return identityFromSeed(kept);
  const seed = random.bytes(32);
  await storage.set(seedKey, seed);
  return identityFromSeed(seed);
}

export interface EnrolOptions {
  readonly server: string;
  readonly enrolmentToken: string;
  readonly labels: Labels;
}

/** The device's id on this server: remembered, or the answer to enrolling. Throws DeviceError `enrolment-refused`. */
export async function enrolment(
  host: Host,
  requests: Requests,
  identity: Identity,
  { server, enrolmentToken, labels }: EnrolOptions,
): Promise<DeviceId> {
  const token = sha256(utf8Encode(enrolmentToken));
  const known = await readJson<Enrolment>(host.storage, enrolledKey);
  if (known?.server === server && known.token === token) return known.deviceId;
  const request: EnrolRequest = {
    enrolmentToken,
    publicKey: toBase64Url(identity.publicKey),
    proof: toBase64Url(sign(identity, 'enrol', utf8Encode(enrolmentToken))),
    platform: host.platform,
    sdkVersion,
    labels,
  };
  const answer = await requests.send({ path: '/v1/devices', method: 'POST', ...jsonBody(request) });
  const { deviceId } = readAnswer<EnrolAnswer>(answer, ['deviceId']);
  await writeJson(host.storage, enrolledKey, { server, token, deviceId } satisfies Enrolment);
  return deviceId;
}

/** Forgets the enrolment (never the key): the server does not know it any more. */
export async function forgetEnrolment({ storage }: Pick<Host, 'storage'>): Promise<void> {
  await storage.delete(enrolledKey);
}
