import { toHex } from '@starling/protocol';
import { createClient, type BrowserSession, type Client } from '@starling/protocol/api';

/**
 * The client of this page: the session's cookie says who calls, its token that this page does. It stays in the project that the
 * page shows, though the session be moved to another one elsewhere.
 */
export function clientOf({ csrf, project }: Pick<BrowserSession, 'csrf' | 'project'>): Client {
  return createClient({
    url: '',
    csrf,
    project: project.id,
    http: (url, request) => fetch(url, request),
    newKey: () => toHex(crypto.getRandomValues(new Uint8Array(16))),
  });
}
