import { ProblemError, type ProjectId } from '@starling/protocol';
import { auditSource, auditView, verifyAudit, type AuditListRow } from '../access/audit.ts';
import { namesOf } from '../access/caller.ts';
import {
  acceptInvitation,
  declineInvitation,
  invitationSource,
  invitationView,
  type InvitationRow,
} from '../access/invitations.ts';
import {
  createKey,
  keyView,
  readKey,
  readOwnKey,
  revokeKey,
  rotateKey,
  type KeyRow,
} from '../access/keys.ts';
import {
  changeMember,
  inviteMember,
  memberSource,
  memberView,
  readMember,
  removeMember,
  type MemberRow,
} from '../access/members.ts';
import { readPerson } from '../access/people.ts';
import { createProject, projectView, readProject, type ProjectRow } from '../access/projects.ts';
import type { Api, ApiServices } from './http.ts';
import { readPage } from './pages.ts';
import { serve } from './serve.ts';

/** Projects, API keys, members and the audit log. */
export function addAccessRoutes(api: Api, { coordinator, endConnections }: ApiServices): void {
  const { database } = coordinator.context;

  serve(api, 'getCaller', async ({ caller }) => {
    const { keyId, personId } = namesOf(caller.actor);
    return {
      key: keyId && (await readOwnKey(database, keyId)),
      person: personId && (await readPerson(database, personId)),
      role: caller.role,
      project: await readProject(database, caller, caller.projectId),
    };
  });
  serve(api, 'listProjects', async ({ caller, query }) => {
    const page = await readPage<ProjectRow>(
      database,
      {
        table: 'projects',
        condition: `$1 or id = $2
          or id in (select project_id from members where person_id = $3 and removed_at is null)`,
        values: [caller.role === 'server', caller.projectId, namesOf(caller.actor).personId],
        column: 'created_at',
      },
      query,
    );
    return { ...page, items: page.items.map(projectView) };
  });
  serve(api, 'createProject', ({ body, commit }) => commit((tx) => createProject(tx, body.name)));
  serve(api, 'getProject', ({ caller, params }) => readProject(database, caller, params.id));

  serve(api, 'listKeys', async ({ caller, query }) => {
    const page = await readPage<KeyRow>(
      database,
      { table: 'api_keys', condition: 'project_id = $1', values: [caller.projectId], column: 'created_at' },
      query,
    );
    return { ...page, items: page.items.map(keyView) };
  });
  serve(api, 'createKey', ({ caller, body, commit }) => commit((tx) => createKey(tx, caller, body)));
  serve(api, 'getKey', ({ caller, params }) => readKey(database, caller.projectId, params.id));
  serve(api, 'rotateKey', ({ caller, params, body, commit }) =>
    commit((tx) => rotateKey(tx, caller, params.id, body.overlapMs)),
  );
  serve(api, 'revokeKey', async ({ caller, params, commit }) => {
    const key = await commit((tx) => revokeKey(tx, caller, params.id));
    endConnections(key.id);
    return key;
  });

  serve(api, 'listMembers', async ({ caller, query }) => {
    const page = await readPage<MemberRow>(
      database,
      { table: memberSource, condition: 'project_id = $1', values: [caller.projectId], column: 'created_at' },
      query,
    );
    return { ...page, items: page.items.map(memberView) };
  });
  serve(api, 'inviteMember', ({ caller, body, commit }) =>
    commit((tx) => inviteMember(tx, caller.projectId, body)),
  );
  serve(api, 'getMember', ({ caller, params }) => readMember(database, caller.projectId, params.id));
  serve(api, 'changeMember', ({ caller, params, body, commit }) =>
    commit((tx) => changeMember(tx, caller, params.id, body.role)),
  );
  serve(api, 'removeMember', async ({ caller, params, commit }) => {
    const member = await commit((tx) => removeMember(tx, caller, params.id));
    if (member.personId) endConnections(member.personId);
    return member;
  });

  serve(api, 'listInvitations', async ({ caller, query }) => {
    const page = await readPage<InvitationRow>(
      database,
      {
        table: invitationSource,
        condition: 'invited = $1',
        values: [namesOf(caller.actor).personId],
        column: 'created_at',
      },
      query,
    );
    return { ...page, items: page.items.map(invitationView) };
  });
  const answers = { acceptInvitation, declineInvitation };
  for (const operation of ['acceptInvitation', 'declineInvitation'] as const) {
    serve(api, operation, ({ caller, params, commit, recordIn }) =>
      commit(async (tx) => {
        const member = await answers[operation](tx, caller, params.id);
        await recordIn(tx, member.projectId);
        return member;
      }),
    );
  }

  serve(api, 'listAudit', async ({ caller, query }) => {
    const page = await readPage<AuditListRow>(
      database,
      {
        table: auditSource,
        condition: `project_id = $1 and ($2::text is null or key_id = $2) and ($3::text is null or action = $3)
          and ($4::text is null or object = $4 or outcome ->> 'object' = $4)
          and ($5::timestamptz is null or at >= $5) and ($6::timestamptz is null or at <= $6)`,
        values: [
          caller.projectId,
          query.key ?? null,
          query.action ?? null,
          query.object ?? null,
          instantOf(query.since, 'since'),
          instantOf(query.until, 'until'),
        ],
        column: 'sequence',
      },
      query,
    );
    return { ...page, items: page.items.map(auditView) };
  });
  const verifying = new Set<ProjectId>();
  serve(api, 'verifyAudit', async ({ caller: { projectId }, query: { sequence, hash } }) => {
    if (verifying.has(projectId)) {
      throw new ProblemError('rate-limited', 'The chain of this project is being verified. Ask again then.', {
        retryAfterMs: 1000,
      });
    }
    verifying.add(projectId);
    try {
      const head = sequence === undefined || hash === undefined ? undefined : { sequence, hash };
      return await verifyAudit(database, projectId, head);
    } finally {
      verifying.delete(projectId);
    }
  });
}

function instantOf(text: string | undefined, name: string): Date | null {
  if (text === undefined) return null;
  const instant = new Date(text);
  if (!Number.isNaN(instant.getTime())) return instant;
  throw new ProblemError('invalid-request', `"${name}" is not a time like 2026-01-31T12:00:00Z.`);
}
