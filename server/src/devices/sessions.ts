import { randomBytes } from 'node:crypto';
import {
  fromBase64Url,
  ProblemError,
  sha256,
  utf8Encode,
  type DeviceId,
  type Network,
  type ProjectId,
  type SessionRequest,
} from '@starling/protocol';
import { verifyWith, type CryptoProvider } from '@starling/secure';
import { Batches } from '../storage/batches.ts';
import type { Database } from '../storage/database.ts';
import type { SignedText } from './secrets.ts';

const challengeMs = 60_000;
const sessionMs = 3_600_000;

export interface DeviceIdentity {
  deviceId: DeviceId;
  projectId: ProjectId;
}

interface DeviceRow {
  id: DeviceId;
  project_id: ProjectId;
  public_key: string;
  state: string;
}

/** Devices prove that they hold their Ed25519 key by signing a challenge, and get a bearer token for an hour. */
export class Sessions {
  readonly #database: Database;
  readonly #devices: Batches<string, DeviceRow | undefined>;
  readonly #signed: SignedText;
  readonly #crypto: Pick<CryptoProvider, 'verify'>;

  constructor(database: Database, signed: SignedText, crypto: Pick<CryptoProvider, 'verify'>) {
    this.#database = database;
    this.#devices = new Batches(async (ids) => {
      const rows = await database.query<DeviceRow>(
        'select id, project_id, public_key, state from devices where id = any($1)',
        [ids],
      );
      const byId = new Map<string, DeviceRow>(rows.map((row) => [row.id, row]));
      return ids.map((id) => byId.get(id));
    });
    this.#signed = signed;
    this.#crypto = crypto;
  }

  challenge(deviceId: DeviceId): { challenge: string; expiresInMs: number } {
    const nonce = randomBytes(16).toString('base64url');
    return {
      challenge: this.#signed.issue('challenge', `${deviceId}~${nonce}`, challengeMs),
      expiresInMs: challengeMs,
    };
  }

  async open({
    deviceId,
    challenge,
    signature,
    network,
  }: SessionRequest): Promise<{ token: string; expiresInMs: number }> {
    const issued = this.#signed.read('challenge', challenge);
    if (!issued || issued.expired || issued.text.split('~')[0] !== deviceId) throw invalidChallenge();
    const device = await this.#devices.add(deviceId);
    if (!device) throw unknownDevice();
    if (device.state === 'revoked') throw revoked();
    const message = utf8Encode(challenge);
    const key = fromBase64Url(device.public_key);
    if (!(await verifyWith(this.#crypto, key, 'session', message, fromBase64Url(signature)))) {
      throw new ProblemError(
        'signature-invalid',
        'The signature of the challenge does not verify under the key that this device enrolled with.',
      );
    }
    if (!(await this.#use(challenge, deviceId, network))) throw invalidChallenge();
    return { token: this.#signed.issue('session', deviceId, sessionMs), expiresInMs: sessionMs };
  }

  /** Each challenge is good for one session, at whichever node; it is remembered for longer than it lives. */
  async #use(challenge: string, deviceId: DeviceId, network: Network | undefined): Promise<boolean> {
    const [first] = await this.#database.query(
      `with over as (delete from used_challenges where expires_at < now()),
            used as (insert into used_challenges (digest, expires_at)
                     values ($1, now() + $2 * interval '1 millisecond') on conflict do nothing returning 1),
            seen as (update devices set seen_at = now(), network = $4 where id = $3 and exists (select 1 from used))
       select 1 from used`,
      [sha256(utf8Encode(challenge)), 2 * challengeMs, deviceId, network ?? null],
    );
    return first !== undefined;
  }

  /** Whom this token was issued to; nothing is looked up. Throws `unauthenticated`, `session-expired`. */
  holder(token: string | undefined): DeviceId {
    const session = token === undefined ? undefined : this.#signed.read('session', token);
    if (!session) {
      throw new ProblemError(
        'unauthenticated',
        'This needs "Authorization: Bearer <device session token>" (POST /v1/device/session).',
      );
    }
    if (session.expired)
      throw new ProblemError(
        'session-expired',
        'The session token is over an hour old. Open another session.',
      );
    return session.text as DeviceId; // signed here
  }

  /** Who holds this token. Throws `unauthenticated`, `session-expired`, `device-unknown`, `device-revoked`. */
  async identify(token: string | undefined): Promise<DeviceIdentity> {
    const device = await this.#devices.add(this.holder(token));
    if (!device) throw unknownDevice();
    if (device.state === 'revoked') throw revoked();
    return { deviceId: device.id, projectId: device.project_id };
  }
}

function invalidChallenge(): ProblemError {
  return new ProblemError(
    'challenge-invalid',
    'The challenge is not one of this device, is used, or is over a minute old. Ask for another.',
  );
}

function unknownDevice(): ProblemError {
  return new ProblemError('device-unknown', 'No such device is enrolled here. Enrol it (POST /v1/devices).');
}

function revoked(): ProblemError {
  return new ProblemError('device-revoked', 'This device was revoked by its project.');
}
