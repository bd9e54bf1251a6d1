import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Reply, Request } from './serve.ts';

/** How to start a contender. */
export interface Contender {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** A contender could not do what it was asked. */
export class ContenderFailed extends Error {
  override readonly name = 'ContenderFailed';
}

/** What comes back for each command. */
interface Replies {
  load: Extract<Reply, { losses: unknown }>;
  run: Extract<Reply, { stepsMs: unknown }>;
  digest: Extract<Reply, { sha256: unknown }>;
}

/** No load or round of ours takes as long. */
const limitMs = 300_000;

/** One contender in a process of its own, which answers one request at a time. */
export class ContenderProcess {
  readonly #name: string;
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor({ name, command, args, env }: Contender) {
    this.#name = name;
    const child = spawn(command, args, {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, ...env },
    });
    const ended = () => undefined; // the lines end too, and there it is told
    child.on('error', ended);
    child.stdin.on('error', ended);
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  /** @throws ContenderFailed When it answers with an error, ends, or takes longer than five minutes. */
  async ask<Command extends Request['command']>(
    request: Extract<Request, { command: Command }>,
  ): Promise<Replies[Command]> {
    const limit = setTimeout(() => {
      this.stop();
    }, limitMs);
    this.#child.stdin?.write(`${JSON.stringify(request)}\n`);
    const line = await this.#lines.next();
    clearTimeout(limit);
    if (line.done)
      throw new ContenderFailed(
        `${this.#name} ended, or took too long, before it had answered "${request.command}".`,
      );
    const reply = JSON.parse(line.value) as Reply; // a process of ours wrote it
    if ('error' in reply) throw new ContenderFailed(`${this.#name}: ${reply.error}`);
    return reply as Replies[Command]; // no error, so the answer to the command
  }

  stop(): void {
    this.#child.kill('SIGKILL');
  }
}
