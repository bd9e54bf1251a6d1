import { constants } from 'node:fs';
import { mkdir, open, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { canonicalJson, digestTensors, readWeights, tensorsOf, type TensorTable } from '@starling/protocol';
import type { JobOrder } from './backend.ts';

/** What a job's program is asked to do, as `job.json` says it (docs/cloud.md). */
export interface JobWork {
  readonly kind: 'warm-start' | 'distil' | 'evaluate' | 'simulate';
  /** A fedpack directory that the machine of the job can read. */
  readonly data: string;
  /** People of the pack; all of them for null. */
  readonly users: readonly string[] | null;
  readonly seed: number;
  /** Algorithm, steps, rates: the words of a plan. */
  readonly training: unknown;
  /** For a simulation: what steps in the cloud of its plan learn from, by name. */
  readonly dataSets?: Readonly<Record<string, string>>;
}

/** A model with its weights, a safetensors file. */
export interface Trained {
  readonly model: unknown;
  readonly weights: Uint8Array;
}

/** What a job may leave behind: the bytes are those that were checked. */
export interface JobResult {
  readonly weights?: { readonly file: Uint8Array; readonly values: Float32Array; readonly digest: string };
  readonly metrics: Readonly<Record<string, unknown>>;
}

/** A job said that it succeeded, but what it left cannot be used. Nothing of it is. */
export class JobResultRefused extends Error {
  override readonly name = 'JobResultRefused';
  readonly code = 'job-result-refused';
}

const files = {
  job: 'job.json',
  model: 'model.json',
  weightsIn: 'weights-in.safetensors',
  weightsOut: 'weights-out.safetensors',
  teacherModel: 'teacher.json',
  teacherWeights: 'teacher.safetensors',
  metrics: 'metrics.json',
  checkpoints: 'checkpoints',
} as const;

/** A program that finds this in its job's directory does not begin. */
export const cancelledFile = 'cancelled';

const maxMetricsBytes = 4 * 2 ** 20;
/** Of a safetensors file, what may stand before the values. */
const maxHeaderBytes = 2 ** 20;

/**
 * Writes what a job's program reads. The directory is named by the job, and nothing that a tenant wrote is in its path.
 * Written again, it is the same; what an earlier attempt left as checkpoints stays.
 */
export async function prepareJob(
  order: JobOrder,
  work: JobWork,
  model: unknown,
  weights: Uint8Array | undefined,
  teacher?: Trained,
): Promise<void> {
  const { directory, id, framework, device, workers, perWorker, wallSeconds } = order;
  const at = (name: keyof typeof files) => join(directory, files[name]);
  await mkdir(at('checkpoints'), { recursive: true });
  await rm(at('weightsOut'), { force: true });
  await rm(at('metrics'), { force: true });
  await rm(join(directory, cancelledFile), { force: true });
  await writeFile(at('model'), canonicalJson(model));
  if (weights) await writeFile(at('weightsIn'), weights);
  if (teacher) {
    await writeFile(at('teacherModel'), canonicalJson(teacher.model));
    await writeFile(at('teacherWeights'), teacher.weights);
  }
  const job = {
    ...{ id, framework, device, workers, cpusPerWorker: perWorker.cpus, ...work },
    model: at('model'),
    weightsIn: weights ? at('weightsIn') : null,
    weightsOut: at('weightsOut'),
    metricsOut: at('metrics'),
    checkpoints: at('checkpoints'),
    ...(teacher && { teacher: { model: at('teacherModel'), weights: at('teacherWeights') } }),
    limits: { wallSeconds },
  };
  const draft = `${at('job')}.draft`;
  await writeFile(draft, JSON.stringify(job, null, 2));
  await rename(draft, at('job'));
}

/**
 * Reads what a job left, and checks it as if a stranger had sent it: names, shapes and sizes of the weights, every value
 * finite. @param table - The weights that the job had to leave, if any.
 * @throws JobResultRefused
 */
export async function readResult(directory: string, table: TensorTable | undefined): Promise<JobResult> {
  const metrics = await readMetrics(join(directory, files.metrics));
  if (!table) return { metrics };
  const file = await orRefused('its weights cannot be read', () =>
    readAtMost(join(directory, files.weightsOut), 4 * table.size + maxHeaderBytes),
  );
  const values = await orRefused('its weights are not those of the model', () => readWeights(table, file));
  return { metrics, weights: { file, values, digest: digestTensors(tensorsOf(table, values)) } };
}

async function readMetrics(path: string): Promise<Record<string, unknown>> {
  return orRefused('its metrics cannot be read', async () => {
    const value: unknown = JSON.parse((await readAtMost(path, maxMetricsBytes)).toString());
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new TypeError('not an object');
    return value as Record<string, unknown>;
  });
}

/** A file of its own, no link to another; nothing of one that is larger is read. */
async function readAtMost(path: string, maxBytes: number): Promise<Buffer> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stats = await file.stat();
    if (!stats.isFile()) throw new TypeError(`${path} is no regular file`);
    if (stats.size > maxBytes) throw new RangeError(`${stats.size} bytes; at most ${maxBytes} are read`);
    const bytes = Buffer.alloc(stats.size);
    const { bytesRead } = await file.read(bytes, 0, bytes.length, 0);
    return bytes.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

async function orRefused<T>(what: string, read: () => T | Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw new JobResultRefused(`The job succeeded, but ${what}: ${(error as Error).message}`);
  }
}

/** Why a program failed: the message of its last error line, or its last line. */
export function failureIn(output: string): string {
  const lines = output.trimEnd().split('\n');
  for (const line of lines.slice(-20).reverse()) {
    const said = errorLine(line);
    if (said !== undefined) return said;
  }
  return lines.at(-1)?.slice(0, 500) ?? '';
}

/** An error line is an object with a code and a message. */
function errorLine(line: string): string | undefined {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value !== 'object' || value === null || !('message' in value) || !('code' in value))
      return undefined;
    return `${String(value.code)}: ${String(value.message)}`.slice(0, 500);
  } catch {
    return undefined;
  }
}
