import type { ProjectId } from '@starling/protocol';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { recordOutcome, recordRequest } from '../access/audit.ts';
import { endBrowserSession, openBrowserSession, type SessionOwner } from '../access/browser-sessions.ts';
import type { Actor } from '../access/caller.ts';

import type { Database } from '../storage/database.ts';
import { requestDigest } from './http.ts';
import { readCookie, writeCookie, type Site } from './site.ts';

/** Opens a session in place of the one that the browser may have had, and hands it the cookie. Returns its secret. */
export async function signIn(
  { database, site }: { database: Database; site: Site },
  request: FastifyRequest,
  reply: FastifyReply,
  owner: SessionOwner,
  projectId: ProjectId,
): Promise<string> {
  const before = readCookie(site, request.headers, 'session');
  const actor = 'keyId' in owner ? owner.keyId : owner.personId;
  const secret = await audited(
    database,
    request,
    { actor, projectId, action: 'openSession', status: 201 },
    () =>
      database.tx(async (tx) => {
        if (before !== undefined) await endBrowserSession(tx, before);
        return openBrowserSession(tx, owner, projectId);
      }),
  );
  writeCookie(site, reply, 'session', secret);
  return secret;
}

/** Does something about a session between the two entries of the audit log that tell of it. */
export async function audited<T>(
  database: Database,
  request: FastifyRequest,
  { actor, projectId, action, status }: Audited,
  work: () => Promise<T>,
): Promise<T> {
  const entry = { actor, action, object: null, requestDigest: requestDigest(request), from: request.ip };
  const sequence = await recordRequest(database, projectId, entry);
  const done = await work();
  await recordOutcome(database, projectId, entry, sequence, { status, object: null });
  return done;
}

interface Audited {
  actor: Actor;
  projectId: ProjectId;
  action: string;
  status: number;
}
