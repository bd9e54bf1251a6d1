import type { Examples } from '@starling/model';
import type { Assignment, AssignmentId, GroupId, Labels } from '@starling/protocol';
import { untilRungMs } from './bell.ts';
import { BlobCache } from './blob-cache.ts';
import { capabilitiesOf, type Capabilities } from './capabilities.ts';
import { stayInTouch } from './connection.ts';
import { Inbox } from './inbox.ts';
import { KeptBytes } from './kept-bytes.ts';
import { Line } from './line.ts';
import { Logbook } from './logbook.ts';
import type { SecureOptions } from './membership.ts';
import { Participation } from './participation.ts';
import type { PersonalModel } from './personal-model.ts';
import { personalModel } from './personalise.ts';
import type { Host } from './ports.ts';
import { Requests } from './requests.ts';
import { secureLoader, type SecureLoader } from './secure-loader.ts';
import { Session } from './session.ts';

/** How to take part. */
export interface DeviceOptions {
  /** Base URL of the server. */
  readonly server: string;
  /** From the project; proves at enrolment that the app is one of its own. */
  readonly enrolmentToken: string;
  /** What the device says of itself, e.g. `{ platform: 'web' }`; tasks may select by it. */
  readonly labels?: Labels;
  /** The device's data for a task: rows in the order of time, read when needed, kept here. `null`: there are none. */
  readonly examples: (taskId: string) => Promise<Examples | null>;
  readonly host: Host;
  /** What the device insists on before its updates are summed with others'. */
  readonly secure?: SecureOptions;
  /** One line for each step, for a developer who looks at what the device does. Never holds data or secrets. */
  readonly log?: (line: string) => void;
}

/**
 * `waiting`: another instance with the same storage takes part (another tab). `connecting`: no contact with the
 * server yet, or not now. `online`: a live connection. `polling`: contact over HTTP only. The others say it themselves.
 */
export type DeviceStatus =
  'stopped' | 'waiting' | 'connecting' | 'online' | 'polling' | 'training' | 'uploading';

type Contact = Exclude<DeviceStatus, 'training' | 'uploading'>;
type Activity = Exclude<DeviceStatus, Contact>;

/** What a device tells its app. */
export interface DeviceEvents {
  status: DeviceStatus;
  /** The device has a new assignment, or the state of its assignment changed. */
  assignment: Assignment;
  /** The server acknowledged an update: it will not be lost. */
  contributed: {
    readonly taskId: string;
    readonly roundNumber: number;
    readonly kind: Assignment['work']['kind'];
  };
  /** Something went wrong. The device goes on by itself, except after `device-revoked` and `enrolment-refused`. */
  error: Error;
}

/**
 * A device that takes part in federated learning: it waits for assignments, trains on its own data away from the
 * app's thread, and hands in updates. Of its data nothing but the update file of an assignment is ever sent: no
 * examples, no predictions, no personal model.
 */
export class Device {
  readonly #options: DeviceOptions;
  readonly #requests: Requests;
  readonly #session: Session;
  readonly #blobs: BlobCache;
  readonly #loadSecure: SecureLoader;
  readonly #listeners: { [E in keyof DeviceEvents]: Set<(value: DeviceEvents[E]) => void> } = {
    status: new Set(),
    assignment: new Set(),
    contributed: new Set(),
    error: new Set(),
  };
  #contact: Contact = 'stopped';
  #activity: Activity | undefined;
  #status: DeviceStatus = 'stopped';
  #stopping = new AbortController();
  #running: Promise<void> | undefined;

  constructor(options: DeviceOptions) {
    const server = options.server.replace(/\/+$/, '');
    this.#options = { ...options, server };
    this.#requests = new Requests(options.host.http, server);
    const { enrolmentToken, labels = {} } = options;
    this.#session = new Session(options.host, this.#requests, { server, enrolmentToken, labels });
    this.#loadSecure = secureLoader(options.host);
    this.#blobs = new BlobCache(options.host.storage, async (digest, signal) => {
      const answer = await this.#session.send({ path: `/v1/blobs/${digest}`, method: 'GET', signal });
      return answer.body;
    });
  }

  get state(): DeviceStatus {
    return this.#status;
  }

  /** The id under which the server knows the device; `undefined` before it has enrolled. */
  get deviceId(): string | undefined {
    return this.#session.deviceId;
  }

  /** Bytes of HTTP bodies since the device was created. */
  get usage(): { readonly bytesUp: number; readonly bytesDown: number } {
    return { ...this.#requests.usage };
  }

  /** Listens to one kind of event; the function that is returned ends it. */
  on<E extends keyof DeviceEvents>(event: E, listener: (value: DeviceEvents[E]) => void): () => void {
    this.#listeners[event].add(listener);
    return () => {
      this.#listeners[event].delete(listener);
    };
  }

  /** Starts taking part. Resolves at once: what follows is told by events. */
  start(): Promise<void> {
    if (this.#running) return Promise.resolve();
    this.#stopping = new AbortController();
    const { signal } = this.#stopping;
    this.#running = this.#run(signal)
      .catch((error: unknown) => {
        if (!signal.aborted) this.#report(error);
      })
      .finally(() => {
        this.#running = undefined;
        this.#activity = undefined;
        this.#setContact('stopped');
      });
    return Promise.resolve();
  }

  /**
   * Stops: training is given up, connections are closed. An assignment under way stays the device's own: started again
   * in time, it goes on where it was, and an update that was finished is sent again byte for byte.
   */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    await this.#options.host.trainer.close();
  }

  /**
   * The task's current model, adapted to this device's data (or to `examples`) as the plan says. Works whether or not
   * the device is started. Throws DeviceError `no-examples`, `offline`; WorkError `examples-mismatch`; ProblemError
   * `not-found`.
   */
  async personalise(taskId: string, examples?: Examples): Promise<PersonalModel> {
    const own = examples ?? (await this.#options.examples(taskId));
    const { trainer } = this.#options.host;
    return personalModel({ session: this.#session, blobs: this.#blobs, trainer }, taskId, own);
  }

  /**
   * What this device computes with: backends with their passports and times, the one that is used, and the memory that
   * could be had. Measured in the training worker the first time, some tens of milliseconds; remembered after.
   */
  capabilities(): Promise<Capabilities> {
    return capabilitiesOf(this.#options.host);
  }

  async #run(signal: AbortSignal): Promise<void> {
    this.#setContact('waiting');
    await this.#options.host.exclusively(() => this.#takePart(signal), signal);
  }

  /** Two loops until stopped: one stays in touch with the server, one does the work that comes. */
  async #takePart(stopping: AbortSignal): Promise<void> {
    const { host, server } = this.#options;
    const halt = new AbortController();
    const stop = () => {
      halt.abort();
    };
    stopping.addEventListener('abort', stop, { once: true });
    if (stopping.aborted) stop();
    const inbox = new Inbox((assignment) => {
      this.#log(`assignment ${assignment.id} (${assignment.work.kind}): ${assignment.state}`);
      this.#emit('assignment', assignment);
    });
    const keptUpdate = new KeptBytes<AssignmentId>(host.storage, 'update');
    const keptGroup = new KeptBytes<GroupId>(host.storage, 'group');
    const line = new Line(
      host.channel,
      server,
      (assignment) => {
        inbox.hear(assignment);
      },
      () => {
        inbox.bell.ring();
      },
    );
    const onError = (error: unknown) => {
      this.#report(error);
    };
    const parts = { host, session: this.#session, line, inbox, onError };
    const touch = stayInTouch(
      {
        ...parts,
        onStatus: (status) => {
          this.#setContact(status);
        },
        onIdle: async () => {
          await keptUpdate.forget();
          await keptGroup.forget();
        },
      },
      halt.signal,
    );
    const participation = {
      ...parts,
      blobs: this.#blobs,
      keptUpdate,
      keptGroup,
      logbook: new Logbook(host),
      loadSecure: this.#loadSecure,
      secure: this.#options.secure ?? {},
      examples: this.#options.examples,
      onActivity: (activity: Activity | undefined) => {
        this.#activity = activity;
        this.#refresh();
      },
      onContributed: ({ taskId, roundNumber, work }: Assignment) => {
        this.#emit('contributed', { taskId, roundNumber, kind: work.kind });
      },
    };
    const work = (async () => {
      while (!halt.signal.aborted) {
        const assignment = inbox.take();
        if (assignment) {
          await new Participation(participation, halt.signal).run(assignment);
          inbox.release();
        } else await inbox.bell.wait(untilRungMs, host.clock, halt.signal);
      }
    })();
    try {
      await Promise.race([touch, work]);
    } finally {
      halt.abort();
      await Promise.allSettled([touch, work]);
      stopping.removeEventListener('abort', stop);
    }
  }

  #setContact(contact: Contact): void {
    this.#contact = contact;
    this.#refresh();
  }

  #refresh(): void {
    const status = this.#contact === 'stopped' ? 'stopped' : (this.#activity ?? this.#contact);
    if (status === this.#status) return;
    this.#status = status;
    this.#log(status);
    this.#emit('status', status);
  }

  #report(error: unknown): void {
    const known = error instanceof Error ? error : new Error(String(error));
    this.#log(`${known.name}: ${known.message}`);
    this.#emit('error', known);
  }

  #log(line: string): void {
    this.#options.log?.(line);
  }

  #emit<E extends keyof DeviceEvents>(event: E, value: DeviceEvents[E]): void {
    for (const listener of this.#listeners[event]) {
      // In a turn of its own: what a listener throws is the app's uncaught error, and stops nothing here.
      void Promise.resolve().then(() => {
        listener(value);
      });
    }
  }
}

/**
 * Makes a device. It does nothing until it is started.
 * @example
 * const device = createDevice({ server, enrolmentToken, examples: async () => ({ x, y, count }), host: browserHost() });
 * await device.start();
 */
export function createDevice(options: DeviceOptions): Device {
  return new Device(options);
}
