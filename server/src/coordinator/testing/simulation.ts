import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  makeId,
  ProblemError,
  readWeights,
  type AssignmentId,
  type DeviceId,
  type JobId,
  type Plan,
  type RoundId,
  type TaskId,
} from '@starling/protocol';
import { layoutOf, parseModel } from '@starling/model';
import { verifyAudit } from '../../access/audit.ts';
import { cancelJob, createJob } from '../../training/jobs.ts';
import { readContribution } from '../contribution.ts';
import { Models } from '../models.ts';
import { discardStrays } from '../retention.ts';
import { abortRound, closeRoundNow, extendRound } from '../round-control.ts';
import { RoundBook } from '../round-facts.ts';
import { RoundSums } from '../round-sums.ts';
import { Staging } from '../staging.ts';
import { Gates } from './gates.ts';
import { brokenRules } from './invariants.ts';
import { MemoryBlobs } from './memory-blobs.ts';
import {
  leaseMs,
  untilQuiet,
  windows,
  type DrawnPlan,
  type Happening,
  type Operation,
  type Program,
} from './program.ts';
import { SimulatedCloud } from './simulated-cloud.ts';
import { SimulatedDevice } from './simulated-device.ts';
import { Injected, SimulatedNode, type Shared } from './simulated-node.ts';
import { askedOf } from './simulated-operator.ts';
import type { VirtualDatabase } from './virtual-database.ts';

/** Four inputs, standardised, and three classes. */
const model = parseModel({
  umir: 1,
  opset: 1,
  name: 'simulated',
  inputs: [
    { id: 'x', shape: ['B', 4] },
    { id: 'y', shape: ['B'], dtype: 'i32', role: 'label', classes: 3 },
  ],
  params: [
    { id: 'mean', shape: [4], init: { kind: 'inputMean' } },
    { id: 'inverse-sd', shape: [4], init: { kind: 'inputInverseSd' } },
    { id: 'w', shape: [4, 3], init: { kind: 'uniform', fan: 4 } },
    { id: 'b', shape: [3], init: { kind: 'zeros' } },
  ],
  nodes: [
    { op: 'standardise', in: ['x', 'mean', 'inverse-sd'], out: 'z' },
    { op: 'dense', in: ['z', 'w', 'b'], out: 'logits' },
  ],
  loss: { op: 'softmaxCrossEntropy', in: ['logits', 'y'] },
  metrics: ['accuracy'],
});

const modelDigest = 'a'.repeat(64);
const project = makeId('project', 'a'.repeat(22));
const evaluation = { goal: 1, minimum: 1, supportShares: [0.5], steps: [1], rate: 0.1 };
const cloudWork = {
  kind: 'warm-start',
  framework: 'embedded',
  data: 'proxy',
  training: {},
  seed: 0,
  device: 'cpu',
  workers: 1,
  cpusPerWorker: 1,
  devicesPerWorker: 0,
  wallSeconds: 60,
} as const;

/** Something that must never be. */
export class BrokenInvariant extends Error {
  override readonly name = 'BrokenInvariant';
}

/**
 * Runs one program on the real coordinator and throws {@link BrokenInvariant} for the first thing that must not be.
 * `database` is cleared first.
 */
export async function simulate(database: VirtualDatabase, program: Program): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'starling-simulation-'));
  try {
    const simulation = new Simulation(database, program, directory);
    await simulation.begin();
    for (const [index, step] of program.steps.entries()) {
      await simulation.happen(step);
      await simulation.goOn(step.calls);
      await simulation.check(`after step ${index} (${JSON.stringify(step)})`);
    }
    await simulation.end();
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

class Simulation {
  readonly #database: VirtualDatabase;
  readonly #program: Program;
  readonly #directory: string;
  readonly #gates = new Gates();
  readonly #blobs = new MemoryBlobs();
  readonly #cloud = new SimulatedCloud();
  readonly #shared: Shared;
  readonly #devices: SimulatedDevice[] = [];
  readonly #revoked = new Set<SimulatedDevice>();
  /** By which node each device is heard, while it is online. */
  readonly #online = new Map<DeviceId, SimulatedNode>();
  readonly #tasks: TaskId[] = [];
  #nodes: SimulatedNode[] = [];
  #nowMs = Date.UTC(2030, 0, 1);
  #draw = 0;
  #broken: string | undefined;
  /** Files of updates vanished from the disk: that they are missed is no surprise. */
  #filesWereLost = false;
  /** What was begun and is not over, by the node that does it. */
  readonly #underWay = new Map<Promise<void>, SimulatedNode>();

  constructor(database: VirtualDatabase, program: Program, directory: string) {
    this.#database = database;
    this.#program = program;
    this.#directory = directory;
    this.#shared = {
      gates: this.#gates,
      database,
      blobs: this.#blobs,
      directory,
      backend: this.#cloud,
      dataSets: { proxy: directory },
      now: () => this.#nowMs,
      hint: (node, deviceId, assignment) => {
        if (this.#online.get(deviceId) === node) this.#device(deviceId)?.hear(assignment);
      },
      groupHint: () => undefined,
      onError: (fields, message) => {
        if (this.#filesWereLost && 'error' in fields && isMissingFile(fields.error)) return;
        this.#break(
          `${message}: ${'error' in fields ? String((fields.error as Error).stack) : JSON.stringify(fields)}`,
        );
      },
    };
  }

  async begin(): Promise<void> {
    await this.#database.clear();
    await this.#database.setTime(this.#nowMs);
    await this.#database.query("insert into projects (id, name) values ($1, 'simulated')", [project]);
    await this.#database.query(
      `insert into models (project_id, digest, name, ir, parameters, input_shape, classes)
       values ($1, $2, 'simulated', $3, 15, '[4]', 3)`,
      [project, modelDigest, model.ir],
    );
    for (let number = 0; number < this.#program.devices; number++) {
      const id = makeId('device', String(number).padStart(22, '0'));
      const device = new SimulatedDevice(id, project, number);
      await this.#database.query(
        "insert into devices (id, project_id, public_key, platform, sdk_version) values ($1, $2, $3, 'test', '0')",
        [id, project, device.publicKey],
      );
      this.#devices.push(device);
    }
    const node = this.#startNode();
    await this.goOn(untilQuiet);
    for (const drawn of this.#program.plans) {
      const request = { name: 'simulated', model: modelDigest, plan: planOf(drawn) };
      this.#launch(
        node,
        node.coordinator
          .createTask(project, request, node.commit)
          .then(({ id }) => (this.#tasks.push(id), node.coordinator.startTask(id, node.commit))),
      );
      await this.goOn(untilQuiet);
    }
    for (const device of this.#devices) this.#arrive(device, node);
    await this.goOn(untilQuiet);
    await this.check('at the beginning');
  }

  /** Begins one thing; what follows from it goes on with {@link goOn}. */
  async happen(step: Happening): Promise<void> {
    switch (step.kind) {
      case 'arrive':
        this.#at(step.node, (node) => {
          const device = this.#deviceAt(step.device);
          if (!this.#revoked.has(device)) this.#arrive(device, node);
        });
        return;
      case 'leave':
        this.#leave(this.#deviceAt(step.device));
        return;
      case 'work':
        this.#at(step.node, (node) => {
          const device = this.#deviceAt(step.device);
          if (!this.#revoked.has(device))
            this.#launch(node, device.work(node.coordinator, step.messages, step.parts));
        });
        return;
      case 'all-work':
        this.#at(step.node, (node) => {
          for (const device of this.#able())
            this.#launch(node, device.work(node.coordinator, step.messages, step.parts));
        });
        return;
      case 'deed':
        this.#at(step.node, (node) => {
          const device = this.#deviceAt(step.device);
          if (!this.#revoked.has(device)) this.#launch(node, device.do(node.coordinator, step.deed));
        });
        return;
      case 'poll':
        this.#at(step.node, (node) => {
          this.#launch(node, node.poll());
        });
        return;
      case 'beat':
        this.#at(step.node, (node) => {
          this.#launch(node, node.beat());
        });
        return;
      case 'look-at-jobs':
        this.#at(step.node, (node) => {
          this.#launch(node, node.runner.poll());
        });
        await this.#whileUnderWay(); // jobs have files of their own
        return;
      case 'job-ends':
        await this.#cloud.end(step.outcome);
        return;
      case 'lose-file':
        await this.#loseFile();
        return;
      case 'kill':
        this.#at(step.node, (node) => {
          node.alive = false;
        });
        return;
      case 'start-node':
        if (this.#alive().length < this.#program.nodes) this.#startNode();
        return;
      case 'pass':
        await this.#pass(step.ms);
        if (step.beats) for (const node of this.#alive()) this.#launch(node, node.beat());
        return;
      case 'skew':
        this.#at(step.node, (node) => {
          node.skewMs = step.ms;
        });
        return;
      case 'operate':
        await this.#operate(step.operation, step.task, this.#deviceAt(step.device), step.node);
        return;
      case 'fault':
        this.#at(step.node, (node) => {
          node.failAfter(step.afterCalls, step.fault);
        });
    }
  }

  /** Lets so many calls of nodes go on, in an order of the program's seed. */
  async goOn(calls: number): Promise<void> {
    for (let made = 0; made < calls; made++) if (!(await this.#gates.open(this.#random()))) return;
  }

  async check(when: string): Promise<void> {
    if (this.#broken !== undefined) throw new BrokenInvariant(`${when}: ${this.#broken}`);
    const acknowledged = this.#devices.flatMap((device) => [...device.acknowledged]);
    const broken = await brokenRules(this.#database, acknowledged);
    if (broken.length > 0) throw new BrokenInvariant(`${when}: ${broken.join('; ')}`);
  }

  /** Nothing fails any more: every round has to end, and all that was kept for rounds has to go. */
  async end(): Promise<void> {
    for (const node of this.#nodes) node.heal();
    await this.goOn(untilQuiet);
    if (this.#alive().length === 0) this.#startNode();
    await this.goOn(untilQuiet);
    if (!this.#filesWereLost) await this.#checkSums();
    if (this.#program.ending === 'work') await this.#workUntilDone();
    await this.#waitUntilOver();
    await this.check('at the end');
    await this.#checkVersions();
    await this.#checkAudit();
    await this.#checkLeftovers();
  }

  /** All devices work, and the operator wants every task done. */
  async #workUntilDone(): Promise<void> {
    const able = this.#able();
    for (let turn = 0; turn < 40; turn++) {
      const running = await this.#database.query<{ id: TaskId; state: string; plan: Plan }>(
        "select id, state, plan from tasks where state in ('draft', 'running', 'paused')",
      );
      const feasible = running.filter(
        ({ plan }) => able.length >= Math.max(plan.cohort.goal * plan.cohort.overSelection, plan.cohort.goal),
      );
      if (feasible.length === 0) return;
      const node = this.#alive()[turn % this.#alive().length]!;
      for (const { id, state } of feasible) {
        const { coordinator, commit } = node;
        if (state === 'paused') this.#ask(node, 'resume', id, () => coordinator.resumeTask(id, commit));
        if (state === 'draft') this.#ask(node, 'start', id, () => coordinator.startTask(id, commit));
      }
      for (const device of able) this.#arrive(device, node);
      await this.goOn(untilQuiet);
      for (const device of able) this.#launch(node, device.work(node.coordinator, 6, 1));
      await this.goOn(untilQuiet);
      await this.#look();
      await this.#cloud.end('succeeded');
      await this.check(`while all work, turn ${turn}`);
      await this.#pass(turn % 4 === 3 ? leaseMs : 500);
    }
    const left = await this.#database.query(
      'select t.id, t.state, r.id as round, r.kind, r.state as at, r.ready_by, r.deadline, r.closed_at from tasks t left join rounds r on r.task_id = t.id and r.ended_at is null',
    );
    throw new BrokenInvariant(`tasks do not come to their end: ${JSON.stringify(left)}`);
  }

  /** No device does anything; the operator pauses every task. */
  async #waitUntilOver(): Promise<void> {
    for (let turn = 0; turn < 12; turn++) {
      const tasks = await this.#database.query<{ id: TaskId }>(
        "select id from tasks where state = 'running'",
      );
      const node = this.#alive()[turn % this.#alive().length]!;
      for (const { id } of tasks)
        this.#ask(node, 'pause', id, () => node.coordinator.pauseTask(id, node.commit));
      await this.goOn(untilQuiet);
      await this.#look();
      const left = await this.#database.query('select 1 from rounds where ended_at is null');
      if (left.length === 0 && tasks.length === 0) {
        await this.#look();
        return;
      }
      await this.check(`while nobody works, turn ${turn}`);
      await this.#pass(leaseMs);
    }
    const left = await this.#database.query('select * from rounds where ended_at is null');
    throw new BrokenInvariant(`rounds do not end: ${JSON.stringify(left)}`);
  }

  /** What timers do. */
  async #look(): Promise<void> {
    for (const node of this.#alive()) this.#launch(node, node.beat());
    await this.goOn(untilQuiet);
    for (const node of this.#alive()) {
      this.#launch(node, node.poll());
      await this.goOn(untilQuiet);
      this.#launch(node, node.runner.poll());
      await this.#whileUnderWay();
    }
  }

  /** Sums that a node holds are those that the files give. */
  async #checkSums(): Promise<void> {
    const staging = new Staging(join(this.#directory, 'uploads'));
    const book = new RoundBook(this.#database, new Models(this.#database));
    for (const { context } of this.#alive()) {
      for (const roundId of context.sums.rounds()) {
        const rows = await this.#database.query<{ id: AssignmentId }>(
          "select id from assignments where round_id = $1 and state = 'uploaded'",
          [roundId],
        );
        const parts = rows.map(({ id }) => id);
        const { blocks, plan, secure } = await book.get(roundId);
        if (secure) continue; // of groups, which only the published version tells
        const terms = { blocks, maxWeight: plan.maxWeight };
        let loads = 0;
        const load = async (id: AssignmentId) => {
          loads++;
          return readContribution(await staging.read(id), blocks, plan.maxWeight);
        };
        const held = await context.sums.total(roundId, terms, parts, load);
        if (loads > 0 || parts.length === 0) continue;
        const rebuilt = await new RoundSums().total(roundId, terms, parts, load);
        for (const { name } of blocks) {
          if (String([...held.sum(name)]) !== String([...rebuilt.sum(name)])) {
            throw new BrokenInvariant(
              `the sum of ${roundId} that a node holds is not the one that its files give`,
            );
          }
        }
      }
    }
  }

  /** The oracle: each published version has one of each device that was counted, and nothing of any other. */
  async #checkVersions(): Promise<void> {
    const rounds = await this.#database.query<{
      id: RoundId;
      weights: string;
      base: string;
      devices: string[];
    }>(
      `select r.id, v.weights, b.weights as base,
              (select array_agg(a.device_id) from assignments a where a.round_id = r.id and a.state = 'counted') as devices
         from rounds r join model_versions v on v.id = r.published_version join model_versions b on b.id = v.parent
        where r.kind = 'training'`,
    );
    const layout = layoutOf(model);
    for (const { id, weights, base, devices } of rounds) {
      const after = readWeights(layout, await this.#blobs.get(weights));
      const before = readWeights(layout, await this.#blobs.get(base));
      const counts = [...after].map(
        (value, index) => Math.round((value - (before[index] ?? 0)) * devices.length * 1e4) / 1e4,
      );
      const expected = counts.map((_, index) => (devices.includes(this.#devices[index]?.id ?? '') ? 1 : 0));
      if (String(counts) !== String(expected)) {
        throw new BrokenInvariant(`round ${id} holds ${String(counts)} instead of ${String(expected)}`);
      }
    }
  }

  /** Whoever died: each entry that was written follows the one before it. */
  async #checkAudit(): Promise<void> {
    const { problem } = await verifyAudit(this.#database, project);
    if (problem) throw new BrokenInvariant(`the audit log is broken: ${problem.message}`);
  }

  async #checkLeftovers(): Promise<void> {
    for (const { context } of this.#alive()) {
      const held = context.sums.rounds();
      if (held.length > 0) throw new BrokenInvariant(`sums of ended rounds are held: ${held.join()}`);
      if (context.background.size > 0)
        throw new BrokenInvariant('something goes on in the background for ever');
    }
    const node = this.#alive()[0]!;
    this.#launch(node, discardStrays(node.context));
    await this.goOn(untilQuiet);
    const files = await readdir(join(this.#directory, 'uploads'));
    if (files.length > 0) throw new BrokenInvariant(`files of ended rounds are left: ${files.join()}`);
    if (this.#pending() > 0) throw new BrokenInvariant('a request was never answered');
  }

  async #operate(
    operation: Operation,
    taskIndex: number,
    device: SimulatedDevice,
    nodeIndex: number,
  ): Promise<void> {
    const task = this.#tasks[taskIndex % Math.max(1, this.#tasks.length)];
    if (task === undefined) return;
    const [round] = await this.#database.query<{ id: RoundId }>(
      'select id from rounds where task_id = $1 and ended_at is null order by sequence limit 1',
      [task],
    );
    const [job] = await this.#database.query<{ id: JobId }>(
      'select id from jobs where task_id = $1 and ended_at is null order by created_at limit 1',
      [task],
    );
    this.#at(nodeIndex, (node) => {
      const { coordinator, context, commit } = node;
      const order = ((): readonly [object: string, work: () => Promise<unknown>] | undefined => {
        switch (operation) {
          case 'start':
            return [task, () => coordinator.startTask(task, commit)];
          case 'pause':
            return [task, () => coordinator.pauseTask(task, commit)];
          case 'resume':
            return [task, () => coordinator.resumeTask(task, commit)];
          case 'cancel':
            return [task, () => coordinator.cancelTask(task, commit)];
          case 'extend':
            return round && [round.id, () => extendRound(context, project, round.id, 25_000, commit)];
          case 'close-now':
            return round && [round.id, () => closeRoundNow(context, project, round.id)];
          case 'abort':
            return round && [round.id, () => abortRound(context, project, round.id)];
          case 'evaluate':
            return [task, () => coordinator.requestEvaluation(task, evaluation, undefined, commit)];
          case 'revoke':
            this.#revoked.add(device);
            return [device.id, () => coordinator.revokeDevice(project, device.id)];
          case 'ask-for-job':
            return [task, () => createJob(context, task, cloudWork, undefined, commit)];
          case 'cancel-job':
            return job && [job.id, () => cancelJob(context, job.id)];
        }
      })();
      if (order) this.#ask(node, operation, ...order);
    });
  }

  #ask(node: SimulatedNode, operation: Operation, object: string, work: () => Promise<unknown>): void {
    this.#launch(node, askedOf(node, project, { operation, object }, work));
  }

  async #loseFile(): Promise<void> {
    const files = await readdir(join(this.#directory, 'uploads'));
    const [name] = files.filter((file) => file.endsWith('.update')).sort();
    if (name === undefined) return;
    this.#filesWereLost = true;
    await rm(join(this.#directory, 'uploads', name));
  }

  #arrive(device: SimulatedDevice, node: SimulatedNode): void {
    this.#leave(device);
    this.#online.set(device.id, node);
    node.context.presence.connect(device.id, project);
    this.#launch(node, node.coordinator.deviceOnline(project));
  }

  #leave(device: SimulatedDevice): void {
    this.#online.get(device.id)?.context.presence.disconnect(device.id);
    this.#online.delete(device.id);
  }

  #startNode(): SimulatedNode {
    const isAlone = this.#program.nodes === 1;
    const node = new SimulatedNode(this.#shared);
    this.#nodes = [...this.#alive(), node];
    this.#launch(node, node.coordinator.start(isAlone));
    return node;
  }

  async #pass(ms: number): Promise<void> {
    this.#nowMs += ms;
    await this.#database.setTime(this.#nowMs);
  }

  /** Follows something that was begun: only errors of the program's making, and answers to a caller's fault, may come of it. */
  #launch(node: SimulatedNode, work: Promise<unknown>): void {
    const followed: Promise<void> = work
      .then(
        () => undefined,
        (error: unknown) => {
          if (error instanceof Injected) return;
          if (error instanceof ProblemError && error.status < 500) return;
          if (this.#filesWereLost && isMissingFile(error)) return;
          this.#break(String(error instanceof Error ? error.stack : error));
        },
      )
      .finally(() => this.#underWay.delete(followed));
    this.#underWay.set(followed, node);
  }

  #break(what: string): void {
    this.#broken ??= what;
  }

  /** Goes on until something that also reads files by itself is over. */
  async #whileUnderWay(): Promise<void> {
    while (this.#pending() > 0) await this.goOn(1);
  }

  #pending(): number {
    return [...this.#underWay.values()].filter((node) => node.alive).length;
  }

  #alive(): SimulatedNode[] {
    return this.#nodes.filter((node) => node.alive);
  }

  #at(index: number, work: (node: SimulatedNode) => void): void {
    const alive = this.#alive();
    const node = alive[index % alive.length];
    if (node) work(node);
  }

  #deviceAt(index: number): SimulatedDevice {
    return this.#devices[index % this.#devices.length]!;
  }

  #able(): SimulatedDevice[] {
    return this.#devices.filter((device) => !this.#revoked.has(device));
  }

  #device(id: DeviceId): SimulatedDevice | undefined {
    return this.#devices.find((device) => device.id === id);
  }

  #random(): number {
    const digest = createHash('sha256').update(`${this.#program.order} ${this.#draw++}`).digest();
    return digest.readUInt32LE() / 2 ** 32;
  }
}

function isMissingFile(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

function planOf({ goal, minimum, overSelection, rounds, ...drawn }: DrawnPlan): Plan {
  return {
    learning: { algorithm: 'fedavg', epochs: 1, batchSize: 8, rate: 0.1 },
    optimiser: { kind: 'sgd', rate: 1 },
    rounds,
    cohort: { goal, minimum, overSelection },
    windows,
    adaptation: { steps: 1, rate: 0.1 },
    maxWeight: 16,
    seed: 1,
    ...(drawn.statistics && { statistics: { goal, minimum } }),
    ...(drawn.evaluation && { evaluation: { everyRounds: 1, spec: evaluation } }),
    ...(drawn.hybrid && { hybrid: { everyRounds: 1, work: cloudWork } }),
    ...(drawn.secure && { secure: { groupSize: { target: 3, minimum: 3 }, ring: 32 as const } }),
  };
}
