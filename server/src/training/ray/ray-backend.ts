import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  assertFeasible,
  BackendUnavailable,
  cancelled,
  overLimit,
  partOf,
  NotFeasible,
  type Capabilities,
  type JobOrder,
  type JobStatus,
  type LogPart,
  type TrainingBackend,
} from '../backend.ts';
import { cancelledFile, failureIn } from '../job-directory.ts';
import { assertRoom, commonNode, examineMachines, nodeEnvironment } from './machines.ts';
import { packageOf } from './package-of.ts';
import {
  machineOf,
  placement,
  RayJobs,
  type RayAddress,
  type RayJob,
  type RaySubmission,
} from './ray-jobs.ts';

export interface RayBackendOptions extends RayAddress {
  /** Whoever reaches a Ray head without a token may run programs on it: this says that you know. */
  readonly insecure?: boolean;
  /** Python sources that jobs import, sent to the cluster once for each content. */
  readonly sources: string;
  /** The interpreter on the cluster's machines; `python` is the first on the head's PATH. */
  readonly python?: string;
  /** The program of simulations on virtual devices, one file; without it the backend takes none. */
  readonly simulator?: string;
  /** The command of Node on the cluster's machines; `node` is the first on their PATH. */
  readonly node?: string;
  readonly clock?: () => number;
}

/** How long it is believed that all machines have Node, before they are asked again. */
const nodeBelievedMs = 300_000;
/** How long it is believed that some do not: whoever puts it right need not wait, and whoever asks again costs nothing. */
const refusalBelievedMs = 15_000;
const patienceSeconds = 60;

interface Submitted {
  readonly order: JobOrder;
  /** Monotonic milliseconds at which it was first seen to run. */
  runningSince?: number;
  /** Ours, because Ray forgets it: a pending job that is stopped stays pending. */
  ending?: JobStatus;
}

/**
 * Jobs on a Ray cluster, by its REST API: a laptop's, a bare cluster or KubeRay alike. The cluster's machines see the
 * directories of jobs under the same paths as the server (a shared file system).
 */
export class RayBackend implements TrainingBackend {
  readonly name = 'ray';
  readonly #ray: RayJobs;
  readonly #options: RayBackendOptions;
  readonly #submitted = new Map<string, Submitted>();
  readonly #clock: () => number;
  /** What the machines said of Node, or will say, and until when (monotonic milliseconds) it is believed. */
  #node: { readonly asked: Promise<void>; until: number } = { asked: Promise.resolve(), until: -Infinity };

  /**
   * @throws RangeError For an address without a token that is not said to be insecure, one that is no URL, or an interpreter
   * that a shell would read in its own way.
   */
  constructor(options: RayBackendOptions) {
    if (options.token === undefined && options.insecure !== true)
      throw new RangeError(
        'Ray runs any program for whoever reaches it: give the token of the cluster (RAY_AUTH_MODE=token), or say `insecure: true`.',
      );
    if (!/^https?:$/.test(new URL(options.url).protocol))
      throw new RangeError(`The address of Ray is ${options.url}; expected http://… or https://…`);
    if (!/^[A-Za-z0-9_./-]*$/.test(options.python ?? ''))
      throw new RangeError(
        `"${options.python ?? ''}" becomes part of a command on the cluster: letters, digits and _ . / - alone are taken.`,
      );
    this.#options = options;
    this.#ray = new RayJobs(options);
    this.#clock = options.clock ?? (() => performance.now());
  }

  async capabilities(): Promise<Capabilities> {
    const machines = (await this.#ray.nodes()).map(machineOf);
    const maxWorkers = Math.max(1, ...machines.map(({ cpu }) => cpu)); // the program starts its workers beside itself
    return { frameworks: ['torch', 'mindspore'], machines, maxWorkers };
  }

  async assertFeasible(order: JobOrder): Promise<void> {
    await this.#assertPlaced(order);
    if (isSpread(order) && this.#options.simulator !== undefined) await this.#assertNode();
  }

  async submit(order: JobOrder): Promise<void> {
    assertPlain(order);
    // A second submission of one id is answered with an error and a traceback: look first.
    if (!(await this.#ray.job(order.id))) {
      // What can never be placed would wait for ever. Machines without Node end a job by themselves, so nobody waits for
      // all of them here: whoever submits goes on to other jobs.
      await this.#assertPlaced(order);
      await this.#ray.submit(this.#submission(order, await this.#upload(isSpread(order))));
    }
    if (!this.#submitted.has(order.id)) this.#submitted.set(order.id, { order });
  }

  async status(id: string): Promise<JobStatus> {
    const submitted = this.#submitted.get(id);
    const job = await this.#ray.job(id);
    if (!job)
      return submitted?.ending ?? { state: 'lost', message: 'The cluster does not know the job any more.' };
    if (job.status === 'PENDING') return submitted?.ending ?? { state: 'queued' };
    if (job.status !== 'RUNNING') return this.#ended(id, job, submitted?.ending);
    if (submitted) {
      submitted.runningSince ??= this.#clock();
      if (this.#clock() - submitted.runningSince > submitted.order.wallSeconds * 1000)
        submitted.ending ??= overLimit(submitted.order);
      if (submitted.ending) await this.#ray.stop(id); // also one that was pending when its end was asked for
    }
    return { state: 'running' };
  }

  async logs(id: string, from: number): Promise<LogPart> {
    return partOf(await this.#ray.logs(id), from);
  }

  async cancel(id: string): Promise<void> {
    const submitted = this.#submitted.get(id);
    if (submitted) {
      submitted.ending ??= cancelled;
      await writeFile(join(submitted.order.directory, cancelledFile), ''); // for a pending one: see `stop`
    }
    await this.#ray.stop(id);
  }

  /** Jobs on the cluster go on: the next life of the server finds them by their ids. */
  close(): Promise<void> {
    this.#ray.close();
    return Promise.resolve();
  }

  async #assertPlaced(order: JobOrder): Promise<void> {
    const capabilities = await this.capabilities();
    if (isSpread(order) && this.#options.simulator !== undefined) assertRoom(order, capabilities.machines);
    else assertFeasible(order, capabilities);
  }

  /** Asks the machines, unless they are being asked or have just been: each time is a program on the cluster. */
  async #assertNode(): Promise<void> {
    if (this.#clock() >= this.#node.until) {
      const node = { asked: this.#examine(), until: Infinity };
      this.#node = node;
      const believe = (forMs: number) => {
        node.until = this.#clock() + forMs;
      };
      node.asked.then(
        () => {
          believe(nodeBelievedMs);
        },
        () => {
          believe(refusalBelievedMs);
        },
      );
    }
    await this.#node.asked;
  }

  async #examine(): Promise<void> {
    const { python, node } = this.#options;
    const sources = await this.#upload(true);
    commonNode(await examineMachines(this.#ray, sources, { python, node, patienceSeconds }));
  }

  async #upload(withSimulator: boolean): Promise<string> {
    const { sources, simulator } = this.#options;
    return this.#ray.upload(await packageOf(sources, withSimulator ? simulator : undefined));
  }

  async #ended(id: string, job: RayJob, ending: JobStatus | undefined): Promise<JobStatus> {
    const exit = job.driver_exit_code;
    if (job.status === 'SUCCEEDED') return { state: 'succeeded', exit: 0 };
    if (ending) return ending;
    if (job.status === 'STOPPED') return { state: 'cancelled', message: 'It was stopped on the cluster.' };
    const message = await this.#reason(id, job.message ?? '');
    return { state: 'failed', message, ...(exit === null ? {} : { exit }) };
  }

  /** Why a job failed; a log that cannot be read, as one that is too long, leaves what Ray says. */
  async #reason(id: string, message: string): Promise<string> {
    try {
      return failureIn(await this.#ray.logs(id)) || message;
    } catch (error) {
      if (!(error instanceof BackendUnavailable)) throw error;
      return `${message} (its log cannot be read: ${error.message})`.trimStart();
    }
  }

  #submission(order: JobOrder, workingDirectory: string): RaySubmission {
    const { id, directory, device, workers, perWorker } = order;
    const { python = 'python' } = this.#options;
    return {
      submission_id: id,
      // Ray starts a shell; a job whose parent it is would not notice that Ray is gone.
      entrypoint: `exec ${python} -m starling_cluster.job --config ${join(directory, 'job.json')}`,
      ...(isSpread(order)
        ? {
            entrypoint_num_cpus: 0, // its workers ask for theirs
            runtime_env: { working_dir: workingDirectory, env_vars: nodeEnvironment(this.#options.node) },
          }
        : {
            entrypoint_num_cpus: workers * perWorker.cpus,
            ...placement(device, workers * perWorker.devices),
            runtime_env: { working_dir: workingDirectory },
          }),
    };
  }
}

/** Simulations on virtual devices: their workers are actors, all over the cluster. */
const isSpread = ({ kind, framework }: JobOrder) => kind === 'simulate' && framework === 'embedded';

/** Ray hands the entrypoint to a shell: it holds an id and a path of ours, and they must need no quoting. */
function assertPlain({ id, directory }: JobOrder): void {
  if (/^[A-Za-z0-9_-]+$/.test(id) && /^\/[A-Za-z0-9_./-]+$/.test(directory)) return;
  throw new NotFeasible(
    `The directory of jobs is ${directory}; for Ray it must be an absolute path of letters, digits and _ . / - alone.`,
  );
}
