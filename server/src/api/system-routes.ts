import { Type } from 'typebox';
import { DatabaseUnavailable } from '../storage/database.ts';
import type { Api, ApiServices } from './http.ts';
import { problemResponses } from './openapi.ts';
import { referencePage, referencePolicy, type ApiDescription } from './reference.ts';

const ReadyAnswer = Type.Object({
  ready: Type.Boolean(),
  checks: Type.Array(Type.Object({ name: Type.String(), ready: Type.Boolean() })),
  reasons: Type.Array(Type.String()),
});

/** Routes that anyone may call. */
export function addSystemRoutes(api: Api, { readiness }: ApiServices): void {
  api.get(
    '/healthz',
    {
      schema: {
        tags: ['system'],
        operationId: 'getLiveness',
        summary: 'Whether the process lives; asks nothing of anything else',
        response: { 200: Type.Object({ status: Type.Literal('ok') }) },
      },
    },
    () => Promise.resolve({ status: 'ok' as const }),
  );
  api.get(
    '/readyz',
    {
      schema: {
        tags: ['system'],
        operationId: 'getReadiness',
        summary: 'Whether to send anybody here: database, blobs, uploads, and not about to end',
        response: { 200: ReadyAnswer, 503: ReadyAnswer },
      },
    },
    async (_request, reply) => {
      const state = await readiness.state();
      return reply
        .status(state.ready ? 200 : 503)
        .header('cache-control', 'no-store')
        .send(state);
    },
  );
  api.get(
    '/v1/health',
    {
      schema: {
        tags: ['system'],
        operationId: 'getHealth',
        summary: 'Whether the server works, database included',
        response: { 200: Type.Object({ status: Type.Literal('ok') }), ...problemResponses },
      },
    },
    async () => {
      const { checks } = await readiness.state();
      if (checks.some(({ name, ready }) => name === 'database' && !ready))
        throw new DatabaseUnavailable('no good answer to a question of its health');
      return { status: 'ok' as const };
    },
  );
  // All routes are known once the first request is here, and none comes after it.
  let description: string | undefined;
  let reference: string | undefined;
  api.get('/openapi.json', { schema: { hide: true } }, (_request, reply) => {
    description ??= JSON.stringify(api.swagger());
    return reply.type('application/json; charset=utf-8').send(description);
  });
  api.get('/reference', { schema: { hide: true } }, (_request, reply) => {
    reference ??= referencePage(api.swagger() as ApiDescription);
    return reply
      .type('text/html; charset=utf-8')
      .header('content-security-policy', referencePolicy)
      .send(reference);
  });
}
