import type { Api } from './http.ts';

/** A year: what browsers ask for before they take a host for one of TLS only. */
const hsts = 'max-age=31536000; includeSubDomains';

/**
 * Headers of every answer, but where a route or a page set its own: nothing of an API answer is to be run, framed,
 * guessed at, kept or told to others. With `behindTls` browsers are told to come by TLS only.
 */
export function addSecurityHeaders(api: Api, behindTls: boolean): void {
  const headers: Record<string, string> = {
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-store',
    ...(behindTls && { 'strict-transport-security': hsts }),
  };
  api.addHook('onSend', (_request, reply, payload, done) => {
    for (const [name, value] of Object.entries(headers)) {
      if (!reply.hasHeader(name) && !reply.raw.hasHeader(name)) void reply.header(name, value);
    }
    done(null, payload);
  });
}
