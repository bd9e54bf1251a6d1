import type { Assignment, ControlMessage } from '@starling/protocol';
import { Bell } from './bell.ts';
import { DeviceError, refusalOf } from './errors.ts';
import type { Channel, ChannelFactory, DelayWindow } from './ports.ts';

/** The live connection to the server, while there is one. */
export class Line {
  /** Rings when the connection is gone. */
  readonly bell = new Bell();
  readonly #open: ChannelFactory;
  readonly #server: string;
  readonly #hear: (assignment: Assignment) => void;
  readonly #onMail: () => void;
  #channel: Channel | undefined;
  #token: string | undefined;
  #returnWindow: DelayWindow | undefined;

  constructor(
    open: ChannelFactory,
    server: string,
    hear: (assignment: Assignment) => void,
    onMail: () => void,
  ) {
    this.#open = open;
    this.#server = server;
    this.#hear = hear;
    this.#onMail = onMail;
  }

  isOpen(): boolean {
    return this.#token !== undefined;
  }

  /** The token that the connection was opened with; `undefined` without a connection. */
  get token(): string | undefined {
    return this.#token;
  }

  /** Resolves once connected. Rejects with the server's refusal (ProblemError, DeviceError) or DeviceError `offline`. */
  open(token: string, signal: AbortSignal): Promise<void> {
    this.close();
    return new Promise((resolve, reject) => {
      const channel = this.#open(this.#server, token, {
        open: () => {
          signal.removeEventListener('abort', giveUp);
          this.#token = token;
          resolve();
        },
        closed: (problem) => {
          signal.removeEventListener('abort', giveUp);
          if (this.#channel === channel) this.#forget();
          reject(problem === undefined ? offline() : refusalOf(problem, 0));
        },
        assignment: this.#hear,
        group: this.#onMail,
        leaving: (window) => {
          this.#returnWindow = window;
        },
      });
      this.#channel = channel;
      const giveUp = () => {
        this.close();
        reject(offline());
      };
      signal.addEventListener('abort', giveUp, { once: true });
    });
  }

  /** Says something of an assignment. Resolves with where it then stands; rejects with ProblemError, or `offline`. */
  async control(id: Assignment['id'], message: ControlMessage): Promise<Assignment> {
    if (!this.#channel || this.#token === undefined) throw offline();
    let answer: unknown;
    try {
      answer = await this.#channel.control(id, message);
    } catch (error) {
      throw offline(error);
    }
    if (typeof answer === 'object' && answer !== null) {
      if ('assignment' in answer) return answer.assignment as Assignment; // as the server's schema says
      if ('problem' in answer) throw refusalOf(answer.problem, 0);
    }
    throw new DeviceError(
      'answer-malformed',
      'The server acknowledged a control message with something else.',
    );
  }

  /** When the server that ended the connection wants the device back; asked once. */
  takeReturnWindow(): DelayWindow | undefined {
    const window = this.#returnWindow;
    this.#returnWindow = undefined;
    return window;
  }

  close(): void {
    this.#channel?.close();
    this.#forget();
  }

  #forget(): void {
    this.#channel = undefined;
    this.#token = undefined;
    this.bell.ring();
  }
}

function offline(cause?: unknown): DeviceError {
  return new DeviceError(
    'offline',
    'There is no live connection to the server. The device tries again by itself.',
    {
      cause,
    },
  );
}
