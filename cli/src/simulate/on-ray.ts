import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Model, Params } from '@starling/model';
import { writeWeights, type Plan } from '@starling/protocol';
import { prepareJob, RayBackend, readResult, type JobOrder } from '@starling/server';
import type { FleetModel, SimulationReport } from '@starling/simulator/simulation';
import { pythonSources, simulator } from '../cloud-options.ts';
import { followJob } from './follow-job.ts';
import type { SimulateOptions } from './options.ts';

/** What a cluster is to simulate. */
export interface RayScene {
  readonly model: Model;
  readonly plan: Plan;
  readonly fleet: FleetModel;
  readonly start: Params;
  /** A fedpack; null for made-up rows. */
  readonly pack: string | null;
  readonly devices: number;
}

/** A month: whoever waits here may end it. */
const wallSeconds = 30 * 24 * 3600;

/**
 * Runs a simulation as a job of a Ray cluster, and gives its report and the weights of the last version, a file. An interrupt
 * ends the job.
 */
export async function simulateOnRay(
  url: string,
  options: SimulateOptions,
  { model, plan, fleet, start, pack, devices }: RayScene,
  tell: (line: string) => void,
): Promise<{ report: SimulationReport; weights: Uint8Array }> {
  const token = process.env['STARLING_RAY_TOKEN'];
  const backend = new RayBackend({
    ...{ url, sources: pythonSources, simulator },
    ...(token !== undefined && { token }),
    ...(options.rayInsecure !== undefined && { insecure: options.rayInsecure }),
    ...(options.rayPython !== undefined && { python: options.rayPython }),
    ...(options.rayNode !== undefined && { node: options.rayNode }),
  });
  const id = `simulation-${randomUUID()}`;
  const directory = join(resolve(options.rayDirectory), id);
  const order: JobOrder = {
    ...{ id, directory, kind: 'simulate', framework: 'embedded', device: 'cpu', wallSeconds },
    ...{ workers: options.workers, perWorker: { cpus: 1, devices: 0 } },
  };
  const { seed, fold, rows, synthetic, dataSet: dataSets } = options;
  const training = { plan, fleet, devices, ...(synthetic ? { synthetic: { rows } } : { fold }) };
  const work = { kind: order.kind, data: pack ?? directory, users: null, seed, training, dataSets };
  const interrupts = new Interrupts();
  try {
    await prepareJob(order, work, model.ir, writeWeights(start.layout, start.values));
    await followJob(backend, order, { interrupted: interrupts.signal, tell });
    const { metrics, weights } = await readResult(directory, start.layout);
    // the report is of this version's own program; with a layout there are weights
    return { report: metrics as unknown as SimulationReport, weights: weights!.file };
  } finally {
    interrupts.close();
    await rm(directory, { recursive: true, force: true });
    await backend.close();
  }
}

const signals = ['SIGINT', 'SIGTERM'] as const;

/** Aborts with the first SIGINT or SIGTERM; the second ends the process as ever. */
class Interrupts {
  readonly #controller = new AbortController();
  readonly #abort = () => {
    this.#controller.abort();
  };

  constructor() {
    for (const name of signals) process.once(name, this.#abort);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  close(): void {
    for (const name of signals) process.off(name, this.#abort);
  }
}
