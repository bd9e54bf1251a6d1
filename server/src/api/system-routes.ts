import { Type } from 'typebox';
import type { Api, ApiServices } from './http.ts';

/** Routes that anyone may call. */
export function addSystemRoutes(api: Api, { coordinator }: ApiServices): void {
  api.get(
    '/v1/health',
    {
      schema: {
        tags: ['system'],
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
}
