import { createHash, randomBytes } from 'node:crypto';
import {
  ProblemError,
  toBase64Url,
  utf8Encode,
  writeUpdateFile,
  type Assignment,
  type ChallengeAnswer,
  type CheckInAnswer,
  type EnrolAnswer,
  type Network,
  type SessionAnswer,
  type UploadAnswer,
} from '@starling/protocol';
import { identityFromSeed, sign } from '@starling/secure';

export interface Answer<T> {
  status: number;
  headers: Headers;
  body: T;
}

/**
 * A device that speaks plain HTTP and does nothing by itself: tests make it say what they want, also what no
 * honest device says.
 */
export class RawDevice {
  readonly url: string;
  readonly seed: Uint8Array;
  deviceId = '';
  /** Of its session. */
  token = '';

  constructor(url: string, seed: Uint8Array = randomBytes(32)) {
    this.url = url;
    this.seed = seed;
  }

  static async enrolled(url: string, enrolmentToken: string, seed?: Uint8Array): Promise<RawDevice> {
    const device = new RawDevice(url, seed);
    await device.enrol(enrolmentToken);
    await device.openSession();
    return device;
  }

  async enrol(enrolmentToken: string): Promise<void> {
    const identity = identityFromSeed(this.seed);
    const { deviceId } = await this.ok<EnrolAnswer>('POST', '/v1/devices', {
      enrolmentToken,
      publicKey: toBase64Url(identity.publicKey),
      proof: toBase64Url(sign(identity, 'enrol', utf8Encode(enrolmentToken))),
      platform: 'test',
      sdkVersion: '0.1.0',
    });
    this.deviceId = deviceId;
  }

  async openSession(network?: Network): Promise<void> {
    const { deviceId } = this;
    const { challenge } = await this.ok<ChallengeAnswer>('POST', '/v1/device/challenge', { deviceId });
    const signature = toBase64Url(sign(identityFromSeed(this.seed), 'session', utf8Encode(challenge)));
    const { token } = await this.ok<SessionAnswer>('POST', '/v1/device/session', {
      deviceId,
      challenge,
      signature,
      ...(network !== undefined && { network }),
    });
    this.token = token;
  }

  async send<T>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer<T>> {
    const bytes = body instanceof Uint8Array;
    const answer = await fetch(`${this.url}${path}`, {
      method,
      headers: {
        ...(this.token ? { authorization: `Bearer ${this.token}` } : {}),
        ...(body === undefined || bytes ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined
        ? {}
        : { body: bytes ? (body as Uint8Array<ArrayBuffer>) : JSON.stringify(body) }),
    });
    const text = await answer.text();
    return {
      status: answer.status,
      headers: answer.headers,
      body: (text === '' ? null : JSON.parse(text)) as T,
    };
  }

  async ok<T>(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<T> {
    const answer = await this.send<T>(method, path, body, headers);
    if (answer.status >= 400) throw ProblemError.from(answer.body, answer.status);
    return answer.body;
  }

  async assignment(): Promise<Assignment | null> {
    return (await this.ok<CheckInAnswer>('GET', '/v1/device/assignment')).assignment;
  }

  async say(id: string, action: string, fields?: object): Promise<Assignment> {
    const path = `/v1/device/assignments/${id}/${action}`;
    return (await this.ok<{ assignment: Assignment }>('POST', path, fields)).assignment;
  }

  /** One part of an upload, from `offset`; `last` declares the whole complete. */
  part(
    id: string,
    bytes: Uint8Array,
    range: { start: number; end: number; last: boolean },
  ): Promise<Answer<UploadAnswer>> {
    const headers: Record<string, string> = {
      'content-type': 'application/offset+octet-stream',
      'upload-offset': String(range.start),
    };
    if (range.last) {
      headers['upload-complete'] = '?1';
      headers['repr-digest'] = `sha-256=:${createHash('sha256').update(bytes).digest('base64')}:`;
    }
    return this.send(
      'PATCH',
      `/v1/device/assignments/${id}/update`,
      bytes.subarray(range.start, range.end),
      headers,
    );
  }

  upload(id: string, bytes: Uint8Array): Promise<Answer<UploadAnswer>> {
    return this.part(id, bytes, { start: 0, end: bytes.length, last: true });
  }

  /**
   * One step of an assignment from where it stands; the update goes in so many parts, from where the server has it. True
   * when it was acknowledged.
   */
  async goOn({ id, state }: Assignment, update: Uint8Array, parts = 1): Promise<boolean> {
    if (state === 'offered') await this.say(id, 'accept');
    if (state === 'accepted') await this.say(id, 'begin');
    if (state === 'training') await this.say(id, 'ready', { digest: sha256(update), bytes: update.length });
    if (state !== 'grouped') return false;
    const head = await this.send('HEAD', `/v1/device/assignments/${id}/update`);
    let start = Number(head.headers.get('upload-offset'));
    for (let part = 1; part < parts; part++) {
      const end = Math.floor((update.length * part) / parts);
      if (start < end) await this.part(id, update, { start, end, last: false });
      start = Math.max(start, end);
    }
    const { body } = await this.part(id, update, { start, end: update.length, last: true });
    return body.state === 'uploaded';
  }

  /** Walks an offered assignment up to `grouped` with this update announced. */
  async reachUpload(assignment: Assignment, update: Uint8Array): Promise<Assignment> {
    await this.say(assignment.id, 'accept');
    await this.say(assignment.id, 'begin');
    return this.say(assignment.id, 'ready', { digest: sha256(update), bytes: update.length });
  }
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** An update file with all values zero but those given, by block and index. */
export function updateFile(
  { blocks }: Pick<Assignment, 'blocks'>,
  values: Record<string, Record<number, number>> = {},
  weight = 1,
): Uint8Array {
  const full = blocks.map(({ name, size }) => {
    const vector = new Float64Array(size);
    for (const [index, value] of Object.entries(values[name] ?? {})) vector[Number(index)] = value;
    return [name, vector];
  });
  return writeUpdateFile(blocks, Object.fromEntries(full) as Record<string, Float64Array>, weight);
}
