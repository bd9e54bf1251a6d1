import type { BrowserSession } from '@starling/protocol/api';

/** What a browser does for a page: keeps cookies, sends them along with the page's origin, and follows nothing by itself. */
export class BrowserTab {
  readonly origin: string;
  readonly #cookies = new Map<string, string>();
  /** The Set-Cookie lines so far. */
  readonly setCookies: string[] = [];
  csrf: string | undefined;

  constructor(origin: string) {
    this.origin = origin;
  }

  get cookies(): string {
    return [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  }

  keepCookie(name: string, value: string): void {
    this.#cookies.set(name, value);
  }

  /** A request of a page of this origin, unless `headers` say otherwise; an empty header is left away. */
  async send(
    method: string,
    url: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<{ status: number; body: unknown; headers: Headers }> {
    const all: Record<string, string> = {
      cookie: this.cookies,
      ...(method === 'GET' ? {} : { origin: this.origin }),
      ...(this.csrf === undefined || method === 'GET' ? {} : { 'x-starling-csrf': this.csrf }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    };
    const answer = await fetch(new URL(url, this.origin), {
      method,
      headers: Object.fromEntries(Object.entries(all).filter(([, value]) => value !== '')),
      redirect: 'manual',
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    for (const line of answer.headers.getSetCookie()) {
      this.setCookies.push(line);
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === '' || /max-age=0/i.test(line)) this.#cookies.delete(name);
      else this.#cookies.set(name, value);
    }
    const text = await answer.text();
    return { status: answer.status, body: readable(text), headers: answer.headers };
  }

  async signIn(key: string): Promise<BrowserSession> {
    const { status, body } = await this.send('POST', '/v1/session', { key });
    if (status !== 201) throw new Error(`Signing in gave ${status}: ${JSON.stringify(body)}`);
    return this.#taken(body);
  }

  /** The session of the cookie; its token goes with further requests. */
  async session(): Promise<BrowserSession> {
    const { status, body } = await this.send('GET', '/v1/session');
    if (status !== 200) throw new Error(`There is no session: ${status} ${JSON.stringify(body)}`);
    return this.#taken(body);
  }

  #taken(body: unknown): BrowserSession {
    const session = body as BrowserSession; // the server answers by this schema, which a test of its own holds
    this.csrf = session.csrf;
    return session;
  }
}

function readable(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
