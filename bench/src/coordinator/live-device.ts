import { once } from 'node:events';
import { ProblemError, type Assignment, type Problem } from '@starling/protocol';
import { WebSocket } from 'ws';
import { HttpDevice } from '../http-device.ts';

/**
 * A device with a live connection, in plain engine.io 4 and socket.io 5 packets: ten thousand clients of socket.io
 * would be a bench of their own.
 */
export class LiveDevice extends HttpDevice {
  #socket: WebSocket | undefined;
  #asked = 0;
  readonly #answers = new Map<number, (answer: ControlAnswer) => void>();
  #hear: ((assignment: Assignment) => void) | undefined;
  #heard: Assignment | undefined;
  #hearLeaving: (() => void) | undefined;

  get isConnected(): boolean {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** Opens the connection; resolves when the server has let the device in. */
  async connect(): Promise<void> {
    const socket = new WebSocket(
      `${this.server.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`,
      { perMessageDeflate: false },
    );
    this.#socket = socket;
    this.#heard = undefined;
    let letIn!: () => void;
    let turnAway!: (error: Error) => void;
    const isIn = new Promise<void>((resolve, reject) => {
      letIn = resolve;
      turnAway = reject;
    });
    socket.on('error', turnAway);
    socket.on('close', () => {
      turnAway(new Error('The server closed the connection.'));
    });
    socket.on('message', (data) => {
      const packet = (data as Buffer).toString(); // the default type of binary messages
      if (packet.startsWith('0')) socket.send(`40/device,${JSON.stringify({ token: this.token })}`);
      else if (packet === '2') socket.send('3');
      else if (packet.startsWith('40/device,')) letIn();
      else if (packet.startsWith('44/device,')) turnAway(new Error(packet));
      else this.#take(packet);
    });
    await isIn;
  }

  /** The newest word of the server on this device's assignment that `is` what is waited for. */
  async assignment(is: (assignment: Assignment) => boolean): Promise<Assignment> {
    if (this.#heard && is(this.#heard)) return this.#heard;
    return new Promise((resolve) => {
      this.#hear = (assignment) => {
        if (is(assignment)) resolve(assignment);
      };
    });
  }

  /** Resolves when the server says, to all at once, that it leaves. */
  leaving(): Promise<void> {
    return new Promise((resolve) => {
      this.#hearLeaving = resolve;
    });
  }

  /** Says something of an assignment over the live connection. */
  async control(assignmentId: string, message: object): Promise<Assignment> {
    const number = this.#asked++;
    const answer = new Promise<ControlAnswer>((resolve) => this.#answers.set(number, resolve));
    this.#socket?.send(`42/device,${number}${JSON.stringify(['control', { assignmentId, message }])}`);
    const { assignment, problem } = await answer;
    if (!assignment) throw ProblemError.from(problem, problem?.status ?? 500);
    return assignment;
  }

  async disconnect(): Promise<void> {
    const socket = this.#socket;
    if (!socket || socket.readyState === WebSocket.CLOSED) return;
    const closed = once(socket, 'close');
    socket.terminate();
    await closed;
  }

  #take(packet: string): void {
    const answered = /^43\/device,(\d+)(.*)$/s.exec(packet);
    if (answered) {
      const [answer] = JSON.parse(answered[2]!) as [ControlAnswer]; // what the server acknowledges with
      this.#answers.get(Number(answered[1]))?.(answer);
      this.#answers.delete(Number(answered[1]));
      return;
    }
    if (!packet.startsWith('42/device,')) return;
    const [event, value] = JSON.parse(packet.slice('42/device,'.length)) as [string, Assignment];
    if (event === 'leaving') this.#hearLeaving?.();
    if (event !== 'assignment') return;
    this.#heard = value;
    this.#hear?.(value);
  }
}

interface ControlAnswer {
  assignment?: Assignment;
  problem?: Problem;
}
