import { ProblemError, type LiveEvent } from '@starling/protocol';
import { io, type Socket } from 'socket.io-client';

/** The admin API of a server, as the command line uses it. */
export class AdminClient {
  readonly #url: string;
  readonly #key: string;
  #socket: Socket | undefined;

  constructor(url: string, key: string) {
    this.#url = url;
    this.#key = key;
  }

  get<T>(path: string): Promise<T> {
    return this.#request<T>('GET', path, undefined);
  }

  /** POSTs with a fresh idempotency key; throws ProblemError with the server's code. */
  post<T>(path: string, body?: unknown): Promise<T> {
    return this.#request<T>('POST', path, body);
  }

  /** Listens to the project's live events until {@link close}. */
  async watch(listener: (event: LiveEvent) => void): Promise<void> {
    const socket = io(`${this.#url}/admin`, { transports: ['websocket'], auth: { token: this.#key } });
    this.#socket = socket;
    socket.on('event', listener);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('connect_error', reject);
    });
  }

  close(): void {
    this.#socket?.disconnect();
  }

  async #request<T>(method: 'GET' | 'POST', path: string, body: unknown): Promise<T> {
    const headers: Record<string, string> = { authorization: `Bearer ${this.#key}` };
    if (body !== undefined) headers['content-type'] = 'application/json';
    if (method === 'POST') headers['idempotency-key'] = crypto.randomUUID();
    const answer = await fetch(`${this.#url}${path}`, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const json: unknown = await answer.json();
    if (!answer.ok) throw ProblemError.from(json, answer.status);
    return json as T;
  }
}
