import type { ProjectId } from '@starling/protocol';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { recordOutcome, recordRequest } from '../access/audit.ts';
import { openBrowserSession, type SessionOwner } from '../access/browser-sessions.ts';
import type { Actor } from '../access/caller.ts';
import type { Database } from '../storage/database.ts';
import { requestDigest, type ApiServices } from './http.ts';
import { readCookie, writeCookie } from './site.ts';

/** Opens a session in place of the one that the browser may have had, and hands it the cookie. Returns its secret. */
export async function signIn(
  { coordinator, site, endConnections }: Pick<ApiServices, 'coordinator' | 'site' | 'endConnections'>,
  request: FastifyRequest,
  reply: FastifyReply,
  owner: SessionOwner,
  projectId: ProjectId,
): Promise<string> {
  const { database } = coordinator.context;
  const before = readCookie(site, request.headers, 'session');
  const actor = 'keyId' in owner ? owner.keyId : owner.personId;
  const { secret, ended } = await audited(
    database,
    request,
    { actor, projectId, action: 'openSession', status: 201 },
    () => database.tx((tx) => openBrowserSession(tx, owner, projectId, before)),
  );
  ended.forEach(endConnections);
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
