import { toHex } from '@starling/protocol';
import { createClient, type Client } from '@starling/protocol/api';

/** The client of this page: the session's cookie says who calls, its token that this page does. */
export function clientOf(csrf: string): Client {
  return createClient({
    url: '',
    csrf,
    http: (url, request) => fetch(url, request),
    newKey: () => toHex(crypto.getRandomValues(new Uint8Array(16))),
  });
}
