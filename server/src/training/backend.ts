import type { CloudWork } from '@starling/protocol';

/**
 * Where training in the cloud runs. A job is a program that reads one file, `job.json`, in a directory of its own and
 * leaves its results there (docs/cloud.md); a backend starts the program somewhere, follows it and ends it. The
 * server's database is the record of jobs: a backend may forget all it knows, and says `lost` of what it forgot.
 */
export type JobDevice = 'cpu' | 'gpu' | 'npu';
export type JobKind = CloudWork['kind'];
export type JobFramework = 'embedded' | 'torch' | 'mindspore';

/** What a backend needs to start a job. What the job does is in its directory. */
export interface JobOrder {
  readonly id: string;
  readonly kind: JobKind;
  /** Absolute path; holds `job.json`. The machine that runs the job sees it under the same path. */
  readonly directory: string;
  readonly framework: JobFramework;
  readonly device: JobDevice;
  readonly workers: number;
  /** What each worker needs: processor cores, and devices when `device` is not `cpu`. */
  readonly perWorker: { readonly cpus: number; readonly devices: number };
  /** A job that runs longer, in seconds, is ended. */
  readonly wallSeconds: number;
}

export interface JobStatus {
  readonly state: 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled' | 'lost';
  /** Exit status of the program, once it ended by itself. */
  readonly exit?: number;
  /** Why it failed, in words. */
  readonly message?: string;
}

/** What a machine has in all: processor cores, and devices. */
export type Machine = Readonly<Record<JobDevice, number>>;

/** What a backend can run: frameworks it has a program for, and the machines of which one has to hold a whole job. */
export interface Capabilities {
  readonly frameworks: readonly JobFramework[];
  readonly machines: readonly Machine[];
  readonly maxWorkers: number;
}

/** A part of a job's output. `next` is the offset, in UTF-16 code units, to ask for the part that follows. */
export interface LogPart {
  readonly text: string;
  readonly next: number;
}

/** What follows an offset of all that a job has written so far. */
export function partOf(output: string, from: number): LogPart {
  return { text: output.slice(from), next: Math.max(from, output.length) };
}

/** How a job ends that was asked to. */
export const cancelled = { state: 'cancelled', message: 'It was cancelled.' } as const satisfies JobStatus;

/** How a job ends that takes longer than it may. */
export function overLimit({ wallSeconds }: JobOrder) {
  return { state: 'failed', message: `It ran longer than ${wallSeconds} s.` } as const satisfies JobStatus;
}

export interface TrainingBackend {
  readonly name: string;
  /** @throws BackendUnavailable */
  capabilities(): Promise<Capabilities>;
  /** @throws NotFeasible For a job that it will never be able to run; BackendUnavailable */
  assertFeasible(order: JobOrder): Promise<void>;
  /** Starts a job, or does nothing when one of this id was started. @throws NotFeasible, BackendUnavailable */
  submit(order: JobOrder): Promise<void>;
  /** @throws BackendUnavailable */
  status(id: string): Promise<JobStatus>;
  /** @throws BackendUnavailable */
  logs(id: string, from: number): Promise<LogPart>;
  /** Ends a job, also one that waits. Does nothing to one that has ended. @throws BackendUnavailable */
  cancel(id: string): Promise<void>;
  /** Ends what this process runs itself, and its connections. */
  close(): Promise<void>;
}

/** The backend will never be able to run this job as it is asked for. */
export class NotFeasible extends Error {
  override readonly name = 'NotFeasible';
  readonly code = 'job-not-feasible';
}

/** The backend did not answer, or not as it should. Later it may. */
export class BackendUnavailable extends Error {
  override readonly name = 'BackendUnavailable';
  readonly code = 'backend-unavailable';
}

/** @throws NotFeasible When a job asks for what a backend of these capabilities has not. */
export function assertFeasible(order: JobOrder, { frameworks, machines, maxWorkers }: Capabilities): void {
  const { kind, framework, device, workers, perWorker } = order;
  if (!frameworks.includes(framework))
    throw new NotFeasible(
      `There is no program for ${framework}; there is one for ${frameworks.join(', ') || 'nothing'}.`,
    );
  if (framework === 'embedded' && (device !== 'cpu' || (workers > 1 && kind !== 'simulate')))
    throw new NotFeasible(
      'Our own engine runs on processors, and takes more than one worker for simulations alone; torch and mindspore take more.',
    );
  if (workers > maxWorkers)
    throw new NotFeasible(`${workers} workers were asked for; at most ${maxWorkers} can run at once.`);
  const needs: Partial<Machine> = { [device]: workers * perWorker.devices, cpu: workers * perWorker.cpus };
  const wanted = Object.entries(needs) as [JobDevice, number][];
  if (machines.some((machine) => wanted.every(([kind, count]) => count <= machine[kind]))) return;
  const largest = wanted.map(([kind]) => `${Math.max(...machines.map((machine) => machine[kind]))} ${kind}`);
  throw new NotFeasible(
    `${wanted.map(([kind, count]) => `${count} ${kind}`).join(' and ')} were asked for on one machine (${workers} workers); ` +
      `the machines have at most ${largest.join(' and ')}, and none has all that is asked for.`,
  );
}
