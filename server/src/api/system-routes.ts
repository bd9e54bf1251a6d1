import { Type } from 'typebox';
import type { Api, ApiServices } from './http.ts';
import { referencePage, referencePolicy, type ApiDescription } from './reference.ts';

const ReadyAnswer = Type.Object({
  ready: Type.Boolean(),
  checks: Type.Array(Type.Object({ name: Type.String(), ready: Type.Boolean() })),
  reasons: Type.Array(Type.String()),
});

/** Routes that anyone may call. */
export function addSystemRoutes(api: Api, { coordinator, readiness }: ApiServices): void {
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
        response: { 200: Type.Object({ status: Type.Literal('ok') }) },
      },
    },
    async () => {
      await coordinator.context.database.query('select 1');
      return { status: 'ok' as const };
    },
  );
  api.get('/openapi.json', { schema: { hide: true } }, () => Promise.resolve(api.swagger()));
  api.get('/reference', { schema: { hide: true } }, (_request, reply) =>
    reply
      .type('text/html; charset=utf-8')
      .header('content-security-policy', referencePolicy)
      .send(referencePage(api.swagger() as ApiDescription)),
  );
}
