import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ArmedOptions, ArmedReport, ArmOrder } from './armed-server.ts';

const program = fileURLToPath(new URL('armed-server.js', import.meta.url));

/** A server in a process of its own that can be told where to end itself, and be started again on what it left. */
export class MortalServer {
  readonly #options: ArmedOptions;
  #child: ChildProcess | undefined;
  #ended: Promise<NodeJS.Signals | number | null> = Promise.resolve(null);
  #port = 0;
  url = '';
  firstKey: string | undefined;

  constructor(options: ArmedOptions) {
    this.#options = options;
  }

  /** Starts it; again on the same port. */
  async start(changes: Partial<ArmedOptions> = {}): Promise<void> {
    const options = { ...this.#options, ...changes, port: this.#port };
    const child = fork(program, [JSON.stringify(options)], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    this.#child = child;
    this.#ended = once(child, 'exit').then(() => child.signalCode ?? child.exitCode);
    const report = await this.#report(child);
    if (report.kind !== 'serves') throw new TypeError('A server says first that it serves.');
    this.url = report.url;
    this.firstKey ??= report.firstKey;
    this.#port = Number(new URL(report.url).port);
  }

  /** Lets it end itself at `point`, or `point:n`, the n-th time that it passes. */
  async arm(point: string): Promise<void> {
    if (!this.#child) throw new TypeError('A server that runs can be armed.');
    const armed = this.#report(this.#child);
    this.#child.send({ arm: point } satisfies ArmOrder);
    await armed;
  }

  get running(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** How the process that runs now ends, or how the last one ended. */
  ended(): Promise<NodeJS.Signals | number | null> {
    return this.#ended;
  }

  async kill(): Promise<void> {
    this.#child?.kill('SIGKILL');
    await this.#ended;
  }

  async #report(child: ChildProcess): Promise<ArmedReport> {
    let output = '';
    child.stderr?.on('data', (chunk: Buffer) => (output += chunk.toString()));
    return new Promise((resolve, reject) => {
      const onExit = () => {
        reject(new Error(`The server ended: ${output}`));
      };
      child.once('exit', onExit);
      child.once('message', (message: ArmedReport) => {
        child.off('exit', onExit);
        resolve(message);
      });
    });
  }
}
