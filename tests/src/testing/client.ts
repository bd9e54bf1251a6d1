import { randomUUID } from 'node:crypto';
import { createClient, type ApiKey, type Client } from '@starling/protocol/api';
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

/** The API key with which an {@link Admin} calls. */
export async function keyOf(admin: Admin): Promise<ApiKey> {
  const { key } = await clientOf(admin).call('getCaller');
  if (!key) throw new Error('This caller is no API key.');
  return key;
}
