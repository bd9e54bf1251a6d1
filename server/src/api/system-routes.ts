import { Type } from 'typebox';
import type { Api, ApiServices } from './http.ts';
import { referencePage, referencePolicy, type ApiDescription } from './reference.ts';

/** Routes that anyone may call. */
export function addSystemRoutes(api: Api, { coordinator }: ApiServices): void {
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
