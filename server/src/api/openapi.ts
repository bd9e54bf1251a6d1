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

/** The answers of a route that sends bytes of this type. */
export function fileResponses(type: string, description: string): object {
  const schema = { type: 'string', ...(type.startsWith('text/') ? {} : { format: 'binary' }) };
  return { 200: { description, content: { [type]: { schema } } }, ...problemResponses };
}

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
        { name: 'access', description: 'Projects and API keys.' },
        { name: 'session', description: 'Signing in with a browser.' },
        { name: 'audit', description: 'Who asked for what, and what came of it.' },
        { name: 'devices', description: 'Enrolment tokens and devices, for people.' },
        { name: 'models', description: 'Models, their versions, and which one is served.' },
        { name: 'tasks', description: 'Learning jobs.' },
        { name: 'rounds', description: 'Passes of a task.' },
        { name: 'jobs', description: 'Training in the cloud.' },
        { name: 'events', description: 'What happens now.' },
        { name: 'operations', description: 'How the server is.' },
        { name: 'blobs', description: 'Immutable bytes, for people and devices.' },
        { name: 'device', description: 'For devices, with a session.' },
        { name: 'system', description: 'Open.' },
      ],
      components: {
        securitySchemes: {
          key: {
            type: 'http',
            scheme: 'bearer',
            description: 'An API key (sk_…); `x-role` is the least role that will do.',
          },
          cookie: {
            type: 'apiKey',
            in: 'cookie',
            name: 'starling-session',
            description:
              'A session of a browser (POST /v1/session), in place of an API key; behind TLS `__Host-starling-session`.',
          },
          session: {
            type: 'http',
            scheme: 'bearer',
            description: 'A device session (POST /v1/device/session).',
          },
        },
      },
    },
    transform: ({ schema, url }) => {
      const described = schema as {
        tags?: string[];
        'x-role'?: string;
        security?: Record<string, string[]>[];
      };
      const isOfDevices = described.tags?.includes('device') && !/challenge|session|devices/.test(url);
      const security = described.security ?? [
        ...(described['x-role'] === undefined ? [] : [{ key: [] }, { cookie: [] }]),
        ...(isOfDevices || described.tags?.includes('blobs') ? [{ session: [] }] : []),
      ];
      return { schema: { ...described, security }, url };
    },
  });
}
