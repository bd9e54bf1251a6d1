import { timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { csrfHeader, ProblemError } from '@starling/protocol';
import { parseCookie, stringifySetCookie } from 'cookie';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { csrfOf } from '../access/browser-sessions.ts';

/** How browsers reach this server: what its cookies are called, and which pages are its own. */
export interface Site {
  /** Cookies only travel over TLS, and belong to this host alone (RFC 6265bis, section 4.1.3.2). */
  readonly behindTls: boolean;
  /** Where people find the server, e.g. https://fl.example.com; else, where a request says that it went. */
  readonly publicUrl: string | undefined;
}

type CookieName = 'session' | 'sign-in';

/** Where a connection comes from: behind TLS, what the proxy says of it, last in the list. */
export function addressOf({ behindTls }: Site, headers: IncomingHttpHeaders, remote: string): string {
  const forwarded = behindTls ? headers['x-forwarded-for'] : undefined;
  return typeof forwarded === 'string' ? (forwarded.split(',').at(-1)?.trim() ?? remote) : remote;
}

/** The value of one of the server's cookies. */
export function readCookie(
  site: Site,
  headers: Pick<IncomingHttpHeaders, 'cookie'>,
  name: CookieName,
): string | undefined {
  const value = headers.cookie === undefined ? undefined : parseCookie(headers.cookie)[fullName(site, name)];
  return value === '' ? undefined : value;
}

/**
 * Sets a cookie that no script reads, until the browser ends; without a value, removes it. That of a session comes with
 * requests of the server's own pages only. That of a sign-in must come back from the provider, which is another site.
 */
export function writeCookie(site: Site, reply: FastifyReply, name: CookieName, value?: string): void {
  const cookie = stringifySetCookie({
    name: fullName(site, name),
    value: value ?? '',
    path: '/',
    httpOnly: true,
    secure: site.behindTls,
    sameSite: name === 'session' ? 'strict' : 'lax',
    ...(value === undefined && { maxAge: 0 }),
  });
  void reply.header('set-cookie', cookie); // Fastify adds to what is set
}

function fullName({ behindTls }: Site, name: CookieName): string {
  return `${behindTls ? '__Host-' : ''}starling-${name}`;
}

/**
 * Refuses (`csrf`) a request by cookie that a page of another origin may have caused: it must come from an origin of
 * this server, and carry the session's token.
 */
export function refuseForgery(site: Site, request: FastifyRequest, secret: string): void {
  refuseForeign(site, request.headers);
  const wanted = Buffer.from(csrfOf(secret));
  const header = request.headers[csrfHeader];
  const given = Buffer.from(typeof header === 'string' ? header : '');
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) {
    throw new ProblemError(
      'csrf',
      `A request by cookie that changes something needs the header ${csrfHeader} with the "csrf" of GET /v1/session.`,
    );
  }
}

/** Refuses (`csrf`) a request that does not come from a page of this server. */
export function refuseForeign(site: Site, headers: IncomingHttpHeaders): void {
  const { origin } = headers;
  const own = ownOrigin(site, headers);
  if (origin === own) return;
  throw new ProblemError(
    'csrf',
    `The request comes from ${origin ?? 'no page'}, and this server is ${own}. Behind a proxy, say where people find it: --public-url.`,
  );
}

function ownOrigin({ behindTls, publicUrl }: Site, headers: IncomingHttpHeaders): string {
  if (publicUrl !== undefined) return new URL(publicUrl).origin;
  const forwarded = behindTls ? headers['x-forwarded-host'] : undefined; // the proxy's word, last in the list
  const host = typeof forwarded === 'string' ? forwarded.split(',').at(-1)?.trim() : headers.host;
  return `${behindTls ? 'https' : 'http'}://${host ?? ''}`;
}
