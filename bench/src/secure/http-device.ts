import { createHash, randomBytes } from 'node:crypto';
import {
  fromBase64Url,
  ProblemError,
  toBase64Url,
  toHex,
  utf8Encode,
  type Assignment,
  type ChallengeAnswer,
  type CheckInAnswer,
  type EnrolAnswer,
  type GroupMail,
  type SessionAnswer,
} from '@starling/protocol';
import { identityFromSeed, sign, type ClientMessage } from '@starling/secure';

/** A device of the bench: it speaks the protocol over HTTP, says what it is told to, and counts the bytes of bodies. */
export class HttpDevice {
  readonly seed = new Uint8Array(randomBytes(32));
  readonly identity = identityFromSeed(this.seed);
  readonly name = toHex(this.identity.publicKey);
  readonly #server: string;
  #token: string | undefined;
  up = 0;
  down = 0;

  constructor(server: string) {
    this.#server = server;
  }

  async enrol(enrolmentToken: string): Promise<void> {
    const proofOf = (purpose: 'enrol' | 'session', text: string) =>
      toBase64Url(sign(this.identity, purpose, utf8Encode(text)));
    const { deviceId } = await this.#send<EnrolAnswer>('POST', '/v1/devices', {
      ...{ enrolmentToken, platform: 'bench', sdkVersion: '0.1.0' },
      publicKey: toBase64Url(this.identity.publicKey),
      proof: proofOf('enrol', enrolmentToken),
    });
    const { challenge } = await this.#send<ChallengeAnswer>('POST', '/v1/device/challenge', { deviceId });
    const signature = proofOf('session', challenge);
    const session = { deviceId, challenge, signature };
    this.#token = (await this.#send<SessionAnswer>('POST', '/v1/device/session', session)).token;
  }

  async assignment(): Promise<Assignment | null> {
    return (await this.#send<CheckInAnswer>('GET', '/v1/device/assignment')).assignment;
  }

  async say(id: string, action: 'accept' | 'begin' | 'ready'): Promise<void> {
    await this.#send('POST', `/v1/device/assignments/${id}/${action}`);
  }

  async mail(group: string): Promise<Omit<GroupMail, 'messages'> & { messages: Uint8Array[] }> {
    const mail = await this.#send<GroupMail>('GET', `/v1/device/groups/${group}`);
    return { ...mail, messages: mail.messages.map(fromBase64Url) };
  }

  async answer(group: string, assignment: string, { bytes, body }: ClientMessage): Promise<void> {
    await this.#send('POST', `/v1/device/groups/${group}/messages`, bytes, {
      'content-type': 'application/octet-stream',
    });
    if (!body) return;
    const digest = createHash('sha256').update(body).digest('base64');
    await this.#send('PATCH', `/v1/device/assignments/${assignment}/update`, body, {
      ...{ 'content-type': 'application/offset+octet-stream', 'upload-offset': '0', 'upload-complete': '?1' },
      'repr-digest': `sha-256=:${digest}:`,
    });
  }

  async #send<T>(
    method: string,
    path: string,
    body?: object,
    headers: Record<string, string> = { 'content-type': 'application/json' },
  ): Promise<T> {
    const bytes = body instanceof Uint8Array ? body : body && utf8Encode(JSON.stringify(body));
    this.up += bytes?.length ?? 0;
    const answer = await fetch(`${this.#server}${path}`, {
      method,
      headers: {
        ...(bytes ? headers : {}),
        ...(this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` }),
      },
      body: (bytes as Uint8Array<ArrayBuffer> | undefined) ?? null, // no memory is shared here
    });
    const text = await answer.text();
    this.down += text.length;
    const value: unknown = JSON.parse(text);
    if (!answer.ok) throw ProblemError.from(value, answer.status);
    return value as T; // the server is ours, and of this build
  }
}
