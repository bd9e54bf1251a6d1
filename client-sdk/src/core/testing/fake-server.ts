import {
  assignmentTransitions,
  fromBase64Url,
  ProblemError,
  sha256,
  utf8Decode,
  utf8Encode,
  type Assignment,
  type AssignmentState,
  type ControlMessage,
  type EnrolRequest,
} from '@starling/protocol';
import { verify } from '@starling/secure';
import { DeviceError } from '../errors.ts';
import type { ChannelEvents, ChannelFactory, DelayWindow, Http, HttpAnswer, HttpRequest } from '../ports.ts';
import { FakeUploads } from './fake-uploads.ts';
import { tinyAssignment } from './tiny-assignment.ts';
import { tinyFetched } from './tiny-model.ts';

type Trouble = { readonly when: 'before' | 'after'; readonly error: Error };

/** A server for one device, in memory, to the same schemas as the real one; a test says what goes wrong. */
export class FakeServer {
  readonly url = 'https://server.test';
  readonly uploads = new FakeUploads();
  /** Requests as `METHOD path`, in order; assignment ids left out. */
  readonly calls: string[] = [];
  /** Messages of the device, in order, by whichever way they came. */
  readonly said: string[] = [];
  /** The same, word for word. */
  readonly heard: ControlMessage[] = [];
  assignment: Assignment | undefined;
  /** Whether devices may open a live connection. */
  acceptsConnections = true;
  /** Whether a ready device gets its group in the same answer. */
  groupsAtOnce = true;
  /** After which a device without a socket asks again. */
  retryAfterMs = 1_500;
  isRevoked = false;
  knowsDevice = true;
  enrolments = 0;
  /** What the device said of its network when it last signed in. */
  network: string | undefined;
  readonly blobs = new Map<string, Uint8Array>();
  readonly #troubles: { readonly call: RegExp; readonly trouble: Trouble }[] = [];
  #connections: ChannelEvents[] = [];
  #publicKey = '';
  #session = 0;
  #challenges = 0;

  constructor() {
    const { ir, weights } = tinyFetched();
    this.blobs.set(ir.digest, ir.json);
    this.blobs.set(sha256(weights), weights);
  }

  get connections(): number {
    return this.#connections.length;
  }

  /** The next call that matches fails: before the server does anything, or after, so that only the reply is lost. */
  failNext(
    call: RegExp,
    error: Error = new DeviceError('offline', 'the line broke'),
    when: Trouble['when'] = 'before',
  ): void {
    this.#troubles.push({ call, trouble: { when, error } });
  }

  /** Offers an assignment; a connected device hears of it. */
  offer(assignment: Assignment = tinyAssignment()): Assignment {
    this.assignment = assignment;
    this.announce(assignment);
    return assignment;
  }

  /** Moves the assignment by the server's own doing, and tells the device if it is connected. */
  move(state: AssignmentState, reason: string | null = null): void {
    this.#set(state, reason);
    if (this.assignment) this.announce(this.assignment);
  }

  announce(assignment: Assignment): void {
    for (const connection of this.#connections) connection.assignment({ ...assignment });
  }

  dropConnections(): void {
    const lost = this.#connections;
    this.#connections = [];
    for (const connection of lost) connection.closed(undefined);
  }

  /** Ends as a server does that is told to: every device is to come back within the window. */
  leave(window: DelayWindow): void {
    for (const connection of this.#connections) connection.leaving(window);
    this.dropConnections();
  }

  /** Ends every session, but no connection: as when an hour is over. */
  expireSessions(): void {
    this.#session++;
  }

  revoke(): void {
    this.isRevoked = true;
    this.dropConnections();
  }

  readonly channel: ChannelFactory = (_server, token, events) => {
    const own: ChannelEvents = { ...events };
    setImmediate(() => {
      try {
        if (!this.acceptsConnections) {
          events.closed(undefined);
          return;
        }
        this.#requireSession(token);
        this.#connections.push(own);
        events.open();
      } catch (error) {
        events.closed((error as ProblemError).toProblem());
      }
    });
    return {
      control: (id, message) =>
        this.#during(`SOCKET ${message.action}`, () => {
          try {
            this.#requireSession(token);
            return { assignment: this.#control(id, message) };
          } catch (error) {
            return { problem: (error as ProblemError).toProblem() };
          }
        }),
      close: () => {
        this.#connections = this.#connections.filter((connection) => connection !== own);
      },
    };
  };

  readonly http: Http = (request) => {
    const path = new URL(request.url).pathname;
    const call = `${request.method} ${path.replace(/asg_[\w-]{22}/, ':id').replace(/[0-9a-f]{64}/, ':sha256')}`;
    if (request.signal?.aborted === true) return Promise.reject(new DeviceError('offline', 'given up'));
    return this.#during(call, () => {
      try {
        return this.#answer(path, request);
      } catch (error) {
        if (!(error instanceof ProblemError)) throw error;
        return json(error.status, error.toProblem());
      }
    });
  };

  async #during<T>(call: string, work: () => T): Promise<T> {
    this.calls.push(call);
    const index = this.#troubles.findIndex((planned) => planned.call.test(call));
    const [planned] = index < 0 ? [] : this.#troubles.splice(index, 1);
    await new Promise((resolve) => setImmediate(resolve));
    if (planned?.trouble.when === 'before') return this.#fail(planned.trouble.error);
    const answer = work();
    return planned ? this.#fail(planned.trouble.error) : answer;
  }

  #fail(error: Error): never {
    throw error;
  }

  #answer(path: string, request: HttpRequest): HttpAnswer {
    const body = request.body ?? new Uint8Array();
    const read = () => JSON.parse(utf8Decode(body)) as Record<string, string>;
    if (path === '/v1/devices') return this.#enrol(read() as unknown as EnrolRequest);
    if (path === '/v1/device/challenge') {
      return json(200, { challenge: `challenge-${++this.#challenges}`, expiresInMs: 60_000 });
    }
    if (path === '/v1/device/session') return this.#open(read());
    this.#requireSession(/^Bearer (.*)$/.exec(request.headers['authorization'] ?? '')?.[1] ?? '');
    if (path === '/v1/device/assignment') {
      return json(200, { assignment: this.#current() ?? null, retryAfterMs: this.retryAfterMs });
    }
    const blob = /^\/v1\/blobs\/(\w+)$/.exec(path)?.[1];
    if (blob !== undefined)
      return { status: 200, header: () => undefined, body: this.blobs.get(blob)!.slice() };
    if (path.endsWith('/model')) return json(200, tinyAssignment().model);
    const [, id = '', action = ''] = /^\/v1\/device\/assignments\/([^/]+)\/(\w+)$/.exec(path) ?? [];
    if (action !== 'update') {
      const fields = body.length > 0 ? read() : {};
      return json(200, { assignment: this.#control(id, { action, ...fields } as ControlMessage) });
    }
    const assignment = this.#mine(id);
    if (!['grouped', 'uploaded', 'counted'].includes(assignment.state)) throw this.#closed();
    if (request.method === 'HEAD') {
      const held = String(this.uploads.held.length);
      return {
        status: 204,
        header: (name) => (name === 'upload-offset' ? held : undefined),
        body: new Uint8Array(),
      };
    }
    const isComplete = this.uploads.append(request.headers, body);
    if (isComplete && assignment.state === 'grouped') this.#set('uploaded', null);
    return json(200, { offset: this.uploads.held.length, state: this.assignment?.state });
  }

  #enrol(request: EnrolRequest): HttpAnswer {
    const { publicKey, proof, enrolmentToken } = request;
    if (enrolmentToken !== 'the-token')
      throw new ProblemError('enrolment-refused', 'The token is not valid.');
    if (!verify(fromBase64Url(publicKey), 'enrol', utf8Encode(enrolmentToken), fromBase64Url(proof))) {
      throw new ProblemError('signature-invalid', 'The proof does not verify.');
    }
    this.enrolments++;
    this.knowsDevice = true;
    this.#publicKey = publicKey;
    return json(201, { deviceId: `dev_${'d'.repeat(22)}`, projectId: `prj_${'p'.repeat(22)}` });
  }

  #open({ challenge = '', signature = '', network }: Record<string, string>): HttpAnswer {
    this.network = network;
    if (!this.knowsDevice) throw new ProblemError('device-unknown', 'No such device.');
    if (this.isRevoked) throw new ProblemError('device-revoked', 'This device was revoked.');
    if (!verify(fromBase64Url(this.#publicKey), 'session', utf8Encode(challenge), fromBase64Url(signature))) {
      throw new ProblemError('signature-invalid', 'The signature does not verify.');
    }
    return json(200, { token: `session-${this.#session}`, expiresInMs: 3_600_000 });
  }

  #requireSession(token: string): void {
    if (this.isRevoked) throw new ProblemError('device-revoked', 'This device was revoked.');
    if (!this.knowsDevice) throw new ProblemError('device-unknown', 'No such device.');
    if (token !== `session-${this.#session}`)
      throw new ProblemError('session-expired', 'The session is over.');
  }

  #control(id: string, message: ControlMessage): Assignment {
    this.said.push(message.action);
    this.heard.push(message);
    const assignment = this.#mine(id);
    const target = {
      accept: 'accepted',
      begin: 'training',
      ready: 'ready',
      decline: 'dropped',
      fail: 'dropped',
    } as const;
    if (assignment.state === 'dropped' && target[message.action] !== 'dropped') throw this.#closed();
    const next: readonly string[] = assignmentTransitions[assignment.state];
    if (next.includes(target[message.action])) {
      const reason = 'reason' in message ? message.reason : null;
      this.#set(target[message.action], reason);
      if (message.action === 'ready') {
        this.uploads.expect(message.digest ?? '', message.bytes ?? 0);
        if (this.groupsAtOnce) this.#set('grouped', null);
      }
    }
    return { ...this.#mine(id) };
  }

  #current(): Assignment | undefined {
    const isLive = this.assignment && !['uploaded', 'counted', 'dropped'].includes(this.assignment.state);
    return isLive ? this.assignment : undefined;
  }

  #mine(id: string): Assignment {
    if (this.assignment?.id !== id)
      throw new ProblemError('not-found', 'This device has no such assignment.');
    return this.assignment;
  }

  #set(state: AssignmentState, reason: string | null): void {
    if (this.assignment) this.assignment = { ...this.assignment, state, reason };
  }

  #closed(): ProblemError {
    return new ProblemError('assignment-closed', 'The assignment is over.');
  }
}

function json(status: number, value: unknown): HttpAnswer {
  return { status, header: () => undefined, body: utf8Encode(JSON.stringify(value)) };
}
