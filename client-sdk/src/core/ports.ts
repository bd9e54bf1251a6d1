import type { Examples } from '@starling/model';
import type { Assignment, ControlMessage, ServedModel } from '@starling/protocol';
import type { Subtle } from '@starling/secure';

/** What the device core needs from the place where it runs. The core itself does no I/O and reads no clock. */
export interface Host {
  /** Told to the server at enrolment: `node`, `web`. */
  readonly platform: string;
  readonly storage: Storage;
  readonly http: Http;
  readonly channel: ChannelFactory;
  readonly trainer: Trainer;
  readonly clock: Clock;
  readonly random: Random;
  /** WebCrypto, where there is one: secure aggregation computes some ten times faster with it. */
  readonly subtle?: Subtle | undefined;
  readonly conditions: Conditions;
  /**
   * Runs `work` while no other instance with the same storage takes part (one tab of several). Waits for its turn
   * until `signal` aborts, and then returns without having run it.
   */
  exclusively(work: () => Promise<void>, signal: AbortSignal): Promise<void>;
}

/** Durable bytes by key. A value that was set is there after a crash, whole. */
export interface Storage {
  get(key: string): Promise<Uint8Array | undefined>;
  set(key: string, value: Uint8Array): Promise<void>;
  delete(key: string): Promise<void>;
}

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PATCH';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface HttpAnswer {
  readonly status: number;
  header(name: string): string | undefined;
  readonly body: Uint8Array;
}

/** Sends one request. Rejects with DeviceError `offline` when no answer came. */
export type Http = (request: HttpRequest) => Promise<HttpAnswer>;

export interface DelayWindow {
  readonly minDelayMs: number;
  readonly maxDelayMs: number;
}

/** What a live channel tells the device; never during the call that opens it. */
export interface ChannelEvents {
  open(): void;
  /** The connection is gone, or never came; `problem` is the server's refusal, if that was the reason. Told once. */
  closed(problem: unknown): void;
  assignment(assignment: Assignment): void;
  /** The device's secure group has a message for it. */
  group(): void;
  /** The server is about to end the connection, and asks to come back after a delay drawn from this window. */
  leaving(window: DelayWindow): void;
}

export interface Channel {
  /** Resolves with the server's acknowledgement, as it came; rejects when none came in time. */
  control(assignmentId: string, message: ControlMessage): Promise<unknown>;
  /** Ends the connection without telling of it. */
  close(): void;
}

/** Opens one connection to the namespace `/device` of a server; connecting again is the core's business. */
export type ChannelFactory = (server: string, token: string, events: ChannelEvents) => Channel;

/** Computes away from the thread that serves the app. */
export interface Trainer {
  /** Rejects with WorkError, and when `signal` aborts: the work is then given up at once. */
  run(job: TrainerJob, signal?: AbortSignal): Promise<TrainerResult>;
  /** Frees what the trainer holds; the next job starts it again. */
  close(): Promise<void>;
}

/** A model as it was fetched: its weights file, and its IR with the digest by which its program is kept. */
export interface FetchedModel {
  readonly ir: { readonly digest: string; readonly json: Uint8Array };
  readonly weights: Uint8Array;
  readonly learnedRates: boolean;
}

export type TrainerJob =
  | {
      /** Compute the update file of an assignment. */
      readonly kind: 'contribute';
      readonly model: FetchedModel;
      readonly assignment: Pick<Assignment, 'work' | 'blocks' | 'maxWeight' | 'seed'>;
      readonly examples: Examples;
    }
  | {
      /** Adapt the model to the device's owner. */
      readonly kind: 'personalise';
      readonly model: FetchedModel;
      readonly adaptation: ServedModel['adaptation'];
      readonly examples: Examples;
    }
  | {
      /** Measure what this device can compute with. */
      readonly kind: 'probe';
    };

export interface TrainerResult {
  /**
   * `contribute`: the update file. `personalise`: the values of the parameters, float32 in the order of this machine.
   * `probe`: the engine's report, JSON in UTF-8.
   */
  readonly bytes: Uint8Array;
}

export interface Clock {
  /** Resolves after `ms`, and at once when `signal` aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** Milliseconds since some moment; never goes back. */
  monotonicMs(): number;
  /** Milliseconds since 1970 by the device's own clock, which its owner may set: for what outlasts a restart. */
  wallMs(): number;
}

export interface Random {
  /** Bytes that nobody can foresee: the device's key comes from here. */
  bytes(length: number): Uint8Array;
}

/** What is known of the device now; `undefined` where the host cannot tell. */
export interface Conditions {
  now(): Promise<{
    readonly charging?: boolean | undefined;
    readonly unmetered?: boolean | undefined;
    readonly idle?: boolean | undefined;
    /** Charge of the battery, 0 to 1. */
    readonly battery?: number | undefined;
  }>;
}
