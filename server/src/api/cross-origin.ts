import cors from '@fastify/cors';
import type { FastifyRequest } from 'fastify';
import type { Api } from './http.ts';

/** What pages of other origins may ask for: a device's routes, which take a bearer token and never a cookie. */
const deviceRoutes: readonly [method: RegExp, path: RegExp][] = [
  [/./, /^\/v1\/device\//],
  [/^POST$/, /^\/v1\/devices$/],
  [/^(GET|HEAD)$/, /^\/v1\/blobs\//],
];

/**
 * Lets pages of these origins be devices, and read what is no API at all (the SDK's files). The admin API answers no
 * page of another origin, whoever's they are: a console is served by its own server.
 */
export async function addCrossOrigin(api: Api, origin: string | string[]): Promise<void> {
  const open = {
    origin,
    methods: ['GET', 'HEAD', 'POST', 'PATCH'],
    exposedHeaders: ['upload-offset', 'etag', 'retry-after'],
    maxAge: 86_400,
  };
  await api.register(cors, {
    delegator: (request: FastifyRequest, done) => {
      done(null, isOpen(request) ? open : { origin: false });
    },
  });
}

function isOpen({ method, url, headers }: FastifyRequest): boolean {
  const path = decodedPath(url);
  if (path === undefined) return false;
  if (!path.startsWith('/v1/')) return true;
  const wanted = method === 'OPTIONS' ? headers['access-control-request-method'] : method;
  return deviceRoutes.some(([methods, paths]) => methods.test(wanted ?? '') && paths.test(path));
}

/** The path as routes are found by it; `undefined` where it cannot be decoded. */
function decodedPath(url: string): string | undefined {
  try {
    return decodeURIComponent(url.split('?')[0] ?? '');
  } catch {
    return undefined;
  }
}
