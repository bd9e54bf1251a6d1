import { randomBytes, webcrypto } from 'node:crypto';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import {
  ProblemError,
  toBase64Url,
  toHex,
  utf8Encode,
  type ChallengeAnswer,
  type EnrolAnswer,
  type SessionAnswer,
} from '@starling/protocol';
import { identityFromSeed, mixedProvider, signWith } from '@starling/secure';

/** Connections stay open, as many as there are requests at a time. */
const agent = new Agent({ keepAlive: true, maxSockets: Infinity, maxFreeSockets: Infinity });
const crypto = await mixedProvider(webcrypto.subtle, (length) => new Uint8Array(randomBytes(length)));

/** A device of the bench: it speaks the protocol over HTTP, says what it is told to, and counts the bytes of bodies. */
export class HttpDevice {
  readonly seed = new Uint8Array(randomBytes(32));
  readonly identity = identityFromSeed(this.seed);
  readonly name = toHex(this.identity.publicKey);
  server: string;
  token = '';
  up = 0;
  down = 0;

  constructor(server: string) {
    this.server = server;
  }

  async enrol(enrolmentToken: string): Promise<void> {
    const { deviceId } = await this.send<EnrolAnswer>('POST', '/v1/devices', {
      ...{ enrolmentToken, platform: 'bench', sdkVersion: '0.1.0' },
      publicKey: toBase64Url(this.identity.publicKey),
      proof: await this.#proof('enrol', enrolmentToken),
    });
    await this.signIn(deviceId);
  }

  async signIn(deviceId: string): Promise<void> {
    const { challenge } = await this.send<ChallengeAnswer>('POST', '/v1/device/challenge', { deviceId });
    const signature = await this.#proof('session', challenge);
    const session = { deviceId, challenge, signature };
    this.token = (await this.send<SessionAnswer>('POST', '/v1/device/session', session)).token;
  }

  /** Reads a blob, keeps nothing of it, and gives its length. */
  async download(sha256: string): Promise<number> {
    const answer = await this.#request('GET', `/v1/blobs/${sha256}`, undefined, {});
    let bytes = 0;
    for await (const chunk of answer) bytes += (chunk as Buffer).length;
    this.down += bytes;
    if (answer.statusCode !== 200) throw new Error(`The blob was answered with ${answer.statusCode ?? 0}.`);
    return bytes;
  }

  async send<T>(
    method: string,
    path: string,
    body?: object,
    headers: Record<string, string> = { 'content-type': 'application/json' },
  ): Promise<T> {
    const bytes = body instanceof Uint8Array ? body : body && utf8Encode(JSON.stringify(body));
    this.up += bytes?.length ?? 0;
    const answer = await this.#request(method, path, bytes, bytes ? headers : {});
    const chunks: Buffer[] = [];
    for await (const chunk of answer) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    this.down += text.length;
    const value: unknown = JSON.parse(text);
    const status = answer.statusCode ?? 0;
    if (status >= 400) throw ProblemError.from(value, status);
    return value as T; // the server is ours, and of this build
  }

  #request(
    method: string,
    path: string,
    body: Uint8Array | undefined,
    headers: Record<string, string | number>,
  ): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const request = httpRequest(
        `${this.server}${path}`,
        {
          ...{ agent, method },
          headers: {
            ...headers,
            ...(body && { 'content-length': body.length }),
            ...(this.token !== '' && { authorization: `Bearer ${this.token}` }),
          },
        },
        resolve,
      );
      request.on('error', reject);
      request.end(body);
    });
  }

  async #proof(purpose: 'enrol' | 'session', text: string): Promise<string> {
    return toBase64Url(await signWith(crypto, this.seed, purpose, utf8Encode(text)));
  }
}
