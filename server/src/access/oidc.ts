import { createHash, randomBytes } from 'node:crypto';
import { ProblemError } from '@starling/protocol';
import * as oidc from 'openid-client';
import { hashSecret } from '../devices/secrets.ts';
import type { Database } from '../storage/database.ts';
import type { VouchedPerson } from './people.ts';

/** The provider at which people sign in, and as what this server is known there. */
export interface OidcOptions {
  /** Its issuer identifier: https, but for one on this machine. */
  issuer: string;
  clientId: string;
  clientSecret: string;
  /** E-mail of who becomes an admin of the oldest project on signing in. */
  admin?: string;
}

/** How long a person may take at the provider. */
const patience = '10 minutes';

/**
 * Sign-in at an OpenID provider: authorization code flow (OpenID Connect Core 1.0, section 3.1) with PKCE (RFC 7636),
 * state and nonce. All three follow from one secret in a cookie of the browser, so that an answer is only good in the
 * browser that asked for it; the row under its hash is taken away by the first answer, so that none is good twice.
 */
export class OidcProvider {
  readonly #options: OidcOptions;
  readonly #database: Database;
  readonly #callbackUrl: string;
  #configuration: Promise<oidc.Configuration> | undefined;

  /** `callbackUrl`: where the provider sends people back to; it must be registered there. */
  constructor(options: OidcOptions, database: Database, callbackUrl: string) {
    this.#options = options;
    this.#database = database;
    this.#callbackUrl = callbackUrl;
  }

  /** Begins a sign-in that will end at the page `next`: the secret for the browser, and where to send it. */
  async begin(next: string): Promise<{ secret: string; url: string }> {
    const configuration = await this.#discovered();
    const secret = randomBytes(32).toString('base64url');
    await this.#database.query('delete from sign_ins where expires_at < now()');
    await this.#database.query(
      `insert into sign_ins (hash, next, expires_at) values ($1, $2, now() + interval '${patience}')`,
      [hashSecret(secret), next],
    );
    const url = oidc.buildAuthorizationUrl(configuration, {
      redirect_uri: this.#callbackUrl,
      scope: 'openid email profile',
      state: derived(secret, 'state'),
      nonce: derived(secret, 'nonce'),
      code_challenge: await oidc.calculatePKCECodeChallenge(derived(secret, 'verifier')),
      code_challenge_method: 'S256',
    });
    return { secret, url: url.href };
  }

  /**
   * Ends a sign-in with the provider's answer, the query of the callback. Throws `sign-in-failed` for an answer that is
   * not one to this browser's question or does not hold, `sign-in-refused` for an e-mail that is not verified, and
   * `unavailable` when the provider does not answer.
   */
  async finish(
    secret: string | undefined,
    query: URLSearchParams,
  ): Promise<{ person: VouchedPerson; next: string }> {
    if (secret === undefined || query.get('state') !== derived(secret, 'state')) {
      throw failed('The answer does not belong to a sign-in that this browser began.');
    }
    const configuration = await this.#discovered();
    const [began] = await this.#database.query<{ next: string }>(
      'delete from sign_ins where hash = $1 and expires_at > now() returning next',
      [hashSecret(secret)],
    );
    if (!began) throw failed('This sign-in was ended before, or took too long.');
    const url = new URL(this.#callbackUrl);
    url.search = query.toString();
    const person = await this.#vouched(configuration, url, secret).catch((error: unknown) => {
      throw translated(error, this.#options.issuer);
    });
    return { person, next: began.next };
  }

  async #vouched(configuration: oidc.Configuration, url: URL, secret: string): Promise<VouchedPerson> {
    const tokens = await oidc.authorizationCodeGrant(configuration, url, {
      pkceCodeVerifier: derived(secret, 'verifier'),
      expectedState: derived(secret, 'state'),
      expectedNonce: derived(secret, 'nonce'),
      idTokenExpected: true,
    });
    const claims = tokens.claims();
    if (!claims) throw failed('The provider gave no ID token.');
    const told =
      claims['email'] === undefined
        ? await oidc.fetchUserInfo(configuration, tokens.access_token, claims.sub)
        : claims;
    const { email, email_verified: isVerified, name } = told;
    if (typeof email !== 'string' || isVerified !== true) {
      throw new ProblemError(
        'sign-in-refused',
        'The provider does not say that it has verified your e-mail address. Verify it there, or ask your provider for the claim email_verified.',
      );
    }
    return {
      issuer: claims.iss,
      subject: claims.sub,
      email,
      name: typeof name === 'string' && name !== '' ? name.slice(0, 128) : email,
    };
  }

  /** What the provider says of itself; asked again until it answers. */
  #discovered(): Promise<oidc.Configuration> {
    const { issuer, clientId, clientSecret } = this.#options;
    this.#configuration ??= oidc
      .discovery(new URL(issuer), clientId, clientSecret, undefined, {
        // The signature of an ID token is checked though it comes over TLS from the provider itself.
        execute: [
          oidc.enableNonRepudiationChecks,
          // eslint-disable-next-line @typescript-eslint/no-deprecated -- for an issuer on this machine only
          ...(issuer.startsWith('http:') ? [oidc.allowInsecureRequests] : []),
        ],
      })
      .catch((error: unknown) => {
        this.#configuration = undefined;
        throw translated(error, issuer);
      });
    return this.#configuration;
  }
}

/** Throws `TypeError` for a provider that cannot be asked safely, or cannot send people back. */
export function checkProvider({ issuer }: OidcOptions, publicUrl: string | undefined): void {
  if (!isTrustworthy(issuer)) {
    throw new TypeError(
      `The OpenID issuer must be an https URL, or an http one on this machine, not "${issuer}".`,
    );
  }
  if (publicUrl === undefined) {
    throw new TypeError('Signing in at a provider needs the URL that it sends people back to: publicUrl.');
  }
}

/** Whether an issuer can be asked without anyone in between: over TLS, or on this machine. */
function isTrustworthy(issuer: string): boolean {
  if (!URL.canParse(issuer)) return false;
  const { protocol, hostname } = new URL(issuer);
  return (
    protocol === 'https:' || (protocol === 'http:' && /^(localhost|127\.0\.0\.1|\[::1\])$/.test(hostname))
  );
}

function derived(secret: string, purpose: 'state' | 'nonce' | 'verifier'): string {
  return createHash('sha256').update(`${purpose}\n${secret}`).digest('base64url');
}

function failed(why: string, cause?: unknown): ProblemError {
  const problem = new ProblemError('sign-in-failed', `${why} Sign in again.`);
  return cause === undefined ? problem : Object.assign(problem, { cause });
}

function translated(error: unknown, issuer: string): unknown {
  if (error instanceof ProblemError) return error;
  if (error instanceof oidc.AuthorizationResponseError) {
    return failed(`The provider answered "${error.error}".`, error);
  }
  if (error instanceof oidc.ResponseBodyError)
    return failed('The provider did not take its answer back.', error);
  if (error instanceof oidc.ClientError) return failed('What the provider vouches for does not hold.', error);
  return Object.assign(
    new ProblemError('unavailable', `The provider ${issuer} does not answer. Try again.`),
    {
      cause: error,
    },
  );
}
