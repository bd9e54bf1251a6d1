import { ProblemError } from '@starling/protocol';

/** A token bucket: `burst` at once, refilled at `perSecond`. */
export interface Rate {
  burst: number;
  perSecond: number;
}

/** Most keys whose buckets are remembered; beyond, those not used for longest begin anew. */
const capacity = 100_000;

/**
 * Token buckets by key, in the memory of this process: with several servers each grants its own share. Time is in
 * monotonic milliseconds.
 */
export class RateLimit {
  readonly #what: string;
  readonly #rate: Rate;
  readonly #now: () => number;
  /** Least recently used first. */
  readonly #buckets = new Map<string, { tokens: number; at: number }>();

  constructor(what: string, rate: Rate, now: () => number = () => performance.now()) {
    this.#what = what;
    this.#rate = rate;
    this.#now = now;
  }

  /**
   * Takes `cost` tokens. Throws ProblemError `rate-limited`, with the time until they are there, and takes none. What
   * costs more than a whole bucket needs a full one and empties it.
   */
  take(key: string, cost = 1): void {
    const retryAfterMs = this.#spend(key, cost);
    if (retryAfterMs > 0) throw this.#exceeded(retryAfterMs);
  }

  /** Throws as {@link take} does where there is no token; takes none. */
  require(key: string): void {
    const retryAfterMs = this.#untilThere(this.#tokens(key, this.#now()), 1);
    if (retryAfterMs > 0) throw this.#exceeded(retryAfterMs);
  }

  /** Takes a token if there is one, and says whether there was. */
  grants(key: string): boolean {
    return this.#spend(key, 1) === 0;
  }

  /** Milliseconds until the tokens are there; 0 when they were, and are spent. */
  #spend(key: string, cost: number): number {
    const now = this.#now();
    const tokens = this.#tokens(key, now);
    const wanted = Math.min(cost, this.#rate.burst);
    const retryAfterMs = this.#untilThere(tokens, wanted);
    this.#buckets.delete(key);
    if (this.#buckets.size >= capacity) {
      const [oldest] = this.#buckets.keys();
      if (oldest !== undefined) this.#buckets.delete(oldest);
    }
    this.#buckets.set(key, { tokens: retryAfterMs === 0 ? tokens - wanted : tokens, at: now });
    return retryAfterMs;
  }

  #tokens(key: string, now: number): number {
    const { burst, perSecond } = this.#rate;
    const { tokens, at } = this.#buckets.get(key) ?? { tokens: burst, at: now };
    return Math.min(burst, tokens + ((now - at) / 1000) * perSecond);
  }

  #untilThere(tokens: number, wanted: number): number {
    if (tokens >= wanted - 1e-9) return 0; // what rounding took is not held against anyone
    return Math.ceil(((wanted - tokens) / this.#rate.perSecond) * 1000);
  }

  #exceeded(retryAfterMs: number): ProblemError {
    const seconds = Math.ceil(retryAfterMs / 1000);
    return new ProblemError('rate-limited', `Too many ${this.#what}: ask again in ${seconds} s.`, {
      retryAfterMs,
    });
  }
}

/** Credentials that were good lately, by their hashes; beyond so many, those not used for longest are forgotten. */
export class GoodCredentials {
  readonly #most: number;
  /** Least recently used first. */
  readonly #hashes = new Set<string>();

  constructor(most = 10_000) {
    this.#most = most;
  }

  has(hash: string): boolean {
    return this.#hashes.has(hash);
  }

  add(hash: string): void {
    this.#hashes.delete(hash);
    this.#hashes.add(hash);
    const [oldest] = this.#hashes;
    if (this.#hashes.size > this.#most && oldest !== undefined) this.#hashes.delete(oldest);
  }

  remove(hash: string): void {
    this.#hashes.delete(hash);
  }
}

/** The limits of a server. */
export interface RateLimitOptions {
  /** Enrolments from one address. */
  enrolment: Rate;
  /** Challenges and sessions of one device; whoever asks is not known yet, so the address counts too. */
  challenge: Rate;
  challengeFromAddress: Rate;
  /** Sign-ins at the provider that are begun from one address. */
  signIn: Rate;
  /** Requests without a valid credential from one address. */
  refused: Rate;
  /** Refusals for want of a role (and of forgery) of one caller that are written into the audit log. */
  denied: Rate;
  /** Requests with one API key, or of one person. */
  key: Rate;
  /** Requests of one device, and bytes that it sends. */
  device: Rate;
  deviceBytes: Rate;
}

/** Far above what honest fleets and people do, even many behind one address; far below what hurts. */
const defaultRates: RateLimitOptions = {
  enrolment: { burst: 5000, perSecond: 20 },
  challenge: { burst: 30, perSecond: 0.5 },
  challengeFromAddress: { burst: 20_000, perSecond: 200 },
  signIn: { burst: 60, perSecond: 1 },
  refused: { burst: 200, perSecond: 1 },
  denied: { burst: 50, perSecond: 0.02 },
  key: { burst: 2000, perSecond: 200 },
  device: { burst: 500, perSecond: 50 },
  deviceBytes: { burst: 2 ** 30, perSecond: 2 ** 20 },
};

/** The buckets of a server, one kind for each limit. */
export class RateLimits {
  readonly enrolment: RateLimit;
  readonly challenge: RateLimit;
  readonly challengeFromAddress: RateLimit;
  readonly signIn: RateLimit;
  readonly refused: RateLimit;
  readonly denied: RateLimit;
  readonly key: RateLimit;
  readonly device: RateLimit;
  readonly deviceBytes: RateLimit;
  readonly good = new GoodCredentials();

  constructor(options: Partial<RateLimitOptions> = {}, now?: () => number) {
    const rates = { ...defaultRates, ...options };
    const limit = (what: string, rate: Rate) => new RateLimit(what, rate, now);
    this.enrolment = limit('enrolments from this address', rates.enrolment);
    this.challenge = limit('challenges of this device', rates.challenge);
    this.challengeFromAddress = limit('challenges from this address', rates.challengeFromAddress);
    this.signIn = limit('sign-ins from this address', rates.signIn);
    this.refused = limit('refused requests from this address', rates.refused);
    this.denied = limit('recorded refusals of this caller', rates.denied);
    this.key = limit('requests with this API key', rates.key);
    this.device = limit('requests of this device', rates.device);
    this.deviceBytes = limit('bytes from this device', rates.deviceBytes);
  }
}
