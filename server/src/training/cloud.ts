import { join } from 'node:path';
import { ProblemError, type CloudWork, type JobId } from '@starling/protocol';
import { BackendUnavailable, NotFeasible, type JobOrder, type TrainingBackend } from './backend.ts';

export interface CloudOptions {
  /** In order of preference: work that names none runs on the first that can run it. */
  readonly backends: readonly TrainingBackend[];
  /** What jobs may learn from: a name, and a fedpack directory that the machines of the jobs can read. */
  readonly dataSets: Readonly<Record<string, string>>;
}

/** What the server's operator offers for training in the cloud. */
export class Cloud {
  readonly #options: CloudOptions;
  readonly #directory: string;

  /** @param directory - Where jobs have their directories. */
  constructor(options: CloudOptions, directory: string) {
    this.#options = options;
    this.#directory = directory;
  }

  /** @throws ProblemError `not-found` For a backend that is not configured (any more). */
  backend(name: string): TrainingBackend {
    const found = this.#options.backends.find((backend) => backend.name === name);
    if (!found)
      throw new ProblemError(
        'not-found',
        `There is no training backend "${name}"; there is ${this.#names()}.`,
      );
    return found;
  }

  /** @throws ProblemError `not-found` For a data set that is not offered. */
  dataSet(name: string): string {
    const { dataSets } = this.#options;
    const path = Object.hasOwn(dataSets, name) ? dataSets[name] : undefined;
    if (path !== undefined) return path;
    const known = Object.keys(dataSets).sort().join(', ') || 'none';
    throw new ProblemError('not-found', `There is no data set "${name}"; the server offers ${known}.`);
  }

  /**
   * What the plan of a simulation learns from in its steps in the cloud, if it takes any. @throws ProblemError `not-found` For a data set that is
   * not offered.
   */
  dataSetsWithin({ kind, training }: CloudWork): Readonly<Record<string, string>> | undefined {
    // a plan that is malformed is refused by the job's program
    const { plan } = training as { plan?: { hybrid?: { work?: { data?: unknown } } } | null };
    const name = plan?.hybrid?.work?.data;
    return kind === 'simulate' && typeof name === 'string' ? { [name]: this.dataSet(name) } : undefined;
  }

  /** The backend that will run this work. @throws ProblemError `job-not-feasible`, `not-found`, `unavailable` */
  async choose(work: CloudWork): Promise<TrainingBackend> {
    this.dataSet(work.data);
    this.dataSetsWithin(work);
    if (work.kind === 'distil' && work.framework === 'embedded')
      throw new ProblemError('job-not-feasible', 'Our own engine does not distil; torch and mindspore do.');
    const { backends } = this.#options;
    const candidates = work.backend === undefined ? backends : [this.backend(work.backend)];
    const refusals: string[] = [];
    let unavailable = false;
    for (const backend of candidates) {
      try {
        await backend.assertFeasible(this.order('feasibility' as JobId, work));
        return backend;
      } catch (error) {
        if (!(error instanceof NotFeasible || error instanceof BackendUnavailable)) throw error;
        unavailable ||= error instanceof BackendUnavailable;
        refusals.push(`${backend.name}: ${error.message}`);
      }
    }
    throw new ProblemError(
      unavailable ? 'unavailable' : 'job-not-feasible',
      refusals.join(' ') || 'The server has no training backend. Start it with one (docs/cloud.md).',
    );
  }

  order(id: JobId, work: CloudWork): JobOrder {
    const { kind, framework, device, workers, wallSeconds } = work;
    return {
      ...{ id, kind, framework, device, workers, wallSeconds },
      directory: join(this.#directory, id),
      perWorker: {
        cpus: work.cpusPerWorker,
        devices: device === 'cpu' ? 0 : Math.max(1, work.devicesPerWorker),
      },
    };
  }

  async close(): Promise<void> {
    await Promise.all(this.#options.backends.map((backend) => backend.close()));
  }

  #names(): string {
    return this.#options.backends.map(({ name }) => name).join(', ') || 'none';
  }
}
