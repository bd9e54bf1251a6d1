import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeId, type ProjectId } from '@starling/protocol';
import type { Database } from '../storage/database.ts';
import { migrate } from '../storage/migrate.ts';
import { openPglite } from '../storage/pglite.ts';
import { recordOutcome, recordRequest, verifyAudit, type AuditedRequest } from './audit.ts';

/** What a curious operator with the database in hand could do to the log, and that it shows. */

let place: string;
let database: Database;
let project: ProjectId;
let projects = 0;

beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), 'starling-audit-'));
  database = await openPglite(place);
  await migrate(database);
});
afterAll(async () => {
  await database.close();
  await rm(place, { recursive: true, force: true });
});

const request = (action: string): AuditedRequest => ({
  actor: makeId('key', 'K'.repeat(22)),
  action,
  object: `tsk_${'T'.repeat(22)}`,
  requestDigest: 'd'.repeat(64),
  from: '192.0.2.7',
});

beforeEach(async () => {
  project = makeId('project', String(++projects).padStart(22, '0'));
  await database.query("insert into projects (id, name) values ($1, 'audited')", [project]);
  for (const action of ['createTask', 'startTask', 'cancelTask']) {
    const sequence = await recordRequest(database, project, request(action));
    await recordOutcome(database, project, request(action), sequence, { status: 200, object: null });
  }
});

/** Changes rows as someone does who owns the database. */
async function tamper(sql: string, parameters: readonly unknown[]): Promise<void> {
  await database.query('alter table audit_log disable trigger audit_log_is_append_only');
  await database.query(sql, parameters);
  await database.query('alter table audit_log enable trigger audit_log_is_append_only');
}

describe('the audit log', () => {
  it('holds together as it was written, and each project has a chain of its own', async () => {
    const verified = await verifyAudit(database, project);
    expect(verified).toMatchObject({ intact: true, entries: 6, problem: null, head: { sequence: 6 } });
    const other = await verifyAudit(database, makeId('project', 'X'.repeat(22)));
    expect(other).toMatchObject({ intact: true, entries: 0 });
  });

  it('continues the chain in order when many write at once', async () => {
    await Promise.all(
      Array.from({ length: 20 }, (_, index) => recordRequest(database, project, request(`action${index}`))),
    );
    expect(await verifyAudit(database, project)).toMatchObject({ intact: true, entries: 26 });
  });

  it('cannot be changed by statements', async () => {
    for (const sql of [
      "update audit_log set action = 'nothing'",
      'delete from audit_log',
      'truncate audit_log',
    ]) {
      await expect(database.query(sql)).rejects.toThrow('append-only');
    }
  });

  it.each([
    ['at', "at + interval '1 second'"],
    ['key_id', "'key_somebodyelse'"],
    ['action', "'getTask'"],
    ['object', 'null'],
    ['request_digest', "repeat('e', 64)"],
    ['from_address', "'192.0.2.8'"],
    ['status', '404'],
    ['outcome_of', 'null'],
    ['previous', "repeat('0', 64)"],
    ['hash', "repeat('f', 64)"],
  ])('shows that the column %s of an entry was changed', async (column, value) => {
    const sequence = column === 'status' || column === 'outcome_of' ? 4 : 3;

    await tamper(`update audit_log set ${column} = ${value} where project_id = $1 and sequence = $2`, [
      project,
      sequence,
    ]);
    const { intact, problem } = await verifyAudit(database, project);
    expect(intact).toBe(false);
    expect(problem?.sequence).toBe(sequence);
  });

  it('shows that an entry was removed, and that the newest were', async () => {
    await tamper('delete from audit_log where project_id = $1 and sequence = 3', [project]);
    expect((await verifyAudit(database, project)).problem?.sequence).toBe(3);
    await tamper('delete from audit_log where project_id = $1 and sequence > 2', [project]);
    expect((await verifyAudit(database, project)).problem?.sequence).toBe(3);
  });

  it('shows a chain that was cut and mended, or written anew, to whoever kept a head', async () => {
    const { head } = await verifyAudit(database, project);
    const [second] = await database.query<{ hash: string }>(
      'select hash from audit_log where project_id = $1 and sequence = 4',
      [project],
    );
    await tamper('delete from audit_log where project_id = $1 and sequence > 4', [project]);
    await database.query('update audit_heads set sequence = 4, hash = $2 where project_id = $1', [
      project,
      second?.hash,
    ]);
    expect(await verifyAudit(database, project)).toMatchObject({ intact: true }); // nothing in it tells
    expect(await verifyAudit(database, project, head)).toMatchObject({ intact: false });

    const rewritten = await recordRequest(database, project, request('innocent'));
    await recordOutcome(database, project, request('innocent'), rewritten, { status: 200, object: null });
    expect(await verifyAudit(database, project)).toMatchObject({ intact: true, entries: 6 });
    expect(await verifyAudit(database, project, head)).toMatchObject({
      intact: false,
      problem: { sequence: 6 },
    });
  });
});
