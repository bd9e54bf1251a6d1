import { randomUUID } from 'node:crypto';
import { createClient, type Client } from '@starling/protocol/api';
import type { Admin } from './project.ts';

/** The typed client with the key of an {@link Admin}. */
export function clientOf({ url, key, project }: Admin): Client {
  return createClient({
    url,
    key,
    http: fetch,
    newKey: randomUUID,
    ...(project !== undefined && { project }),
  });
}
