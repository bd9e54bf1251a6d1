import { Type, type Static } from 'typebox';
import { personRoles, roles } from '../access.ts';
import { ids } from '../schemas/resources.ts';
import {
  closed,
  filteredPageQuery,
  Instant,
  Name,
  Nullable,
  OneOf,
  PageOf,
  PageQuery,
  Sha256,
} from './common.ts';
import type { Endpoint } from './endpoint.ts';

export const RoleSchema = OneOf(roles);
const PersonRoleSchema = OneOf(personRoles);

export const Project = Type.Object({ id: ids.project, name: Type.String(), createdAt: Instant });
export type Project = Static<typeof Project>;

export const ApiKey = Type.Object({
  id: ids.key,
  projectId: ids.project,
  name: Type.String(),
  role: RoleSchema,
  createdAt: Instant,
  expiresAt: Nullable(Instant),
  lastUsedAt: Type.Unsafe<string | null>({
    ...Nullable(Instant),
    description: 'To the minute; `null` before its first use.',
  }),
  revokedAt: Nullable(Instant),
  oldSecretUntil: Type.Unsafe<string | null>({
    ...Nullable(Instant),
    description: 'After a rotation: how long the secret before is still taken.',
  }),
});
export type ApiKey = Static<typeof ApiKey>;

export const ApiKeyRequest = Type.Object(
  {
    name: Name,
    role: RoleSchema,
    expiresInMs: Type.Optional(
      Type.Integer({ minimum: 1000, maximum: 5 * 365 * 86_400_000, description: 'Default: never.' }),
    ),
  },
  closed,
);
export type ApiKeyRequest = Static<typeof ApiKeyRequest>;

/** A key with its secret, which is in this answer and nowhere else. */
export const ApiKeyWithSecret = Type.Intersect([
  ApiKey,
  Type.Object({ secret: Type.String({ description: 'sk_…, shown this once.' }) }),
]);
export type ApiKeyWithSecret = Static<typeof ApiKeyWithSecret>;

export const Person = Type.Object({
  id: ids.person,
  email: Type.String(),
  name: Type.String(),
  issuer: Type.String({ description: 'The provider that vouches for this person.' }),
  createdAt: Instant,
  signedInAt: Instant,
});
export type Person = Static<typeof Person>;

const Email = Type.String({ pattern: '^[^@\\s]+@[^@\\s]+$', maxLength: 254 });

export const Member = Type.Object({
  id: ids.member,
  projectId: ids.project,
  email: Type.String(),
  role: PersonRoleSchema,
  personId: Type.Unsafe<Static<typeof ids.person> | null>({
    ...Nullable(ids.person),
    description: '`null` until the person whom the e-mail names has accepted.',
  }),
  name: Nullable(Type.String()),
  createdAt: Instant,
  joinedAt: Nullable(Instant),
  removedAt: Nullable(Instant),
});
export type Member = Static<typeof Member>;

/** An invitation, as the person sees it whom it names. */
export const Invitation = Type.Object({
  id: ids.member,
  project: Project,
  role: PersonRoleSchema,
  createdAt: Instant,
});
export type Invitation = Static<typeof Invitation>;

export const MemberRequest = Type.Object({ email: Email, role: PersonRoleSchema }, closed);
export type MemberRequest = Static<typeof MemberRequest>;

export const Caller = Type.Object({
  key: Type.Unsafe<ApiKey | null>({ ...Nullable(ApiKey), description: '`null` for a person.' }),
  person: Type.Unsafe<Person | null>({ ...Nullable(Person), description: '`null` for an API key.' }),
  role: RoleSchema,
  project: Project,
});
export type Caller = Static<typeof Caller>;

export const AuditEntry = Type.Object({
  sequence: Type.Integer({ description: 'Place in the chain of the project, from 1.' }),
  at: Instant,
  keyId: Nullable(ids.key),
  personId: Nullable(ids.person),
  action: Type.String({ description: 'Name of the operation, as in the OpenAPI document.' }),
  object: Nullable(Type.String({ description: 'What it was done to: an id or a digest.' })),
  requestDigest: Type.String({ description: 'SHA-256 over method, path and canonical body.' }),
  from: Type.String({ description: 'Address that the request came from.' }),
  hash: Sha256,
  outcome: Type.Unsafe<{ sequence: number; at: string; status: number; object: string | null } | null>({
    ...Nullable(
      Type.Object({
        sequence: Type.Integer(),
        at: Instant,
        status: Type.Integer({ description: 'HTTP status of the answer.' }),
        object: Nullable(Type.String({ description: 'What it made: an id or a digest.' })),
      }),
    ),
    description: '`null` while the operation runs, or when the server ended before it answered.',
  }),
});
export type AuditEntry = Static<typeof AuditEntry>;

export const AuditVerification = Type.Object({
  intact: Type.Boolean(),
  entries: Type.Integer({ description: 'Entries whose hashes were computed anew.' }),
  head: Type.Object(
    { sequence: Type.Integer(), hash: Sha256 },
    { description: 'Keep it elsewhere: a chain that was cut or written anew no longer holds it.' },
  ),
  problem: Nullable(
    Type.Object({
      sequence: Type.Integer({ description: 'The first entry that does not fit.' }),
      message: Type.String(),
    }),
  ),
});
export type AuditVerification = Static<typeof AuditVerification>;

export const accessEndpoints = {
  getCaller: {
    method: 'GET',
    path: '/v1/caller',
    tag: 'access',
    summary: 'Read who calls, with which role in which project',
    role: 'viewer',
    answer: Caller,
  },
  listProjects: {
    method: 'GET',
    path: '/v1/projects',
    tag: 'access',
    summary: 'List projects',
    description:
      'A `server` key sees all of them, other keys their own, people those that they are members of.',
    role: 'viewer',
    query: PageQuery,
    answer: PageOf(Project),
  },
  createProject: {
    method: 'POST',
    path: '/v1/projects',
    tag: 'access',
    summary: 'Create a project',
    description:
      'A `server` key acts in it with the header `Starling-Project`; make its first admin key that way.',
    role: 'server',
    body: Type.Object({ name: Name }, closed),
    example: { name: 'keyboard' },
    answer: Project,
    status: 201,
  },
  getProject: {
    method: 'GET',
    path: '/v1/projects/:id',
    tag: 'access',
    summary: 'Read a project',
    role: 'viewer',
    params: { id: ids.project },
    answer: Project,
  },
  listKeys: {
    method: 'GET',
    path: '/v1/keys',
    tag: 'access',
    summary: 'List API keys',
    role: 'admin',
    query: PageQuery,
    answer: PageOf(ApiKey),
  },
  createKey: {
    method: 'POST',
    path: '/v1/keys',
    tag: 'access',
    summary: 'Create an API key',
    description: 'Its role is at most that of the caller. Its secret is in this answer and nowhere else.',
    role: 'admin',
    body: ApiKeyRequest,
    example: { name: 'dashboard', role: 'viewer', expiresInMs: 7_776_000_000 },
    answer: ApiKeyWithSecret,
    status: 201,
  },
  getKey: {
    method: 'GET',
    path: '/v1/keys/:id',
    tag: 'access',
    summary: 'Read an API key',
    role: 'admin',
    params: { id: ids.key },
    answer: ApiKey,
  },
  rotateKey: {
    method: 'POST',
    path: '/v1/keys/:id/rotate',
    tag: 'access',
    summary: 'Give an API key a new secret',
    description:
      'The secret before is taken for `overlapMs` more (default: a day; 0 ends it at once); one before that ends now.',
    role: 'admin',
    params: { id: ids.key },
    body: Type.Object(
      { overlapMs: Type.Optional(Type.Integer({ minimum: 0, maximum: 30 * 86_400_000 })) },
      closed,
    ),
    example: { overlapMs: 3_600_000 },
    answer: ApiKeyWithSecret,
  },
  revokeKey: {
    method: 'POST',
    path: '/v1/keys/:id/revoke',
    tag: 'access',
    summary: 'Revoke an API key',
    description: 'At once, and its live connections end. A key cannot revoke itself.',
    role: 'admin',
    params: { id: ids.key },
    answer: ApiKey,
  },
  listMembers: {
    method: 'GET',
    path: '/v1/members',
    tag: 'access',
    summary: 'List members and invitations',
    role: 'admin',
    query: PageQuery,
    answer: PageOf(Member),
  },
  inviteMember: {
    method: 'POST',
    path: '/v1/members',
    tag: 'access',
    summary: 'Invite a person to the project',
    description:
      'Who signs in at the provider with this e-mail, verified there, becomes the member: at once where they are a member of no other project, else when they accept. Nothing is sent.',
    role: 'admin',
    body: MemberRequest,
    example: { email: 'ada@example.com', role: 'operator' },
    answer: Member,
    status: 201,
  },
  getMember: {
    method: 'GET',
    path: '/v1/members/:id',
    tag: 'access',
    summary: 'Read a member',
    role: 'admin',
    params: { id: ids.member },
    answer: Member,
  },
  changeMember: {
    method: 'POST',
    path: '/v1/members/:id/role',
    tag: 'access',
    summary: 'Change the role of a member',
    description: 'From the next request on. Nobody changes their own.',
    role: 'admin',
    params: { id: ids.member },
    body: Type.Object({ role: PersonRoleSchema }, closed),
    example: { role: 'viewer' },
    answer: Member,
  },
  removeMember: {
    method: 'POST',
    path: '/v1/members/:id/remove',
    tag: 'access',
    summary: 'Remove a member, or take an invitation back',
    description:
      'At once: their sessions in the project end, live connections too. Nobody removes themselves.',
    role: 'admin',
    params: { id: ids.member },
    answer: Member,
  },
  listInvitations: {
    method: 'GET',
    path: '/v1/invitations',
    tag: 'access',
    summary: 'List the invitations of the person who asks',
    description: 'To other projects than their own; an API key has none.',
    role: 'viewer',
    query: PageQuery,
    answer: PageOf(Invitation),
  },
  acceptInvitation: {
    method: 'POST',
    path: '/v1/invitations/:id/accept',
    tag: 'access',
    summary: 'Become a member of the project that invites',
    role: 'viewer',
    params: { id: ids.member },
    answer: Member,
  },
  declineInvitation: {
    method: 'POST',
    path: '/v1/invitations/:id/decline',
    tag: 'access',
    summary: 'Decline an invitation',
    role: 'viewer',
    params: { id: ids.member },
    answer: Member,
  },
  listAudit: {
    method: 'GET',
    path: '/v1/audit',
    tag: 'audit',
    summary: 'List the audit log, newest first',
    role: 'viewer',
    query: filteredPageQuery({
      key: Type.Optional(ids.key),
      action: Type.Optional(Type.String({ maxLength: 64 })),
      object: Type.Optional(Type.String({ maxLength: 128 })),
      since: Type.Optional(Type.String({ format: 'date-time', maxLength: 40 })),
      until: Type.Optional(Type.String({ format: 'date-time', maxLength: 40 })),
    }),
    answer: PageOf(AuditEntry),
  },
  verifyAudit: {
    method: 'GET',
    path: '/v1/audit/verification',
    tag: 'audit',
    summary: 'Verify the chain of the audit log',
    description:
      'Computes every hash anew. With `sequence` and `hash` of a head that was kept, also that the chain still holds it.',
    role: 'viewer',
    query: Type.Object(
      { sequence: Type.Optional(Type.Integer({ minimum: 1 })), hash: Type.Optional(Sha256) },
      closed,
    ),
    answer: AuditVerification,
  },
} as const satisfies Record<string, Endpoint>;
