import {
  ProblemError,
  toBase64Url,
  utf8Encode,
  type ChallengeAnswer,
  type DeviceId,
  type Network,
  type SessionAnswer,
} from '@starling/protocol';
import { sign, type Identity } from '@starling/secure/identity';
import { wantsNewSession } from './errors.ts';
import { enrolment, forgetEnrolment, ownIdentity, type EnrolOptions } from './identity.ts';
import type { Host, HttpAnswer } from './ports.ts';
import { jsonBody, readAnswer, type Requests, type ServerRequest } from './requests.ts';

/** A host that has not said by then how the device is, or never will, is not waited for: signing in goes on without. */
const conditionsMs = 5_000;

/**
 * The device as the server knows it: enrolled under its key, with the bearer token that a signed challenge buys.
 * A request whose session has expired takes a new one, once, and is repeated.
 */
export class Session {
  readonly #host: Host;
  readonly #requests: Requests;
  readonly #options: EnrolOptions;
  #identity: Identity | undefined;
  #deviceId: DeviceId | undefined;
  #token: string | undefined;
  #opening: Promise<string> | undefined;

  constructor(host: Host, requests: Requests, options: EnrolOptions) {
    this.#host = host;
    this.#requests = requests;
    this.#options = options;
  }

  /** Known once the device has enrolled. */
  get deviceId(): DeviceId | undefined {
    return this.#deviceId;
  }

  /** A token that the server should take. Opens a session when there is none, for all callers at once. */
  async token(): Promise<string> {
    if (this.#token !== undefined) return this.#token;
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  /** Gives up a token that the server refused; a newer one stays. */
  expire(token: string): void {
    if (this.#token === token) this.#token = undefined;
  }

  /** One request as this device. Throws ProblemError for status 400 and above, DeviceError. */
  async send(request: ServerRequest): Promise<HttpAnswer> {
    for (let renewed = false; ; renewed = true) {
      const token = await this.token();
      const headers = { ...request.headers, authorization: `Bearer ${token}` };
      try {
        return await this.#requests.send({ ...request, headers });
      } catch (error) {
        if (renewed || !wantsNewSession(error)) throw error;
        this.expire(token);
      }
    }
  }

  /** JSON from the server, with these members at least. */
  async get<T extends object>(
    path: string,
    members: readonly (keyof T & string)[],
    signal?: AbortSignal,
  ): Promise<T> {
    return readAnswer<T>(await this.send({ path, method: 'GET', signal }), members);
  }

  async #open(): Promise<string> {
    const identity = (this.#identity ??= await ownIdentity(this.#host));
    for (let enrolledAgain = false; ; enrolledAgain = true) {
      this.#deviceId = await enrolment(this.#host, this.#requests, identity, this.#options);
      try {
        this.#token = await this.#prove(identity, this.#deviceId);
        return this.#token;
      } catch (error) {
        const forgotten = error instanceof ProblemError && error.code === 'device-unknown';
        if (!forgotten || enrolledAgain) throw error;
        await forgetEnrolment(this.#host);
      }
    }
  }

  /** Signs a challenge for a token. */
  async #prove(identity: Identity, deviceId: DeviceId): Promise<string> {
    const post = (path: string, body: unknown) =>
      this.#requests.send({ path, method: 'POST', ...jsonBody(body) });
    const network = await this.#network(); // first: a challenge lives a minute
    const { challenge } = readAnswer<ChallengeAnswer>(await post('/v1/device/challenge', { deviceId }), [
      'challenge',
    ]);
    const signature = toBase64Url(sign(identity, 'session', utf8Encode(challenge)));
    const session = await post('/v1/device/session', {
      ...{ deviceId, challenge, signature },
      ...(network !== undefined && { network }),
    });
    return readAnswer<SessionAnswer>(session, ['token']).token;
  }

  /** What sending costs, where the host says so in time. */
  async #network(): Promise<Network | undefined> {
    const { conditions, clock } = this.#host;
    const said = new AbortController();
    const asked = async () => {
      try {
        return (await conditions.now()).unmetered;
      } catch {
        return undefined; // the same as a host that cannot tell
      }
    };
    const late = clock.sleep(conditionsMs, said.signal).then(() => undefined);
    const unmetered = await Promise.race([asked(), late]);
    said.abort();
    return unmetered === undefined ? undefined : unmetered ? 'unmetered' : 'metered';
  }
}
