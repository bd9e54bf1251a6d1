import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { ProblemError } from '@starling/protocol';

const main = fileURLToPath(new URL('../../cli/dist/main.js', import.meta.url));

/** Linux counts processor time in hundredths for programs, whatever its own clock. */
const ticksASecond = 100;

/** A server as `npm start` runs it, in a process of its own, on a data directory of its own. */
export class ServerProcess {
  readonly url: string;
  readonly directory: string;
  readonly key: string;
  readonly #child: ChildProcess;

  /** On an empty directory, or on one that a server with this `key` left. */
  static async start(left?: { directory: string; key: string }): Promise<ServerProcess> {
    const directory = left?.directory ?? mkdtempSync(join(tmpdir(), 'starling-bench-'));
    const child = spawn(
      process.execPath,
      [main, 'serve', '--data-dir', directory, '--port', '0', '--log-level', 'error'],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    let url: string | undefined;
    let key = left?.key;
    for await (const line of createInterface({ input: child.stdout })) {
      url = /serves (http:\/\/[^ ]+)/.exec(line)?.[1] ?? url;
      key = /shown this once: (\S+)/.exec(line)?.[1] ?? key;
      if (url !== undefined && key !== undefined) return new ServerProcess(url, key, child, directory);
    }
    rmSync(directory, { recursive: true, force: true });
    throw new Error('The server ended before it served.');
  }

  private constructor(url: string, key: string, child: ChildProcess, directory: string) {
    this.url = url;
    this.key = key;
    this.#child = child;
    this.directory = directory;
  }

  async admin<T>(method: 'GET' | 'POST', path: string, body?: object): Promise<T> {
    const answer = await fetch(`${this.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.key}`,
        ...(body ? { 'content-type': 'application/json' } : {}),
      },
      body: body ? JSON.stringify(body) : null,
    });
    const value: unknown = await answer.json();
    if (!answer.ok) throw ProblemError.from(value, answer.status);
    return value as T; // the server is ours, and of this build
  }

  /** Resident bytes: now, and the most since {@link forgetPeak}. Linux only. */
  memory(): { now: number; peak: number } {
    const status = readFileSync(`/proc/${this.#child.pid!}/status`, 'utf8');
    const bytesOf = (name: string) => 1024 * Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1]);
    return { now: bytesOf('VmRSS'), peak: bytesOf('VmHWM') };
  }

  /** Seconds of processor time that all threads have taken so far. Linux only. */
  processorSeconds(): number {
    const stat = readFileSync(`/proc/${this.#child.pid!}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' '); // the name of the process may hold blanks
    return (Number(fields[11]) + Number(fields[12])) / ticksASecond;
  }

  forgetPeak(): void {
    writeFileSync(`/proc/${this.#child.pid!}/clear_refs`, '5');
  }

  /** Ends the process, and leaves its data: SIGTERM lets it end in order. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill(signal);
    await exited;
  }

  async stop(): Promise<void> {
    await this.end('SIGKILL'); // its data goes with it
    rmSync(this.directory, { recursive: true, force: true });
  }
}
