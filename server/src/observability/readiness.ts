import { within } from './within.ts';

/** What a server needs to do its work. */
export interface Check {
  name: 'database' | 'blobs' | 'uploads';
  /** Rejects when it is not there. */
  passes: () => Promise<unknown>;
}

export interface ReadyState {
  ready: boolean;
  checks: { name: string; ready: boolean }[];
  /** Why it is not ready, in words for operators that tell strangers nothing. */
  reasons: string[];
}

const limitMs = 2_000;

/** However many ask, the checks run once in this time. */
const keptMs = 1_000;

/** Whether a load balancer should send anybody here. */
export class Readiness {
  readonly #checks: readonly Check[];
  readonly #now: () => number;
  readonly #running = new Map<Check['name'], Promise<unknown>>();
  #isDraining = false;
  #kept: { until: number; failed: Promise<string[]> } | undefined;

  /** `now` in monotonic milliseconds. */
  constructor(checks: readonly Check[], now: () => number = () => performance.now()) {
    this.#checks = checks;
    this.#now = now;
  }

  /** From here on the server is not ready any more: it is about to end. */
  drain(): void {
    this.#isDraining = true;
  }

  async state(): Promise<ReadyState> {
    if (!this.#kept || this.#kept.until <= this.#now())
      this.#kept = { until: this.#now() + keptMs, failed: this.#failed() };
    const failed = await this.#kept.failed;
    const reasons = failed.map((name) => `${name}: no good answer within ${limitMs} ms`);
    if (this.#isDraining) reasons.unshift('draining: the server is about to end');
    return {
      ready: reasons.length === 0,
      checks: [
        ...this.#checks.map(({ name }) => ({ name, ready: !failed.includes(name) })),
        { name: 'serving', ready: !this.#isDraining },
      ],
      reasons,
    };
  }

  /** One run of a check at a time: what hangs is not asked again and again. */
  #once(name: Check['name'], passes: Check['passes']): Promise<unknown> {
    const running = this.#running.get(name) ?? passes().finally(() => this.#running.delete(name));
    this.#running.set(name, running);
    return running;
  }

  async #failed(): Promise<string[]> {
    const failed = await Promise.all(
      this.#checks.map(({ name, passes }) =>
        within(limitMs, this.#once(name, passes)).then(
          () => [],
          () => [name],
        ),
      ),
    );
    return failed.flat();
  }
}
