import { utf8Decode, utf8Encode } from '@starling/protocol';
import { DeviceError, refusalOf } from './errors.ts';
import type { Http, HttpAnswer, HttpRequest } from './ports.ts';

/** One request to the server, by its path. */
export type ServerRequest = Omit<HttpRequest, 'url' | 'headers'> & {
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
};

/** HTTP to one server: counts bytes, and turns its refusals into errors. */
export class Requests {
  /** Bytes of HTTP bodies so far. */
  readonly usage = { bytesUp: 0, bytesDown: 0 };
  readonly #http: Http;
  readonly #server: string;

  /** `server` is a base URL without a slash at its end. */
  constructor(http: Http, server: string) {
    this.#http = http;
    this.#server = server;
  }

  /** Throws ProblemError (or DeviceError) for an answer of status 400 or more, DeviceError `offline` for none. */
  async send({ path, headers = {}, ...request }: ServerRequest): Promise<HttpAnswer> {
    const answer = await this.#http({ ...request, headers, url: `${this.#server}${path}` });
    this.usage.bytesUp += request.body?.length ?? 0;
    this.usage.bytesDown += answer.body.length;
    if (answer.status >= 400) throw refusalOf(jsonOrUndefined(answer.body), answer.status);
    return answer;
  }
}

/** The headers and body of a request with a JSON body; of one without for `undefined`. */
export function jsonBody(value: unknown): Pick<ServerRequest, 'headers' | 'body'> {
  if (value === undefined) return {};
  return { headers: { 'content-type': 'application/json' }, body: utf8Encode(JSON.stringify(value)) };
}

/**
 * The JSON of an answer, which must have these members (a captive portal's page has not); the server's schema says the
 * rest. Throws DeviceError `answer-malformed`.
 */
export function readAnswer<T extends object>(answer: HttpAnswer, members: readonly (keyof T & string)[]): T {
  const value = jsonOrUndefined(answer.body);
  if (typeof value === 'object' && value !== null && members.every((member) => member in value))
    return value as T;
  throw new DeviceError(
    'answer-malformed',
    `The server answered ${answer.status} with something else than JSON with ${members.join(' and ')}. Is this a Starling server, and nothing between?`,
  );
}

function jsonOrUndefined(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(utf8Decode(bytes));
  } catch {
    return undefined;
  }
}
