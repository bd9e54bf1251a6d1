import { toHex } from '@starling/protocol';
import { createClient, type BrowserSession, type Client } from '@starling/protocol/api';

export interface PageClient extends Client {
  /** The same, whose calls are given up when `signal` aborts. */
  until(signal: AbortSignal): Client;
}

/**
 * The client of this page: the session's cookie says who calls, its token that this page does. It stays in the project that the
 * page shows, though the session be moved to another one elsewhere.
 */
export function clientOf({ csrf, project }: Pick<BrowserSession, 'csrf' | 'project'>): PageClient {
  const until = (signal: AbortSignal | null) =>
    createClient({
      url: '',
      csrf,
      project: project.id,
      http: (url, request) => fetch(url, { ...request, signal }),
      newKey: () => toHex(crypto.getRandomValues(new Uint8Array(16))),
    });
  return { ...until(null), until };
}
