import swagger from '@fastify/swagger';
import { ProblemSchema } from '@starling/protocol/schemas';
import type { Api } from './http.ts';

/** The error answers that every route may give. */
export const problemResponses = {
  '4xx': {
    description: 'A problem: see `code`.',
    content: { 'application/problem+json': { schema: ProblemSchema } },
  },
  '5xx': {
    description: 'The server failed.',
    content: { 'application/problem+json': { schema: ProblemSchema } },
  },
};

/** Collects the routes into an OpenAPI 3.1 document, served at /openapi.json. Register before the routes. */
export async function addOpenApi(api: Api, version: string): Promise<void> {
  await api.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Starling',
        version,
        description: 'Device-cloud federated meta-learning: rounds, devices, models.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      tags: [
        { name: 'admin', description: 'For people and scripts, with an API key.' },
        { name: 'device', description: 'For devices, with a session.' },
        { name: 'system', description: 'Open.' },
      ],
      components: {
        securitySchemes: {
          key: { type: 'http', scheme: 'bearer', description: 'An API key (sk_…).' },
          session: {
            type: 'http',
            scheme: 'bearer',
            description: 'A device session (POST /v1/device/session).',
          },
        },
      },
    },
    transform: ({ schema, url }) => {
      const tags = (schema as { tags?: string[] } | undefined)?.tags ?? [];
      const security = tags.includes('admin')
        ? [{ key: [] }]
        : tags.includes('device') && url.startsWith('/v1/device/') && !/challenge|session/.test(url)
          ? [{ session: [] }]
          : [];
      return { schema: { ...schema, security }, url };
    },
  });
}
