/**
 * A stand-in for a Ray head, for tests: its Jobs API as Ray 2.60 was seen to behave, its traps included. Entrypoints are
 * not given to a shell: of `… --config FILE`, FILE is run by the program that tests use.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { JobDevice } from '../backend.ts';
import type { NodeMachine } from '../ray/machines.ts';
import type { RayJob, RayNode, RaySubmission } from '../ray/ray-jobs.ts';

type HeadJob = { -readonly [K in keyof RayJob]: RayJob[K] } & {
  log: string;
  child?: ChildProcess;
  submission: RaySubmission;
};

export class RayHead {
  readonly token = 'a-token-of-this-cluster';
  url = '';
  /** While true, jobs wait: as when other jobs hold what they need. */
  busy = false;
  /** Whether it gives the logs of jobs. */
  hasLogs = true;
  /** Whether it takes whoever comes. */
  open = false;
  nodes: RayNode[] = [
    { state: 'ALIVE', resources_total: { CPU: 3, NPU: 2, memory: 1e9 } },
    { state: 'ALIVE', resources_total: { CPU: 1, memory: 1e9 } },
    { state: 'DEAD', resources_total: { GPU: 8 } },
  ];
  /** What `python -m starling_cluster.doctor` prints on a machine with such a device; none, where it fails. */
  examinations: Partial<Record<JobDevice, object>> = {};
  /** What `python -m starling_cluster.machines` prints. */
  machines: readonly NodeMachine[] = [{ machine: 'head', node: '20.20.0' }];
  readonly submissions: RaySubmission[] = [];
  readonly packages = new Map<string, Buffer>();
  readonly #jobs = new Map<string, HeadJob>();
  readonly #program: string;
  #server: Server | undefined;

  constructor(program: string) {
    this.#program = program;
  }

  async start(): Promise<void> {
    const server = createServer((request, response) => {
      void this.#answer(request).then(({ status, body }) => {
        response.writeHead(status, { 'content-type': 'application/json' });
        response.end(typeof body === 'string' ? body : JSON.stringify(body));
      });
    });
    this.#server = server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  /** As a head that was killed and started again: it has forgotten its jobs. */
  forget(): void {
    for (const { child } of this.#jobs.values()) child?.kill('SIGKILL');
    this.#jobs.clear();
  }

  /** Lets jobs that wait begin. */
  release(): void {
    this.busy = false;
    for (const id of this.#jobs.keys()) this.#begin(id);
  }

  async stop(): Promise<void> {
    this.forget();
    this.#server?.closeAllConnections();
    await new Promise((resolve) => this.#server?.close(resolve));
  }

  async #answer(request: IncomingMessage): Promise<{ status: number; body: unknown }> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const bytes = Buffer.concat(chunks);
    const { method, url = '', headers } = request;
    if (!this.open && headers.authorization === undefined) return { status: 401, body: 'Unauthorized' };
    if (!this.open && headers.authorization !== `Bearer ${this.token}`)
      return { status: 403, body: 'Forbidden' };
    if (method !== 'GET' && headers['sec-fetch-mode'] !== undefined)
      return { status: 405, body: 'Method not allowed for browser traffic.' };
    if (url === '/api/version') return { status: 200, body: { ray_version: '2.60.0' } };
    if (url === '/api/v0/nodes?detail=1')
      return { status: 200, body: { data: { result: { result: this.nodes } } } };
    if (url.startsWith('/api/packages/gcs/')) {
      if (method === 'PUT') this.packages.set(url, bytes);
      return { status: this.packages.has(url) ? 200 : 404, body: {} };
    }
    if (url === '/api/jobs/' && method === 'POST')
      return this.#submit(JSON.parse(bytes.toString()) as RaySubmission);
    const [, id = '', rest = ''] = /^\/api\/jobs\/([^/]+)(\/\w+)?$/.exec(url) ?? [];
    const job = this.#jobs.get(id);
    if (!job) return { status: 404, body: `Job ${id} does not exist` };
    if (rest === '/logs' && !this.hasLogs) return { status: 500, body: 'Traceback …: the log is gone' };
    if (rest === '/logs') return { status: 200, body: { logs: job.log } };
    if (rest === '/stop') {
      if (job.status === 'RUNNING') {
        job.status = 'STOPPED';
        job.child?.kill('SIGKILL');
      }
      return { status: 200, body: { stopped: true } }; // also of a pending one, which stays as it is
    }
    const { status, message, driver_exit_code } = job;
    return { status: 200, body: { status, message, driver_exit_code } };
  }

  #submit(submission: RaySubmission): { status: number; body: unknown } {
    const id = submission.submission_id;
    if (this.#jobs.has(id))
      return { status: 500, body: `Traceback (most recent call last): … Job ${id} exists` };
    this.submissions.push(submission);
    this.#jobs.set(id, { status: 'PENDING', message: null, driver_exit_code: null, log: '', submission });
    if (!this.busy) this.#begin(id);
    return { status: 200, body: { submission_id: id } };
  }

  #begin(id: string): void {
    const job = this.#jobs.get(id);
    if (job?.status !== 'PENDING') return;
    if (job.submission.entrypoint.includes('starling_cluster.doctor')) {
      this.#examine(job);
      return;
    }
    if (job.submission.entrypoint.includes('starling_cluster.machines')) {
      job.status = 'SUCCEEDED';
      job.log = `${JSON.stringify({ machines: this.machines })}\n`;
      return;
    }
    const config = /--config (\S+)$/.exec(job.submission.entrypoint)?.[1] ?? '';
    const child = spawn(process.execPath, [this.#program, '--config', config]);
    job.log += '2026-11-22 00:17:32,447\tINFO job_manager.py:581 -- Runtime env is setting up.\n';
    child.stdout.once('data', () => {
      job.log += `Running entrypoint for job ${id}: ${job.submission.entrypoint}\n`; // late, as it may be
    });
    child.stdout.prependListener('data', (chunk: Buffer) => (job.log += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (job.log += chunk.toString()));
    job.child = child;
    job.status = 'RUNNING';
    child.once('close', (code) => {
      if (job.status !== 'RUNNING') return;
      job.status = code === 0 ? 'SUCCEEDED' : 'FAILED';
      job.driver_exit_code = code;
      job.message = code === 0 ? null : 'Job entrypoint command failed';
    });
  }

  #examine(job: HeadJob): void {
    const { entrypoint_num_gpus: gpus, entrypoint_resources: resources } = job.submission;
    const found = this.examinations[gpus === undefined ? (resources ? 'npu' : 'cpu') : 'gpu'];
    job.status = found ? 'SUCCEEDED' : 'FAILED';
    job.log = found
      ? `${JSON.stringify({ doctor: found })}\n`
      : 'python: No module named starling_cluster.doctor\n';
  }
}
