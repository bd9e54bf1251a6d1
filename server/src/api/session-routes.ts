import { BrowserSession, ProjectChoice, SignInRequest, SignInWays } from '@starling/protocol/api';
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import {
  browserSessionView,
  endBrowserSession,
  identifyBrowserSession,
  moveBrowserSession,
  type IdentifiedSession,
} from '../access/browser-sessions.ts';
import { namesOf } from '../access/caller.ts';
import { identifyKey } from '../access/keys.ts';
import type { OidcProvider } from '../access/oidc.ts';
import { hashSecret } from '../devices/secrets.ts';
import { limited } from './credentials.ts';
import type { Api, ApiServices } from './http.ts';
import { problemResponses } from './openapi.ts';
import { audited, signIn } from './sign-in.ts';
import { readCookie, refuseForeign, refuseForgery, writeCookie } from './site.ts';

const byCookie = [{ cookie: [] }];

/** Sessions of browsers: a cookie that stands in for an API key or a person. */
export function addSessionRoutes(api: Api, services: ApiServices, provider: OidcProvider | undefined): void {
  const { limits, site, endConnections } = services;
  const { database } = services.coordinator.context;

  /** The session of a request by its cookie. */
  const sessionOf = async (
    request: FastifyRequest,
  ): Promise<{ secret: string; session: IdentifiedSession }> => {
    const secret = readCookie(site, request.headers, 'session') ?? '';
    const session = await limited(request.ip, { kind: 'session', secret }, limits, () =>
      identifyBrowserSession(database, secret, { wanted: undefined, isUse: true }),
    );
    if (request.method !== 'GET') refuseForgery(site, request, secret);
    return { secret, session };
  };

  api.post(
    '/v1/session',
    {
      schema: {
        tags: ['session'],
        operationId: 'openSession',
        summary: 'Sign in with an API key',
        description:
          'Sets a cookie that no script can read. All routes of the admin API take it in place of the key; requests that change something then need the header `x-starling-csrf` and come from a page of this server.',
        security: [],
        body: { ...SignInRequest, examples: [{ key: `sk_${'A'.repeat(43)}` }] },
        response: { 201: BrowserSession, ...problemResponses },
      },
    },
    async (request, reply) => {
      if (request.headers.origin !== undefined) refuseForeign(site, request.headers);
      const { key } = request.body;
      const caller = await limited(request.ip, { kind: 'key', secret: key }, limits, () =>
        identifyKey(database, key),
      );
      const { keyId } = namesOf(caller.actor);
      if (!keyId) throw new TypeError('A key identifies a key.');
      const owner = { keyId, keyHash: hashSecret(key) };
      const secret = await signIn(services, request, reply, owner, caller.projectId);
      const session = await identifyBrowserSession(database, secret, { wanted: undefined, isUse: false });
      return reply.status(201).send(await browserSessionView(database, secret, session));
    },
  );
  api.get(
    '/v1/session',
    {
      schema: {
        tags: ['session'],
        operationId: 'getSession',
        summary: 'Read who is signed in, and in which project',
        security: byCookie,
        response: { 200: BrowserSession, ...problemResponses },
      },
    },
    async (request) => {
      const { secret, session } = await sessionOf(request);
      return browserSessionView(database, secret, session);
    },
  );
  api.get(
    '/v1/session/ways',
    {
      schema: {
        tags: ['session'],
        operationId: 'getSignInWays',
        summary: 'Read how one may sign in',
        security: [],
        response: { 200: SignInWays, ...problemResponses },
      },
    },
    () => Promise.resolve({ oidc: provider !== undefined }),
  );
  api.put(
    '/v1/session/project',
    {
      schema: {
        tags: ['session'],
        operationId: 'changeProject',
        summary: 'Act in another project from now on',
        description: 'One that the person is a member of, or with a `server` key any.',
        security: byCookie,
        body: { ...ProjectChoice, examples: [{ project: `prj_${'A'.repeat(22)}` }] },
        response: { 200: BrowserSession, ...problemResponses },
      },
    },
    async (request) => {
      const { secret } = await sessionOf(request);
      const wanted = request.body.project;
      const session = await identifyBrowserSession(database, secret, { wanted, isUse: false });
      await audited(database, request, { ...session, action: 'changeProject', status: 200 }, () =>
        moveBrowserSession(database, secret, session.projectId),
      );
      return browserSessionView(database, secret, session);
    },
  );
  api.delete(
    '/v1/session',
    {
      schema: {
        tags: ['session'],
        operationId: 'endSession',
        summary: 'Sign out',
        security: byCookie,
        response: { 204: Type.Null(), ...problemResponses },
      },
    },
    async (request, reply) => {
      const { secret, session } = await sessionOf(request);
      await audited(database, request, { ...session, action: 'endSession', status: 204 }, () =>
        endBrowserSession(database, secret),
      );
      endConnections(hashSecret(secret));
      writeCookie(site, reply, 'session');
      return reply.status(204).send(null);
    },
  );
}
