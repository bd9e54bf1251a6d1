import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export const testCredentials = { accessKeyId: 'AKTEST', secretAccessKey: 'tell/no+one=' };

const day = 86_400_000;

interface Request {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: Buffer;
}

/**
 * An object store in memory that takes no request on trust: it works out each signature by itself, from what
 * arrived, and refuses bodies that are not what was signed.
 */
export class TestS3 {
  readonly url: string;
  readonly objects = new Map<string, Buffer>();
  readonly requests: string[] = [];
  /** Answers to give before working again: a status, or 0 for a broken connection. */
  readonly failures: number[] = [];
  readonly close: () => Promise<void>;

  private constructor(port: number, close: () => Promise<void>) {
    this.url = `http://127.0.0.1:${port}`;
    this.close = close;
  }

  static async start(): Promise<TestS3> {
    const http = createServer((request, response) => {
      store.#answer(request, response).catch((error: unknown) => {
        response.destroy(error instanceof Error ? error : undefined);
      });
    });
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    const store = new TestS3((http.address() as AddressInfo).port, async () => {
      http.closeAllConnections();
      http.close();
      await once(http, 'close');
    });
    return store;
  }

  async #answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const request: Request = {
      method: incoming.method ?? '',
      path: incoming.url ?? '',
      headers: incoming.headers as Record<string, string>,
      body: Buffer.concat(chunks),
    };
    this.requests.push(`${request.method} ${request.path}`);
    const failure = this.failures.shift();
    const wrong = whatIsWrong(request);
    if (failure === 0) response.destroy();
    else if (failure !== undefined) refuse(response, failure, 'SlowDown');
    else if (wrong !== undefined) refuse(response, 403, wrong);
    else this.#serve(request, response);
  }

  #serve({ method, path, headers, body }: Request, response: ServerResponse): void {
    const held = this.objects.get(path);
    if (method === 'PUT') {
      if (held && headers['if-none-match'] === '*') {
        refuse(response, 412, 'PreconditionFailed');
      } else {
        this.objects.set(path, body);
        response.end();
      }
    } else if (method === 'DELETE') {
      this.objects.delete(path);
      response.writeHead(204).end();
    } else if (!held) {
      refuse(response, 404, 'NoSuchKey');
    } else {
      const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(headers['range'] ?? '') ?? [];
      const part = from === undefined ? held : held.subarray(Number(from), Number(to) + 1);
      response.writeHead(from === undefined ? 200 : 206, { 'content-length': part.length });
      response.end(method === 'HEAD' ? undefined : part);
    }
  }
}

function refuse(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { 'content-type': 'application/xml' });
  response.end(`<?xml version="1.0"?><Error><Code>${code}</Code></Error>`);
}

function whatIsWrong({ method, path, headers, body }: Request): string | undefined {
  const [, key, date, region, names = '', signature = ''] =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request,SignedHeaders=([^,]+),Signature=([0-9a-f]{64})$/.exec(
      headers['authorization'] ?? '',
    ) ?? [];
  if (key !== testCredentials.accessKeyId || date === undefined || region === undefined)
    return 'AccessDenied';
  const bodyDigest = createHash('sha256').update(body).digest('hex');
  if (headers['x-amz-content-sha256'] !== bodyDigest) return 'XAmzContentSHA256Mismatch';
  const stamp = headers['x-amz-date'] ?? '';
  const time = Date.parse(stamp.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6Z'));
  if (!(Math.abs(time - Date.now()) < day / 96)) return 'RequestTimeTooSkewed';
  const signed = names.split(';');
  for (const name of ['host', 'if-none-match', 'range', 'x-amz-content-sha256', 'x-amz-date']) {
    if (headers[name] !== undefined && !signed.includes(name)) return 'AccessDenied';
  }
  const { pathname, search } = new URL(path, 'http://store');
  const lines = signed.map((name) => `${name}:${headers[name] ?? ''}\n`).join('');
  const canonical = `${method}\n${pathname}\n${search.slice(1)}\n${lines}\n${names}\n${bodyDigest}`;
  const scope = `${date}/${region}/s3/aws4_request`;
  const digest = createHash('sha256').update(canonical).digest('hex');
  let mac: string | Buffer = `AWS4${testCredentials.secretAccessKey}`;
  for (const part of [
    date,
    region,
    's3',
    'aws4_request',
    `AWS4-HMAC-SHA256\n${stamp}\n${scope}\n${digest}`,
  ]) {
    mac = createHmac('sha256', mac).update(part).digest();
  }
  return timingSafeEqual(Buffer.from(signature, 'hex'), mac as Buffer) ? undefined : 'SignatureDoesNotMatch';
}
