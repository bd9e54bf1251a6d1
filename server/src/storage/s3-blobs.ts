import { Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { BlobMissing, type RemovableBlobs } from './blobs.ts';
import { sha256, signRequest, type Credentials } from './sigv4.ts';

/** The object store refused a request, or did not answer. */
export class BlobStoreFailed extends Error {
  override readonly name = 'BlobStoreFailed';
  readonly code = 'blob-store-failed';
}

export interface S3Place {
  /** Where keys begin: scheme, host and, for stores that keep the bucket in the path, the bucket. */
  base: string;
  region: string;
}

const attempts = 4;

/** A store that sends no header for this long is asked again. */
const answerMs = 30_000;

const nothing = sha256('');

/**
 * Where `s3://bucket/prefix?region=…&endpoint=…` points. With an endpoint (any store that speaks S3) the bucket is part
 * of the path, without one the store is Amazon's. Throws `TypeError` for what is no such URL.
 */
export function s3Place(url: string): S3Place {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const bucket = parsed?.hostname ?? '';
  if (!parsed || parsed.protocol !== 's3:' || !/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket)) {
    throw new TypeError('An object store is named by a URL: s3://bucket/prefix?region=…&endpoint=https://….');
  }
  if (parsed.username !== '' || parsed.password !== '') {
    throw new TypeError(
      'Credentials of an object store come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.',
    );
  }
  const region = parsed.searchParams.get('region') ?? 'us-east-1';
  const endpoint = parsed.searchParams.get('endpoint');
  const prefix = parsed.pathname.replace(/\/+$/, '');
  const base =
    endpoint === null
      ? `https://${bucket}.s3.${region}.amazonaws.com${prefix}`
      : `${new URL(endpoint).href.replace(/\/+$/, '')}/${bucket}${prefix}`;
  return { base, region };
}

/** Credentials from the usual variables. Throws `TypeError` when they are not set. */
export function s3Credentials(environment: NodeJS.ProcessEnv): Credentials {
  const {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
  } = environment;
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    throw new TypeError('Blobs in an object store need AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.');
  }
  return { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) };
}

/**
 * Blobs as objects `<prefix>/<sha256>` of a store that speaks S3: four signed requests. A put creates or finds what is
 * there already (`If-None-Match: *`), a get checks the bytes against their name. Requests that failed on the way, or
 * that the store was too busy for, are repeated.
 */
export class S3Blobs implements RemovableBlobs {
  readonly #place: S3Place;
  readonly #credentials: Credentials;
  readonly #pauseMs: number;
  #marker: string | undefined;

  constructor(place: S3Place, credentials: Credentials, pauseMs = 200) {
    this.#place = place;
    this.#credentials = credentials;
    this.#pauseMs = pauseMs;
  }

  async put(bytes: Uint8Array): Promise<string> {
    const name = sha256(bytes);
    const answer = await this.#send('PUT', name, { 'if-none-match': '*' }, bytes);
    await answer.body?.cancel();
    return name;
  }

  async get(name: string): Promise<Uint8Array> {
    const answer = await this.#send('GET', name);
    const bytes = new Uint8Array(await answer.arrayBuffer());
    if (sha256(bytes) !== name) {
      throw new BlobStoreFailed(`The object store returned other bytes than those named ${name}.`);
    }
    return bytes;
  }

  async size(name: string): Promise<number> {
    const answer = await this.#send('HEAD', name);
    return Number(answer.headers.get('content-length'));
  }

  stream(name: string, { start, end }: { start: number; end: number }): Readable {
    return Readable.from(this.#chunks(name, { range: `bytes=${start}-${end}` }), { objectMode: false });
  }

  /** Reads a small object, which it puts first unless it was there the last time. */
  async check(): Promise<void> {
    const marker = this.#marker ?? (await this.put(Buffer.from('Starling keeps its blobs here.\n')));
    this.#marker = undefined;
    await this.get(marker);
    this.#marker = marker;
  }

  async remove(name: string): Promise<void> {
    const answer = await this.#send('DELETE', name).catch((error: unknown) => {
      if (error instanceof BlobMissing) return undefined;
      throw error;
    });
    await answer?.body?.cancel();
  }

  async *#chunks(name: string, headers: Record<string, string>): AsyncGenerator<Uint8Array> {
    const answer = await this.#send('GET', name, headers);
    if (answer.body) yield* answer.body;
  }

  async #send(
    method: 'GET' | 'HEAD' | 'PUT' | 'DELETE',
    name: string,
    headers: Record<string, string> = {},
    body?: Uint8Array,
  ): Promise<Response> {
    if (!/^[0-9a-f]{64}$/.test(name)) throw new RangeError('A blob is named by 64 hexadecimal digits.');
    const url = new URL(`${this.#place.base}/${name}`);
    let told = '';
    for (let attempt = 0; attempt < attempts; attempt++) {
      if (attempt > 0) await wait(this.#pauseMs * 2 ** (attempt - 1));
      const answer = await this.#once(method, url, headers, body).catch((error: unknown) => {
        if (!(error instanceof Error)) throw error;
        told = error.cause instanceof Error ? error.cause.message : error.message;
        return undefined;
      });
      if (!answer) continue;
      if (answer.ok || (method === 'PUT' && answer.status === 412)) return answer;
      const [, code = ''] = /<Code>(\w+)<\/Code>/.exec(await answer.text()) ?? [];
      told = `status ${answer.status} ${code}`.trim();
      if (answer.status === 404) throw new BlobMissing(`Blob ${name} is not in the store.`);
      if (answer.status < 500 && answer.status !== 409 && answer.status !== 429) break;
    }
    throw new BlobStoreFailed(`The object store at ${url.origin} failed on ${method} ${name} (${told}).`);
  }

  async #once(
    method: string,
    url: URL,
    headers: Record<string, string>,
    body: Uint8Array | undefined,
  ): Promise<Response> {
    const { region } = this.#place;
    const bodySha256 = body ? sha256(body) : nothing;
    const impatience = new AbortController();
    const timer = setTimeout(() => {
      impatience.abort(new Error(`no answer within ${answerMs} ms`));
    }, answerMs);
    try {
      return await fetch(url, {
        method,
        headers: signRequest(
          { method, url, headers, bodySha256 },
          { region, credentials: this.#credentials, now: new Date() },
        ),
        signal: impatience.signal,
        redirect: 'error',
        ...(body && { body: body as Uint8Array<ArrayBuffer> }), // blobs are never shared memory
      });
    } finally {
      clearTimeout(timer);
    }
  }
}
