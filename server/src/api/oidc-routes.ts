import { ProblemError } from '@starling/protocol';
import { Type } from 'typebox';
import type { OidcProvider } from '../access/oidc.ts';
import { admitPerson } from '../access/people.ts';
import type { Api, ApiServices } from './http.ts';
import { problemResponses } from './openapi.ts';
import { sendSignInFailure } from './sign-in-failure.ts';
import { signIn } from './sign-in.ts';
import { readCookie, writeCookie } from './site.ts';

/** Where the provider sends people back to, under the server's public URL. */
export const callbackPath = '/v1/session/oidc/callback';

const redirects = {
  302: { type: 'null', description: 'To the provider, or back to a page of this server.' },
  ...problemResponses,
};

/** Sign-in of people at an OpenID provider. */
export function addOidcRoutes(api: Api, services: ApiServices, provider: OidcProvider): void {
  const { limits, site } = services;
  const { database, log } = services.coordinator.context;

  api.get(
    '/v1/session/oidc/start',
    {
      schema: {
        tags: ['session'],
        operationId: 'startSignIn',
        summary: 'Sign in at the provider',
        description: 'For a link, not for fetch: the browser goes to the provider, and comes back to `next`.',
        security: [],
        querystring: Type.Object(
          {
            next: Type.String({
              default: '/console/',
              maxLength: 512,
              // A path of this host: neither //elsewhere nor /\elsewhere, which browsers take for a host.
              pattern: '^/(?![/\\\\])[!-\\[\\]-~]*$',
            }),
          },
          { additionalProperties: false },
        ),
        response: redirects,
      },
      exposeHeadRoute: false,
      errorHandler: sendSignInFailure,
    },
    async (request, reply) => {
      limits.signIn.take(request.ip);
      const { secret, url } = await provider.begin(request.query.next);
      writeCookie(site, reply, 'sign-in', secret);
      return reply.redirect(url);
    },
  );
  api.get(
    callbackPath,
    {
      schema: {
        tags: ['session'],
        operationId: 'finishSignIn',
        summary: 'Come back from the provider',
        description: 'The provider sends browsers here; register this URL there.',
        security: [],
        response: redirects,
      },
      exposeHeadRoute: false,
      errorHandler: sendSignInFailure,
    },
    async (request, reply) => {
      const secret = readCookie(site, request.headers, 'sign-in');
      writeCookie(site, reply, 'sign-in');
      try {
        const { search } = new URL(request.url, 'http://localhost');
        const { person, next } = await provider.finish(secret, new URLSearchParams(search));
        const { personId, projectId } = await admitPerson(database, person);
        await signIn(services, request, reply, { personId }, projectId);
        return await reply.redirect(next);
      } catch (error) {
        if (error instanceof ProblemError && error.status < 500) {
          limits.refused.take(request.ip);
          log.warn({ code: error.code, cause: error.cause }, 'a person could not sign in');
        }
        throw error;
      }
    },
  );
}
