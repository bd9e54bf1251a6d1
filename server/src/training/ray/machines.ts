/** Which machines of a Ray cluster can be workers of a simulation on virtual devices, found out by a program of ours on each. */
import { randomUUID } from 'node:crypto';
import { BackendUnavailable, NotFeasible, type JobOrder, type Machine } from '../backend.ts';
import { failureIn } from '../job-directory.ts';
import type { RayJobs } from './ray-jobs.ts';

/** What a machine has to have: Node 20 or newer, all of them the same, so that all compute the same bits. */
export interface NodeMachine {
  /** Its name. */
  readonly machine: string;
  /** Its version of Node; null where there is none that will do. */
  readonly node: string | null;
  readonly reason?: string;
}

export interface MachinesOptions {
  /** The interpreter on the cluster's machines. */
  readonly python?: string | undefined;
  /** The command of Node on the cluster's machines; `node` unless given. */
  readonly node?: string | undefined;
  readonly patienceSeconds: number;
}

const pollMs = 100;

/** What the environment of a job says of Node to our Python sources. */
export const nodeEnvironment = (node = 'node') => ({ STARLING_NODE: node });

/**
 * Asks every living machine. @param workingDirectory - The URI of our sources.
 * @throws NotFeasible Where our program cannot say; BackendUnavailable
 */
export async function examineMachines(
  ray: RayJobs,
  workingDirectory: string,
  { python = 'python', node, patienceSeconds }: MachinesOptions,
): Promise<readonly NodeMachine[]> {
  const id = `starling-machines-${randomUUID()}`;
  await ray.submit({
    submission_id: id,
    entrypoint: `${python} -m starling_cluster.machines`,
    entrypoint_num_cpus: 0,
    runtime_env: { working_dir: workingDirectory, env_vars: nodeEnvironment(node) },
  });
  const deadline = performance.now() + patienceSeconds * 1000;
  for (;;) {
    const job = await ray.job(id);
    if (job?.status === 'SUCCEEDED' || job?.status === 'FAILED' || job?.status === 'STOPPED') {
      const output = await ray.logs(id);
      const line = output.split('\n').find((text) => text.startsWith('{"machines":'));
      // our own program of this version printed it: its form is that of machines.py
      if (line !== undefined) return (JSON.parse(line) as { machines: readonly NodeMachine[] }).machines;
      throw new NotFeasible(
        `${python} cannot ask the cluster's machines for Node: ${failureIn(output) || (job.message ?? job.status)}`,
      );
    }
    if (performance.now() > deadline) {
      await ray.stop(id);
      throw new BackendUnavailable(
        `The cluster's machines did not say within ${patienceSeconds} s whether they have Node.`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

/** The version that all machines have. @throws NotFeasible Naming the machines that lack it. */
export function commonNode(machines: readonly NodeMachine[]): string {
  const [first] = machines;
  const lacking = machines.find(({ node }) => node === null);
  if (!first?.node || lacking)
    throw new NotFeasible(
      `Virtual devices run in Node on every machine of the cluster; ${lacking?.machine ?? 'the cluster'} has none that will do: ${lacking?.reason ?? 'no machine answered.'}`,
    );
  const other = machines.find(({ node }) => node !== first.node);
  if (!other) return first.node;
  throw new NotFeasible(
    `${first.machine} has Node ${first.node}, and ${other.machine} Node ${other.node ?? 'none'}: results need not be the same bits. Give all machines the same version.`,
  );
}

/** How many workers of a simulation there is room for, on all machines together. */
export function roomFor(machines: readonly Machine[], cpusPerWorker: number): number {
  return machines.reduce((sum, { cpu }) => sum + Math.floor(cpu / cpusPerWorker), 0);
}

/** @throws NotFeasible When a simulation asks for more workers than there will ever be room for. */
export function assertRoom({ workers, perWorker, device }: JobOrder, machines: readonly Machine[]): void {
  if (device !== 'cpu') throw new NotFeasible(`Virtual devices run on processors; ${device} was asked for.`);
  const room = roomFor(machines, perWorker.cpus);
  if (workers <= room) return;
  throw new NotFeasible(
    `${workers} workers of ${perWorker.cpus} cpu were asked for; the machines of the cluster have room for at most ${room}.`,
  );
}
