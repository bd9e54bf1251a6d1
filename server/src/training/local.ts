import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { open, type FileHandle } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import {
  assertFeasible,
  cancelled,
  overLimit,
  partOf,
  type Capabilities,
  type JobFramework,
  type JobOrder,
  type JobStatus,
  type LogPart,
  type TrainingBackend,
} from './backend.ts';
import { failureIn } from './job-directory.ts';

export interface LocalBackendOptions {
  /** The program of each framework and its first arguments; `--config <file>` follows. */
  programs: Partial<Record<JobFramework, readonly string[]>>;
  /** Added to the environment of jobs, which otherwise get PATH, HOME and the language alone. */
  environment?: Readonly<Record<string, string>>;
  /** Jobs at once; the others wait in the order in which they came. */
  slots?: number;
}

interface LocalJob {
  readonly order: JobOrder;
  status: JobStatus;
  child?: ChildProcess;
  ended?: Promise<void>;
  /** Why it is being ended, when it is. */
  ending?: { state: 'cancelled' | 'failed'; message: string };
}

/** What a job has after SIGTERM to write a checkpoint. */
const graceMs = 5_000;

/** Runs jobs as processes beside the server: the backend that needs nothing. They end when this process does. */
export class LocalBackend implements TrainingBackend {
  readonly name = 'local';
  readonly #options: LocalBackendOptions;
  readonly #slots: number;
  readonly #jobs = new Map<string, LocalJob>();
  #closed = false;

  constructor(options: LocalBackendOptions) {
    this.#options = options;
    this.#slots = options.slots ?? 1;
  }

  capabilities(): Promise<Capabilities> {
    const cpus = availableParallelism();
    return Promise.resolve({
      frameworks: Object.keys(this.#options.programs) as JobFramework[],
      machines: [{ cpu: cpus, gpu: 0, npu: 0 }],
      maxWorkers: cpus,
    });
  }

  async assertFeasible(order: JobOrder): Promise<void> {
    assertFeasible(order, await this.capabilities());
  }

  async submit(order: JobOrder): Promise<void> {
    await this.assertFeasible(order);
    if (this.#jobs.has(order.id)) return;
    this.#jobs.set(order.id, { order, status: { state: 'queued' } });
    this.#startNext();
  }

  status(id: string): Promise<JobStatus> {
    return Promise.resolve(this.#jobs.get(id)?.status ?? { state: 'lost' });
  }

  async logs(id: string, from: number): Promise<LogPart> {
    const job = this.#jobs.get(id);
    return partOf(job ? await readOutput(job.order.directory, 'begin') : '', from);
  }

  async cancel(id: string): Promise<void> {
    const job = this.#jobs.get(id);
    if (job) await this.#end(job, cancelled);
  }

  async close(): Promise<void> {
    this.#closed = true;
    const ending = { state: 'cancelled', message: 'The server ended.' } as const;
    await Promise.all([...this.#jobs.values()].map((job) => this.#end(job, ending)));
  }

  #startNext(): void {
    const jobs = [...this.#jobs.values()];
    const running = jobs.filter(({ status }) => status.state === 'running').length;
    const next = jobs.find(({ status }) => status.state === 'queued');
    if (this.#closed || next === undefined || running >= this.#slots) return;
    next.status = { state: 'running' };
    next.ended = this.#run(next)
      .catch((error: unknown) => {
        next.status = { state: 'failed', message: `The program could not be started: ${String(error)}` };
      })
      .finally(() => {
        this.#startNext();
      });
    this.#startNext();
  }

  async #run(job: LocalJob): Promise<void> {
    const { directory, framework, wallSeconds } = job.order;
    const [program = '', ...first] = this.#options.programs[framework] ?? [];
    const output = await open(join(directory, outputFile), 'w');
    try {
      const { PATH, HOME, LANG } = process.env;
      const child = spawn(program, [...first, '--config', join(directory, 'job.json')], {
        cwd: directory,
        env: {
          ...Object.fromEntries(
            Object.entries({ PATH, HOME, LANG }).filter(([, value]) => value !== undefined),
          ),
          ...this.#options.environment,
        },
        detached: true, // a group of its own: its workers end with it
        stdio: ['pipe', output.fd, output.fd], // a job whose input ends has lost its parent
      });
      job.child = child;
      const exit = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
      const limit = setTimeout(() => {
        void this.#end(job, overLimit(job.order));
      }, wallSeconds * 1000);
      if (job.ending) signal(child, 'SIGTERM');
      const [code, by] = await exit.finally(() => {
        clearTimeout(limit);
      });
      job.status = job.ending ?? (await this.#outcome(job, code, by));
    } finally {
      await output.close();
    }
  }

  async #outcome(job: LocalJob, code: number | null, by: NodeJS.Signals | null): Promise<JobStatus> {
    if (code === null) return { state: 'failed', message: `It was ended by ${by ?? 'a signal'}.` };
    if (code === 0) return { state: 'succeeded', exit: 0 };
    return { state: 'failed', exit: code, message: failureIn(await readOutput(job.order.directory, 'end')) };
  }

  async #end(job: LocalJob, why: NonNullable<LocalJob['ending']>): Promise<void> {
    if (job.status.state === 'queued') job.status = why;
    if (job.status.state !== 'running') return;
    job.ending ??= why;
    const { child } = job;
    if (child) signal(child, 'SIGTERM');
    const force = setTimeout(() => {
      if (job.child) signal(job.child, 'SIGKILL');
    }, graceMs);
    await job.ended;
    clearTimeout(force);
  }
}

const outputFile = 'output.log';
/** Of a job's output, so much from its begin is ever given. */
const maxLogBytes = 16 * 2 ** 20;
/** Where the reason of a failure is looked for. */
const lastBytes = 65_536;

/** What a job has written: the begin of it, or its end. A character that is cut through at the end is left out. */
async function readOutput(directory: string, part: 'begin' | 'end'): Promise<string> {
  let file: FileHandle;
  try {
    file = await open(join(directory, outputFile));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
  try {
    const { size } = await file.stat();
    const from = part === 'begin' ? 0 : Math.max(0, size - lastBytes);
    const bytes = Buffer.alloc(Math.min(size, part === 'begin' ? maxLogBytes : lastBytes));
    const { bytesRead } = await file.read(bytes, 0, bytes.length, from);
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.subarray(0, bytesRead), {
      stream: true,
    });
  } finally {
    await file.close();
  }
}

/** Signals a job's whole process group; one that has just ended is no error. */
function signal({ pid }: ChildProcess, name: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
