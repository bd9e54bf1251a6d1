import { createHmac, createSign, generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Provider } from 'oidc-provider';
import { BrowserTab } from './browser-tab.ts';

/** Whom a provider knows. */
export interface Known {
  email: string;
  email_verified: boolean;
  name: string;
}

type Claims = Record<string, unknown>;
/** What stands in an ID token in place of what the provider says. */
export interface Forged {
  claims?: (claims: Claims) => Claims;
  algorithm?: 'RS256' | 'none' | 'HS256' | 'foreign key';
}

export const clientId = 'starling';
export const clientSecret = 'a secret that both know';

/** An OpenID provider on this machine, at which {@link account} is signed in without being asked. */
export class TestProvider {
  readonly issuer: string;
  readonly people = new Map<string, Known>();
  /** Who sits in front of the browser. */
  account = '';
  forged: Forged | undefined;
  close: () => Promise<void> = () => Promise.resolve();

  private constructor(issuer: string) {
    this.issuer = issuer;
  }

  /** Knows one client, which it sends back to `callback` only. */
  static async start(callback: string): Promise<TestProvider> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const own = new TestProvider(`http://127.0.0.1:${port}`);
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
    const provider: Provider = new Provider(own.issuer, {
      clients: [
        {
          client_id: clientId,
          client_secret: clientSecret,
          redirect_uris: [callback],
          grant_types: ['authorization_code'],
          response_types: ['code'],
        },
      ],
      jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), kty: 'RSA', use: 'sig', kid: 'one' }] },
      cookies: { keys: ['a key of the provider'] },
      claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
      features: { devInteractions: { enabled: false } },
      ttl: { Session: 600, Interaction: 600, Grant: 600, AccessToken: 600, IdToken: 600 },
      pkce: { required: () => true },
      interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
      findAccount: (_context, sub) => {
        const known = own.people.get(sub);
        return known && { accountId: sub, claims: () => ({ sub, ...known }) };
      },
      loadExistingGrant: async ({ oidc }) => {
        const { client, session } = oidc;
        if (!client || !session?.accountId) return undefined;
        const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
        grant.addOIDCScope('openid email profile');
        await grant.save();
        return grant;
      },
    });
    provider.use(async (context, next) => {
      await next();
      if (context.path !== '/token' || !own.forged) return;
      const answer = context.body as { id_token?: string };
      if (answer.id_token === undefined) return;
      const [, middle = ''] = answer.id_token.split('.');
      const claims = JSON.parse(Buffer.from(middle, 'base64url').toString()) as Claims;
      const { algorithm = 'RS256' } = own.forged;
      const header = { alg: algorithm === 'foreign key' ? 'RS256' : algorithm, kid: 'one' };
      const text = [header, own.forged.claims?.(claims) ?? claims].map(encoded).join('.');
      const signature = {
        RS256: () => createSign('RSA-SHA256').update(text).sign(privateKey, 'base64url'),
        'foreign key': () => createSign('RSA-SHA256').update(text).sign(stranger, 'base64url'),
        HS256: () => createHmac('sha256', clientSecret).update(text).digest('base64url'),
        none: () => '',
      }[algorithm]();
      context.body = { ...answer, id_token: `${text}.${signature}` };
    });
    const answer = provider.callback();
    server.on('request', (request, response) => {
      if (!request.url?.startsWith('/interaction/')) {
        void answer(request, response);
        return;
      }
      void provider.interactionFinished(request, response, { login: { accountId: own.account } });
    });
    own.close = async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    };
    return own;
  }

  /** Signs someone in who is known as this from here on, and goes the way of the browser: where it is sent back to. */
  async visit(account: string, url: string): Promise<string> {
    this.account = account;
    const tab = new BrowserTab(this.issuer);
    let at = url;
    while (at.startsWith(this.issuer)) {
      const { status, body, headers } = await tab.send('GET', at);
      const location = headers.get('location');
      if (location === null) throw new Error(`The provider answered ${status}: ${JSON.stringify(body)}`);
      at = new URL(location, at).href;
    }
    return at;
  }
}

function encoded(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
