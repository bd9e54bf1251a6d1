import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Database } from '../storage/database.ts';

/** A new secret for a person or an app to keep: shown once, stored as its hash. 256 random bits need no slow hash. */
export function newSecret(prefix: 'sk' | 'et'): { secret: string; hash: string } {
  const secret = `${prefix}_${randomBytes(32).toString('base64url')}`;
  return { secret, hash: hashSecret(secret) };
}

export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** The server's own secret, made at first start and kept in the database: it signs challenges and sessions. */
export async function serverSecret(database: Database): Promise<Uint8Array> {
  await database.query(
    "insert into settings (name, value) values ('server-secret', to_jsonb($1::text)) on conflict do nothing",
    [randomBytes(32).toString('base64url')],
  );
  const [row] = await database.query<{ value: string }>(
    "select value from settings where name = 'server-secret'",
  );
  if (!row) throw new TypeError('The server secret was just stored.');
  return Buffer.from(row.value, 'base64url');
}

/** Text that only this server can have written, readable until a moment: `purpose.text.expiry.mac`. */
export class SignedText {
  readonly #key: Uint8Array;
  readonly #now: () => number;

  constructor(key: Uint8Array, now: () => number) {
    this.#key = key;
    this.#now = now;
  }

  issue(purpose: string, text: string, forMs: number): string {
    const body = `${purpose}.${text}.${this.#now() + forMs}`;
    return `${body}.${this.#mac(body)}`;
  }

  /** The text, `expired`, or `undefined` when the server did not write it for this purpose. */
  read(purpose: string, signed: string): { text: string; expired: boolean } | undefined {
    const parts = signed.split('.');
    const [found, text, expiry, mac] = parts;
    if (parts.length !== 4 || found !== purpose || text === undefined || expiry === undefined)
      return undefined;
    const wanted = Buffer.from(this.#mac(`${found}.${text}.${expiry}`));
    const given = Buffer.from(mac ?? '');
    if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) return undefined;
    return { text, expired: Number(expiry) <= this.#now() };
  }

  #mac(body: string): string {
    return createHmac('sha256', this.#key).update(body).digest('base64url');
  }
}
