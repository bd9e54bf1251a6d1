import {
  fromBase64Url,
  ProblemError,
  utf8Encode,
  type DeviceId,
  type EnrolAnswer,
  type EnrolRequest,
  type EnrolmentToken,
  type EnrolmentTokenId,
  type Labels,
  type ProjectId,
} from '@starling/protocol';
import { verifyWith, type CryptoProvider } from '@starling/secure';
import { newId } from '../coordinator/context.ts';
import type { Database, Querier } from '../storage/database.ts';
import { hashSecret, newSecret } from './secrets.ts';

export interface TokenRow {
  id: EnrolmentTokenId;
  project_id: ProjectId;
  labels: Labels;
  max_uses: number | null;
  uses: number;
  expires_at: Date | null;
  revoked_at: Date | null;
  created_at: Date;
}

/**
 * Enrols a device, or answers again for one that is enrolled with this key. The request proves possession of the
 * key. Labels of the token are the project's word and stand above those the device gives itself.
 */
export async function enrol(
  database: Database,
  crypto: Pick<CryptoProvider, 'verify'>,
  request: EnrolRequest,
): Promise<EnrolAnswer & { created: boolean }> {
  const publicKey = fromBase64Url(request.publicKey);
  const message = utf8Encode(request.enrolmentToken);
  if (!(await verifyWith(crypto, publicKey, 'enrol', message, fromBase64Url(request.proof)))) {
    throw new ProblemError(
      'signature-invalid',
      'The proof does not verify: sign the enrolment token with the key that is enrolled.',
    );
  }
  return database.tx(async (tx) => {
    const [token] = await tx.query<TokenRow & { usable: boolean }>(
      `select *, revoked_at is null and (expires_at is null or expires_at > now()) as usable
         from enrolment_tokens where hash = $1 for update`,
      [hashSecret(request.enrolmentToken)],
    );
    if (!token?.usable) {
      throw new ProblemError(
        'enrolment-refused',
        'The enrolment token is unknown, revoked or over. Ask the project for another.',
      );
    }
    const [known] = await tx.query<{ id: DeviceId; state: string }>(
      'select id, state from devices where project_id = $1 and public_key = $2',
      [token.project_id, request.publicKey],
    );
    if (known?.state === 'revoked')
      throw new ProblemError('device-revoked', 'This device was revoked by its project.');
    if (known) return { deviceId: known.id, projectId: token.project_id, created: false };
    if (token.max_uses !== null && token.uses >= token.max_uses) {
      throw new ProblemError(
        'enrolment-refused',
        'The enrolment token was used as often as it may be. Ask the project for another.',
      );
    }
    const deviceId = newId('device');
    await tx.query(
      `insert into devices (id, project_id, public_key, labels, platform, sdk_version)
       values ($1, $2, $3, $4, $5, $6)`,
      [
        deviceId,
        token.project_id,
        request.publicKey,
        { ...request.labels, ...token.labels },
        request.platform,
        request.sdkVersion,
      ],
    );
    await tx.query('update enrolment_tokens set uses = uses + 1 where id = $1', [token.id]);
    return { deviceId, projectId: token.project_id, created: true };
  });
}

/** Makes an enrolment token; its secret is in the answer and nowhere else. */
export async function createEnrolmentToken(
  querier: Querier,
  projectId: ProjectId,
  request: { labels?: Labels; maxUses?: number; expiresInMs?: number },
): Promise<EnrolmentToken & { token: string }> {
  const { secret, hash } = newSecret('et');
  const [row] = await querier.query<TokenRow>(
    `insert into enrolment_tokens (id, project_id, hash, labels, max_uses, expires_at)
     values ($1, $2, $3, $4, $5, now() + $6 * interval '1 millisecond') returning *`,
    [
      newId('enrolmentToken'),
      projectId,
      hash,
      request.labels ?? {},
      request.maxUses ?? null,
      request.expiresInMs ?? null,
    ],
  );
  if (!row) throw new TypeError('INSERT … RETURNING gave no row.');
  return { ...tokenView(row), token: secret };
}

export async function revokeEnrolmentToken(
  querier: Querier,
  projectId: ProjectId,
  id: EnrolmentTokenId,
): Promise<EnrolmentToken> {
  const [row] = await querier.query<TokenRow>(
    `update enrolment_tokens set revoked_at = coalesce(revoked_at, now())
      where id = $1 and project_id = $2 returning *`,
    [id, projectId],
  );
  if (!row) throw new ProblemError('not-found', `There is no enrolment token ${id}.`);
  return tokenView(row);
}

export function tokenView(row: TokenRow): EnrolmentToken {
  return {
    id: row.id,
    labels: row.labels,
    maxUses: row.max_uses,
    uses: row.uses,
    expiresAt: row.expires_at?.toISOString() ?? null,
    revokedAt: row.revoked_at?.toISOString() ?? null,
    createdAt: row.created_at.toISOString(),
  };
}
