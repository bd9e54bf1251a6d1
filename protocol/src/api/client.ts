import { csrfHeader, projectHeader } from '../access.ts';
import { ProblemError } from '../problems.ts';
import type { LiveEvent } from '../schemas/resources.ts';
import type { AnswerOf, Endpoint, InputOf } from './endpoint.ts';
import { endpoints, type Endpoints, type Operation } from './endpoints.ts';
import { eventEndpoints, type GapReason, type StreamedEvent } from './events.ts';
import { ServerSentEvents } from './server-sent-events.ts';

/** The network as the client needs it; `fetch` of Node.js and of browsers fits. */
export type ClientHttp = (
  url: string,
  request: { method: string; headers: Record<string, string>; body?: string },
) => Promise<{
  readonly status: number;
  readonly body: AsyncIterable<Uint8Array> | null;
  json(): Promise<unknown>;
  arrayBuffer(): Promise<ArrayBuffer>;
}>;

export interface ClientOptions {
  /** Base URL, e.g. https://fl.example.com */
  readonly url: string;
  /** API key (sk_…); without it, the browser's cookie of a session is the credential. */
  readonly key?: string;
  /** The `csrf` of the session, for calls that change something without a key. */
  readonly csrf?: string;
  /** The project to act in, for a `server` key or a person: other than the key's or the session's own. */
  readonly project?: string;
  readonly http: ClientHttp;
  /** Makes an idempotency key: random, a new one each time. */
  readonly newKey: () => string;
}

export interface Client {
  /**
   * Calls an operation. A POST carries a fresh idempotency key, so that it may be sent again when the answer was
   * lost. Throws ProblemError with the server's code, or what `http` throws.
   */
  readonly call: <O extends Operation>(
    operation: O,
    ...input: Record<string, never> extends InputOf<Endpoints[O]>
      ? [InputOf<Endpoints[O]>?]
      : [InputOf<Endpoints[O]>]
  ) => Promise<AnswerOf<Endpoints[O]>>;
  /** Bytes of a model version in a format. */
  download(version: string, format: 'safetensors' | 'onnx'): Promise<Uint8Array>;
  /** Live events, from `after` (an event's id) if given. Ends when the connection ends: call it again from the last id. */
  events(after?: string): AsyncGenerator<StreamedEvent>;
}

/** The admin API with types from its schemas. */
export function createClient({ url, key, csrf, project, http, newKey }: ClientOptions): Client {
  const headers = (more: Record<string, string> = {}) => ({
    ...(key !== undefined && { authorization: `Bearer ${key}` }),
    ...(project === undefined ? {} : { [projectHeader]: project }),
    ...more,
  });
  const open = async (path: string, more?: Record<string, string>) => {
    const answer = await http(`${url}${path}`, { method: 'GET', headers: headers(more) });
    if (answer.status >= 400) throw ProblemError.from(await jsonOf(answer), answer.status);
    return answer;
  };
  return {
    async call(operation, ...[input]) {
      const endpoint: Endpoint = endpoints[operation];
      const { params, query, body } = (input ?? {}) as Input;
      const answer = await http(`${url}${pathOf(endpoint, params)}${queryOf(query)}`, {
        method: endpoint.method,
        headers: headers({
          ...(endpoint.method === 'POST' && {
            'idempotency-key': newKey(),
            ...(csrf !== undefined && { [csrfHeader]: csrf }),
          }),
          ...(body !== undefined && { 'content-type': 'application/json' }),
        }),
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      const json = await jsonOf(answer);
      if (answer.status >= 400) throw ProblemError.from(json, answer.status);
      return json as AnswerOf<Endpoints[typeof operation]>; // the server answers by the same table
    },
    async download(version, format) {
      const answer = await open(`/v1/versions/${encodeURIComponent(version)}/download?format=${format}`);
      return new Uint8Array(await answer.arrayBuffer());
    },
    async *events(after) {
      const { path } = eventEndpoints.streamEvents;
      const { body } = await open(path, after === undefined ? {} : { 'last-event-id': after });
      const reader = new ServerSentEvents();
      for await (const bytes of body ?? []) {
        for (const { id, event, data } of reader.push(bytes)) {
          if (event === 'gap') yield { id, kind: 'gap', reason: JSON.parse(data) as GapReason };
          else if (event === 'event') yield { id, kind: 'event', event: JSON.parse(data) as LiveEvent };
        }
      }
    },
  };
}

interface Input {
  params?: Record<string, string>;
  query?: Record<string, string | number | undefined>;
  body?: unknown;
}

/** The path of an operation with these parameters put in. */
function pathOf({ path }: Endpoint, params: Record<string, string> = {}): string {
  return path.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(params[name] ?? ''));
}

function queryOf(query: Input['query'] = {}): string {
  const parts = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`],
  );
  return parts.length === 0 ? '' : `?${parts.join('&')}`;
}

/** The body as JSON; `undefined` when it is something else, as from a proxy in between. */
async function jsonOf(answer: { json(): Promise<unknown> }): Promise<unknown> {
  try {
    return await answer.json();
  } catch {
    return undefined;
  }
}
