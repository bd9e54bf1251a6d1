import { createHash } from 'node:crypto';
import type { AuditEntry, AuditVerification } from '@starling/protocol/api';
import { canonicalJson, type KeyId, type PersonId, type ProjectId } from '@starling/protocol';
import type { Database, Querier } from '../storage/database.ts';
import { namesOf, type Actor } from './caller.ts';

/**
 * The audit log: one append-only chain a project. Before an operation that changes something runs, an entry says who
 * asked for what; after it, a second entry says with which status it ended. The hash of each entry covers the hash of
 * the one before: whoever changes, removes or inserts one must write anew all that follow, which a head that was kept
 * elsewhere gives away.
 */

/** What is recorded when an operation is asked for. */
export interface AuditedRequest {
  actor: Actor;
  action: string;
  object: string | null;
  requestDigest: string;
  from: string;
}

interface AuditRow {
  project_id: ProjectId;
  sequence: number;
  at: Date;
  key_id: KeyId | null;
  person_id: PersonId | null;
  action: string;
  object: string | null;
  request_digest: string;
  from_address: string;
  outcome_of: number | null;
  status: number | null;
  previous: string;
  hash: string;
}

export interface AuditListRow extends AuditRow {
  id: string;
  outcome: { sequence: number; at: string; status: number; object: string | null } | null;
}

/** `previous` of the first entry. */
const beginning = '0'.repeat(64);

/** Entries read at once while a chain is verified. */
const verifyStep = 1000;

/** Records that an operation was asked for; the result names the entry to {@link recordOutcome}. */
export async function recordRequest(
  database: Database,
  projectId: ProjectId,
  request: AuditedRequest,
): Promise<number> {
  return append(database, projectId, { ...request, outcomeOf: null, status: null });
}

/** Records how the operation of an entry ended, and the object that it made, if it made one. */
export async function recordOutcome(
  database: Database,
  projectId: ProjectId,
  request: AuditedRequest,
  outcomeOf: number,
  outcome: { status: number; object: string | null },
): Promise<void> {
  await append(database, projectId, { ...request, ...outcome, outcomeOf });
}

type Appended = AuditedRequest & { outcomeOf: number | null; status: number | null };

/** Records at once what was asked for and how it ended. */
export async function recordEnded(
  tx: Querier,
  projectId: ProjectId,
  request: AuditedRequest,
  status: number,
): Promise<void> {
  const outcomeOf = await appendIn(tx, projectId, { ...request, outcomeOf: null, status: null });
  await appendIn(tx, projectId, { ...request, object: null, outcomeOf, status });
}

function append(database: Database, projectId: ProjectId, entry: Appended): Promise<number> {
  return database.tx((tx) => appendIn(tx, projectId, entry));
}

async function appendIn(tx: Querier, projectId: ProjectId, entry: Appended): Promise<number> {
  await tx.query(
    'insert into audit_heads (project_id, sequence, hash) values ($1, 0, $2) on conflict do nothing',
    [projectId, beginning],
  );
  const [head] = await tx.query<{ sequence: number; hash: string; at: Date }>(
    `select sequence, hash, date_trunc('milliseconds', clock_timestamp()) as at
       from audit_heads where project_id = $1 for update`,
    [projectId],
  );
  if (!head) throw new TypeError('The head of the audit log was just stored.');
  const { keyId, personId } = namesOf(entry.actor);
  const row = {
    project_id: projectId,
    sequence: head.sequence + 1,
    at: head.at,
    key_id: keyId,
    person_id: personId,
    action: entry.action,
    object: entry.object,
    request_digest: entry.requestDigest,
    from_address: entry.from,
    outcome_of: entry.outcomeOf,
    status: entry.status,
    previous: head.hash,
  };
  const hash = hashOf(row);
  await tx.query(
    `insert into audit_log (project_id, sequence, at, key_id, person_id, action, object, request_digest, from_address,
                            outcome_of, status, previous, hash)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
    [...Object.values(row), hash],
  );
  await tx.query('update audit_heads set sequence = $2, hash = $3 where project_id = $1', [
    projectId,
    row.sequence,
    hash,
  ]);
  return row.sequence;
}

/**
 * SHA-256 over the canonical JSON (RFC 8785) of everything in the entry but its hash. A person is named where one acted:
 * entries from before people could are hashed as they were.
 */
function hashOf({ at, person_id: personId, ...row }: Omit<AuditRow, 'hash'>): string {
  const person = personId === null ? {} : { person_id: personId };
  return createHash('sha256')
    .update(canonicalJson({ ...row, ...person, at: at.toISOString() }))
    .digest('hex');
}

/**
 * Computes every hash of a project's chain anew. `kept` is a head that someone kept elsewhere: the chain must still
 * hold it.
 */
export async function verifyAudit(
  querier: Querier,
  projectId: ProjectId,
  kept?: { sequence: number; hash: string },
): Promise<AuditVerification> {
  const head = { sequence: 0, hash: beginning };
  const problems: { sequence: number; message: string }[] = [];
  let entries = 0;
  const fail = (sequence: number, message: string) => problems.push({ sequence, message });
  for (;;) {
    const rows = await querier.query<AuditRow>(
      'select * from audit_log where project_id = $1 and sequence > $2 order by sequence limit $3',
      [projectId, head.sequence, verifyStep],
    );
    for (const { hash, ...row } of rows) {
      const expected = head.sequence + 1;
      if (row.sequence !== expected) fail(expected, `Entry ${expected} is missing.`);
      if (row.previous !== head.hash) fail(row.sequence, 'It does not continue the entry before.');
      if (hashOf(row) !== hash) fail(row.sequence, 'Its content does not have its hash.');
      if (kept?.sequence === row.sequence && kept.hash !== hash) {
        fail(row.sequence, 'It does not have the hash that was kept: the chain was written anew.');
      }
      head.sequence = row.sequence;
      head.hash = hash;
      entries++;
    }
    if (rows.length < verifyStep) break;
  }
  const [stored] = await querier.query<{ sequence: number; hash: string }>(
    'select sequence, hash from audit_heads where project_id = $1',
    [projectId],
  );
  if ((stored?.sequence ?? 0) !== head.sequence || (stored?.hash ?? beginning) !== head.hash) {
    fail(head.sequence + 1, `The chain ends here, but its head says entry ${stored?.sequence ?? 0}.`);
  }
  if (kept && kept.sequence > head.sequence) {
    fail(head.sequence + 1, `Entry ${kept.sequence}, which was kept, is gone: the chain was cut.`);
  }
  const [problem = null] = problems;
  return { intact: problem === null, entries, head, problem };
}

/** Entries of requests with their outcomes, as a source for pages; `$1` is the project. */
export const auditSource = `(
  select r.*, r.sequence::text as id,
         case when o.sequence is not null then
           jsonb_build_object('sequence', o.sequence, 'at', o.at, 'status', o.status, 'object', o.object)
         end as outcome
    from audit_log r left join audit_log o on o.project_id = r.project_id and o.outcome_of = r.sequence
   where r.outcome_of is null) as audit`;

export function auditView(row: AuditListRow): AuditEntry {
  return {
    sequence: row.sequence,
    at: row.at.toISOString(),
    keyId: row.key_id,
    personId: row.person_id,
    action: row.action,
    object: row.object,
    requestDigest: row.request_digest,
    from: row.from_address,
    hash: row.hash,
    outcome: row.outcome && { ...row.outcome, at: new Date(row.outcome.at).toISOString() },
  };
}
