/** Ray's Jobs API (Ray 2.x, dashboard port): the part that starts, follows and ends a program. */
import { createHash } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import { BackendUnavailable, type JobDevice, type Machine } from '../backend.ts';

export interface RayAddress {
  /** The dashboard's base URL, e.g. https://ray.example:8265 */
  readonly url: string;
  /** Bearer token (RAY_AUTH_MODE=token). Without one the Jobs API runs anyone's programs. */
  readonly token?: string;
}

export type RayJobState = 'PENDING' | 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'STOPPED';

export interface RayJob {
  readonly status: RayJobState;
  readonly message: string | null;
  readonly driver_exit_code: number | null;
}

export interface RaySubmission {
  readonly submission_id: string;
  readonly entrypoint: string;
  readonly entrypoint_num_cpus: number;
  readonly entrypoint_num_gpus?: number;
  readonly entrypoint_resources?: Readonly<Record<string, number>>;
  readonly runtime_env: {
    readonly working_dir: string;
    readonly env_vars?: Readonly<Record<string, string>>;
  };
}

export interface RayNode {
  readonly state: 'ALIVE' | 'DEAD';
  readonly resources_total: Readonly<Record<string, number>>;
}

const timeoutMs = 30_000;
const maxAnswerBytes = 64 * 2 ** 20;

/**
 * A client over `node:http`: Ray takes the headers that `fetch` adds for a browser's, and answers 405 to every request
 * that changes something.
 */
export class RayJobs {
  readonly #address: RayAddress;
  readonly #agent: http.Agent;

  constructor(address: RayAddress) {
    this.#address = address;
    this.#agent = new (address.url.startsWith('https:') ? https : http).Agent({ keepAlive: true });
  }

  close(): void {
    this.#agent.destroy();
  }

  async version(): Promise<string> {
    const { ray_version: version } = await this.#json<{ ray_version: string }>('GET', '/api/version');
    return version;
  }

  /**
   * The living nodes. (The cluster's load report, which counts resources too, is empty for the first seconds of a head's
   * life.) @throws BackendUnavailable also while there is no node.
   */
  async nodes(): Promise<readonly RayNode[]> {
    const answer = await this.#json<{ data: { result: { result: readonly RayNode[] } } }>(
      'GET',
      '/api/v0/nodes?detail=1',
    );
    const alive = answer.data.result.result.filter(({ state }) => state === 'ALIVE');
    if (alive.length === 0) throw new BackendUnavailable('The Ray cluster has no living node (yet).');
    return alive;
  }

  /** Uploads a package (a ZIP file) unless the head has it. Returns its URI for `runtime_env.working_dir`. */
  async upload(zip: Uint8Array): Promise<string> {
    const name = `_ray_pkg_${createHash('sha256').update(zip).digest('hex').slice(0, 32)}.zip`;
    const path = `/api/packages/gcs/${name}`;
    const { status } = await this.#request('GET', path);
    if (status === 404) await this.#json('PUT', path, zip, 'application/octet-stream');
    return `gcs://${name}`;
  }

  /** `undefined` for a job that the head does not know (any more). */
  async job(id: string): Promise<RayJob | undefined> {
    const answer = await this.#request('GET', `/api/jobs/${id}`);
    return answer.status === 404 ? undefined : (read(answer) as RayJob);
  }

  async submit(submission: RaySubmission): Promise<void> {
    await this.#json('POST', '/api/jobs/', Buffer.from(JSON.stringify(submission)), 'application/json');
  }

  /** All that a job has written so far, without Ray's own words. */
  async logs(id: string): Promise<string> {
    const answer = await this.#request('GET', `/api/jobs/${id}/logs`);
    if (answer.status === 404) return '';
    return ownWords(id, (read(answer) as { logs: string | null }).logs ?? '');
  }

  /** Asks for a job's end. Ray answers so, but does nothing, while the job is pending. */
  async stop(id: string): Promise<void> {
    await this.#request('POST', `/api/jobs/${id}/stop`);
  }

  async #json<T>(method: string, path: string, body?: Uint8Array, type?: string): Promise<T> {
    return read(await this.#request(method, path, body, type)) as T;
  }

  #request(method: string, path: string, body?: Uint8Array, type?: string): Promise<Answer> {
    const { url, token } = this.#address;
    const target = new URL(path, url);
    return new Promise((resolve, reject) => {
      const unavailable = (error: Error) => {
        reject(new BackendUnavailable(`Ray at ${target.origin} does not answer (${error.message}).`));
      };
      const request = (target.protocol === 'https:' ? https : http).request(
        target,
        {
          method,
          agent: this.#agent,
          timeout: timeoutMs,
          headers: {
            ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
            ...(body ? { 'content-length': body.length, 'content-type': type } : {}),
          },
        },
        (response) => {
          const chunks: Buffer[] = [];
          let bytes = 0;
          response.on('data', (chunk: Buffer) => {
            bytes += chunk.length;
            if (bytes > maxAnswerBytes)
              response.destroy(new Error(`an answer above ${maxAnswerBytes} bytes`));
            else chunks.push(chunk);
          });
          response.once('error', unavailable);
          response.once('end', () => {
            resolve({
              method,
              path,
              status: response.statusCode ?? 0,
              text: Buffer.concat(chunks).toString(),
            });
          });
        },
      );
      request.once('timeout', () => request.destroy(new Error(`nothing for ${timeoutMs / 1000} s`)));
      request.once('error', unavailable);
      request.end(body);
    });
  }
}

/** The cluster wants another token, or one at all. */
export class TokenRefused extends BackendUnavailable {}

/** A node's resources, of those that we place by. */
export function machineOf({ resources_total: { CPU = 0, GPU = 0, NPU = 0 } }: RayNode): Machine {
  return { cpu: CPU, gpu: GPU, npu: NPU };
}

/** A job's need of devices, in Ray's words. */
export function placement(device: JobDevice, devices: number): Partial<RaySubmission> {
  if (devices === 0 || device === 'cpu') return {};
  return device === 'gpu' ? { entrypoint_num_gpus: devices } : { entrypoint_resources: { NPU: devices } };
}

/**
 * What a job itself has written: Ray's first line says that the environment is being set up; another repeats the command,
 * and it may come after what the job wrote first.
 */
function ownWords(id: string, log: string): string {
  return log
    .replace(/^\d{4}-\d\d-\d\d [\d:,]+\tINFO job_manager\.py:\d+ -- .*(?:\n|$)/, '')
    .replace(new RegExp(`^Running entrypoint for job ${id}: .*(?:\\n|$)`, 'm'), '');
}

interface Answer {
  method: string;
  path: string;
  status: number;
  text: string;
}

function read({ method, path, status, text }: Answer): unknown {
  if (status === 401 || status === 403)
    throw new TokenRefused(
      `Ray refused the token (${status}). Give the one that the cluster was started with.`,
    );
  if (status >= 300)
    throw new BackendUnavailable(`Ray answered ${status} to ${method} ${path}: ${text.slice(0, 300)}`);
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw new BackendUnavailable(
      `Ray answered ${method} ${path} with something else than JSON. Is this its dashboard?`,
    );
  }
}
