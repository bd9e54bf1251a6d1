import { randomUUID } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Model, Params } from '@starling/model';
import { writeWeights, type Plan } from '@starling/protocol';
import { prepareJob, RayBackend, readResult, type JobOrder } from '@starling/server';
import type { FleetModel, SimulationReport } from '@starling/simulator/simulation';
import { pythonSources, simulator } from '../cloud-options.ts';
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

const pollMs = 300;
/** A month: whoever waits here may end it. */
const wallSeconds = 30 * 24 * 3600;

/** Runs a simulation as a job of a Ray cluster, and gives its report and the weights of the last version, a file. */
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
  try {
    await prepareJob(order, work, model.ir, writeWeights(start.layout, start.values));
    await backend.submit(order);
    await follow(backend, order, tell);
    const { metrics } = await readResult(directory, undefined);
    const weights = await readFile(join(directory, 'weights-out.safetensors'));
    return { report: metrics as unknown as SimulationReport, weights }; // of this version's own program
  } finally {
    await rm(directory, { recursive: true, force: true });
    await backend.close();
  }
}

/** Tells what a job writes until it ends. An interrupt ends the job. @throws Error When it did not succeed. */
async function follow(backend: RayBackend, { id }: JobOrder, tell: (line: string) => void): Promise<void> {
  const interrupt = () => {
    void backend.cancel(id);
  };
  process.once('SIGINT', interrupt);
  let [from, begun] = [0, ''];
  try {
    for (;;) {
      const { state, message } = await backend.status(id);
      const { text, next } = await backend.logs(id, from);
      from = next;
      const lines = `${begun}${text}`.split('\n');
      begun = lines.pop() ?? '';
      lines.forEach(tell);
      if (state === 'succeeded') return;
      if (state !== 'queued' && state !== 'running')
        throw new Error(`The simulation ${state} on the cluster: ${message ?? 'no reason was given'}`);
      await new Promise((wake) => setTimeout(wake, pollMs));
    }
  } finally {
    process.off('SIGINT', interrupt);
  }
}
