/** What a Ray cluster can do for jobs, found out by asking it and by running a program of ours on its machines. */
import { randomUUID } from 'node:crypto';
import { BackendUnavailable, NotFeasible, type JobDevice, type Machine } from '../backend.ts';
import { failureIn } from '../job-directory.ts';
import { commonNode, examineMachines, roomFor } from './machines.ts';
import { packageOf } from './package-of.ts';
import { machineOf, placement, RayJobs, TokenRefused, type RayAddress } from './ray-jobs.ts';

export interface DoctorOptions extends RayAddress {
  /** Python sources that jobs import. */
  readonly sources: string;
  /** The interpreter on the cluster's machines. */
  readonly python?: string;
  /** The program of simulations on virtual devices, one file; without it nobody is asked for Node. */
  readonly simulator?: string;
  /** The command of Node on the cluster's machines. */
  readonly node?: string;
  /** A directory here that the cluster's machines have to see under the same path: the server's data directory. */
  readonly directory?: string;
  /** How long a machine may take to answer, in seconds. */
  readonly patienceSeconds?: number;
}

/** `warning`: jobs run, but somebody should look. */
export interface Finding {
  readonly check: 'answers' | 'token' | 'machines' | 'program' | 'directory' | 'node' | JobDevice;
  readonly state: 'ok' | 'warning' | 'failed';
  readonly says: string;
}

/** Jobs that the cluster can run. */
export interface Runnable {
  /** `embedded`: our own engine, for simulations on virtual devices. */
  readonly framework: 'embedded' | 'torch' | 'mindspore';
  readonly version: string;
  readonly device: JobDevice;
  /** As the framework calls it. */
  readonly deviceName: string;
  /** Most workers of a job: all are on one machine, but those of virtual devices. */
  readonly maxWorkers: number;
  readonly kinds: readonly string[];
  readonly algorithms: readonly string[];
}

export interface ClusterReport {
  readonly url: string;
  /** Whether nothing failed, and some kind of job can be run. */
  readonly healthy: boolean;
  readonly ray: string | null;
  readonly python: string | null;
  readonly machines: readonly Machine[];
  readonly findings: readonly Finding[];
  readonly runs: readonly Runnable[];
}

/** What `starling_cluster.doctor` prints. */
interface Examination {
  readonly python: string;
  readonly sees: boolean | null;
  readonly frameworks: Readonly<Record<string, Seen | { readonly installed: false }>>;
}
interface Seen {
  readonly installed: true;
  readonly version: string;
  readonly devices: Readonly<Record<JobDevice, { available: boolean; name?: string; reason?: string }>>;
}

const kinds = ['warm-start', 'distil', 'evaluate', 'simulate'];
const firstOrder = ['sgd', 'fedavg', 'reptile', 'fomaml'];
const algorithms = { torch: [...firstOrder, 'maml', 'meta-sgd'], mindspore: firstOrder };
const deviceAlgorithms = ['fedavg', 'reptile', 'fomaml', 'maml', 'meta-sgd'];
/** How long a machine may take to answer, in seconds, unless it is said. */
const patience = 120;
const pollMs = 100;

/** Never throws for what is wrong with the cluster: that is in the report. @throws RangeError For a malformed option. */
export async function examineCluster(options: DoctorOptions): Promise<ClusterReport> {
  for (const text of [options.python ?? '', options.directory ?? ''])
    if (!/^[A-Za-z0-9_./-]*$/.test(text))
      throw new RangeError(
        `"${text}" becomes part of a command on the cluster: letters, digits and _ . / - alone are taken.`,
      );
  const ray = new RayJobs(options);
  const report: Draft = { ray: null, python: null, machines: [], findings: [], runs: [] };
  try {
    report.ray = await ray.version();
    report.findings.push(
      { check: 'answers', state: 'ok', says: `Ray ${report.ray}` },
      await tokenFinding(options),
    );
    report.machines = (await ray.nodes()).map(machineOf);
    report.findings.push({ check: 'machines', state: 'ok', says: inWords(report.machines) });
    await examineDevices(ray, options, report);
    if (report.python !== null && options.simulator !== undefined)
      await examineNode(ray, options, options.simulator, report);
  } catch (error) {
    if (!(error instanceof BackendUnavailable)) throw error;
    const check = error instanceof TokenRefused ? 'token' : report.ray === null ? 'answers' : 'machines';
    report.findings.push({ check, state: 'failed', says: error.message });
  } finally {
    ray.close();
  }
  const healthy = report.runs.length > 0 && report.findings.every(({ state }) => state !== 'failed');
  return { url: options.url, healthy, ...report };
}

type Draft = { -readonly [K in keyof Omit<ClusterReport, 'url' | 'healthy'>]: ClusterReport[K] } & {
  findings: Finding[];
  runs: Runnable[];
};

/** Whether strangers may run programs there. */
async function tokenFinding({ url, token }: RayAddress): Promise<Finding> {
  const stranger = new RayJobs({ url });
  try {
    await stranger.version();
    const says =
      'It answers without a token: whoever reaches it may run programs. Start it with RAY_AUTH_MODE=token.';
    return { check: 'token', state: 'warning', says };
  } catch (error) {
    if (!(error instanceof TokenRefused)) throw error;
    return {
      check: 'token',
      state: 'ok',
      says: token === undefined ? 'It wants one.' : 'It is taken, and nobody else is.',
    };
  } finally {
    stranger.close();
  }
}

async function examineDevices(ray: RayJobs, options: DoctorOptions, report: Draft): Promise<void> {
  const program = await ray.upload(await packageOf(options.sources));
  const devices = (['cpu', 'gpu', 'npu'] as const).filter((device) =>
    report.machines.some((machine) => machine[device] >= 1),
  );
  const examinations = await Promise.all(devices.map((device) => examineOn(ray, device, program, options)));
  for (const [place, device] of devices.entries()) {
    const found = examinations[place]!;
    if (typeof found === 'string') {
      report.findings.push({ check: device === 'cpu' ? 'program' : device, state: 'failed', says: found });
      if (device === 'cpu') return; // the others would say the same
      continue;
    }
    const runs = runnablesOf(found, device, report.machines);
    report.runs.push(...runs);
    if (device === 'cpu') {
      report.python = found.python;
      report.findings.push({
        check: 'program',
        state: 'ok',
        says: `Python ${found.python} runs our sources.`,
      });
      if (options.directory !== undefined) report.findings.push(directoryFinding(options.directory, found));
    }
    report.findings.push(deviceFinding(device, runs, found));
  }
}

/** Whether virtual devices can run: other jobs go without. */
async function examineNode(
  ray: RayJobs,
  { sources, python, node, patienceSeconds = patience }: DoctorOptions,
  simulator: string,
  report: Draft,
): Promise<void> {
  try {
    const program = await ray.upload(await packageOf(sources, simulator));
    const version = commonNode(await examineMachines(ray, program, { python, node, patienceSeconds }));
    report.findings.push({ check: 'node', state: 'ok', says: `Node ${version} on every machine.` });
    report.runs.push({
      ...{ framework: 'embedded', version, device: 'cpu', deviceName: 'cpu', kinds: ['simulate'] },
      ...{ maxWorkers: roomFor(report.machines, 1), algorithms: deviceAlgorithms },
    });
  } catch (error) {
    if (!(error instanceof NotFeasible || error instanceof BackendUnavailable)) throw error;
    report.findings.push({ check: 'node', state: 'warning', says: error.message });
  }
}

/** Runs our program on a machine with such a device. Returns why it could not be done, if so. */
async function examineOn(
  ray: RayJobs,
  device: JobDevice,
  workingDirectory: string,
  { python = 'python', directory, patienceSeconds = patience }: DoctorOptions,
): Promise<Examination | string> {
  const id = `starling-doctor-${randomUUID()}`;
  await ray.submit({
    submission_id: id,
    entrypoint: `${python} -m starling_cluster.doctor${directory === undefined ? '' : ` --sees ${directory}`}`,
    entrypoint_num_cpus: 1,
    ...placement(device, device === 'cpu' ? 0 : 1),
    runtime_env: { working_dir: workingDirectory },
  });
  const deadline = performance.now() + patienceSeconds * 1000;
  for (;;) {
    const job = await ray.job(id);
    const output = await ray.logs(id);
    if (job?.status === 'SUCCEEDED')
      return examinationIn(output) ?? `It printed no examination: ${failureIn(output)}`;
    if (job?.status === 'FAILED' || job?.status === 'STOPPED')
      return `${python} cannot run our sources: ${failureIn(output) || (job.message ?? job.status)}`;
    if (performance.now() > deadline) {
      await ray.stop(id);
      return `Nothing within ${patienceSeconds} s (${job?.status ?? 'forgotten'}): other jobs may hold all of it.`;
    }
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

function examinationIn(output: string): Examination | undefined {
  const line = output.split('\n').find((text) => text.startsWith('{"doctor":'));
  // Our own program of this version printed it: its form is that of doctor.py.
  return line === undefined ? undefined : (JSON.parse(line) as { doctor: Examination }).doctor;
}

function runnablesOf(
  { frameworks }: Examination,
  device: JobDevice,
  machines: readonly Machine[],
): Runnable[] {
  const maxWorkers = Math.max(
    ...machines.map((machine) => Math.floor(Math.min(machine.cpu, machine[device]))),
  );
  return (['torch', 'mindspore'] as const).flatMap((framework) => {
    const seen = frameworks[framework];
    const there = seen?.installed ? seen.devices[device] : undefined;
    if (!seen?.installed || !there?.available) return [];
    const { version } = seen;
    const deviceName = there.name ?? device;
    return [{ framework, version, device, deviceName, maxWorkers, kinds, algorithms: algorithms[framework] }];
  });
}

function deviceFinding(check: JobDevice, runs: readonly Runnable[], { frameworks }: Examination): Finding {
  if (runs.length > 0) {
    const says = runs.map(({ framework, version, deviceName }) => `${framework} ${version} on ${deviceName}`);
    return { check, state: 'ok', says: `${says.join(', ')}.` };
  }
  const reasons = Object.entries(frameworks).map(
    ([name, seen]) =>
      `${name}: ${seen.installed ? (seen.devices[check].reason ?? 'no reason') : 'not installed'}`,
  );
  const says = `${check === 'cpu' ? 'No framework' : `Ray offers ${check}, and no framework sees one`}. ${reasons.join(' ')}`;
  return { check, state: check === 'cpu' ? 'failed' : 'warning', says };
}

function directoryFinding(directory: string, { sees }: Examination): Finding {
  return sees === true
    ? { check: 'directory', state: 'ok', says: `${directory} is there.` }
    : {
        check: 'directory',
        state: 'failed',
        says: `The cluster does not see ${directory}: mount the file system of the server there, under the same path.`,
      };
}

function inWords(machines: readonly Machine[]): string {
  const all = machines.map(({ cpu, gpu, npu }) => `${cpu} cpu, ${gpu} gpu, ${npu} npu`);
  return `${machines.length}: ${all.slice(0, 8).join('; ')}${all.length > 8 ? '; …' : ''}.`;
}
