import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseModel } from '@starling/model';
import type {
  EvaluationMetrics,
  EvaluationSpec,
  LiveEvent,
  ModelDetail,
  RoundDetail,
  Task,
} from '@starling/protocol';
import { createClient, type Client } from '@starling/protocol/api';
import {
  examplesOf,
  findPack,
  inputShape,
  launchProcesses,
  modelFor,
  openSource,
  partition,
  partitionByPacks,
  startFleet,
  type DataSource,
  type FleetMember,
  type Pack,
} from '@starling/simulator';
import { startServer } from '@starling/server';
import { forecastThreads } from '@starling/simulator/simulation';
import { consolePages, pages } from '../pages.ts';
import { KillTally } from './kills.ts';
import { listen } from './live-events.ts';
import type { Algorithm, DemoOptions } from './options.ts';
import {
  aloneEvaluation,
  evaluationFor,
  featureRows,
  planFor,
  rawWindows,
  secureFor,
  type Settings,
} from './plans.ts';
import { ProgressTable, type Screen } from './progress.ts';
import { comparisonTable, localReport, methodReport, type DemoReport } from './report.ts';

interface Cast {
  pack: Pack;
  source: DataSource;
  holdout: Pack | undefined;
  holdoutSource: DataSource;
  train: readonly string[];
  heldOut: readonly string[];
}

const root = join(import.meta.dirname, '../../..');
const defaultPack = 'wisdm-watch';
const syntheticUsers = 20;

/**
 * The front door: a server, one device process a person, federated training over the real protocol, and the
 * comparison on people who were held out.
 */
export async function runDemo(options: DemoOptions): Promise<void> {
  const started = performance.now();
  const out = options.json ? process.stderr : process.stdout;
  const screen: Screen = { write: (text) => void out.write(text), live: out.isTTY };
  const seed = options.seed ?? options.fold;
  const cast = await castOf(options, seed);
  const settings = settingsFor(cast.pack, options);
  const ir = options.model === undefined ? modelFor(cast.pack) : await readModel(options.model);
  introduce(screen, cast, options, settings, seed);
  const kills = new KillTally(options.kill);

  const processes = launchProcesses(cast.train.length + cast.heldOut.length);
  const place = await mkdtemp(join(tmpdir(), 'starling-demo-'));
  const server = await startServer({
    dataDirectory: join(place, 'server'),
    logLevel: 'error',
    pollIntervalMs: 100,
    pages,
    console: consolePages,
    forecaster: forecastThreads(),
  });
  if (server.firstKey === undefined) throw new Error('An empty data directory gave no first key.');
  const access = { url: server.url, key: server.firstKey };
  const admin = createClient({ ...access, http: fetch, newKey: randomUUID });
  let stopListening: (() => void) | undefined;
  let stopFleet: (() => Promise<{ bytesUp: number; bytesDown: number }>) | undefined;
  try {
    screen.write(`  server     ${server.url} (PGlite, file blobs, in ${place})\n`);
    const fleet = await startFleet(processes, {
      server: server.url,
      directory: join(place, 'devices'),
      seed,
      members: await membersOf(admin, cast, options.kill),
      onError: (user, message) => {
        // While devices are killed, others hear of groups that end and rounds that close: that is the point.
        if (options.kill === 0) screen.write(`  device of user ${user}: ${message}\n`);
      },
      onKill: (_, moment) => {
        kills.kill(moment);
      },
    });
    stopFleet = () => fleet.stop();
    screen.write(`  devices    ${fleet.deviceIds.size} processes online\n\n`);
    const model = await admin.call('uploadModel', { body: ir });
    const choices = { seed, secure: options.secure, kill: options.kill };
    const experiment = new Experiment(admin, model, settings, cast, choices, kills, screen);
    stopListening = await listen(access, (event) => {
      experiment.hear(event);
    });
    const methods: DemoReport['methods'] = {};
    const rounds: DemoReport['rounds'] = {};
    let last: Task | undefined;
    for (const algorithm of options.algorithm) {
      last = await experiment.train(algorithm);
      rounds[algorithm] = last.plan.rounds;
      methods[algorithm] = methodReport(
        await experiment.judge(last, evaluationFor(algorithm, settings, cast.heldOut.length)),
      );
    }
    if (last) {
      const alone = await experiment.judge(last, aloneEvaluation(settings, cast.heldOut.length));
      methods['local'] = localReport(alone, settings);
    }
    if (options.keep) await untilInterrupted(screen, server.url, server.firstKey);
    const bytes = await fleet.stop();
    stopFleet = undefined;
    const report: DemoReport = {
      dataset: cast.pack.name,
      holdout: cast.holdout?.name ?? null,
      synthetic: options.synthetic,
      secure: options.secure,
      ...(options.kill > 0 && { kills: kills.report }),
      users: cast.train.length,
      heldOut: cast.heldOut.length,
      rounds,
      seed,
      fold: cast.holdout || options.synthetic ? null : options.fold,
      methods: inOrder(methods),
      ...bytes,
      seconds: Math.round((performance.now() - started) / 100) / 10,
    };
    screen.write(`${comparisonTable(report)}\n`);
    if (options.secure) screen.write(`\n${maskedNote}\n`);
    if (options.kill > 0) screen.write(`\n${kills.text}\n`);
    screen.write(
      `\n${(bytes.bytesUp / 1e6).toFixed(1)} MB up, ${(bytes.bytesDown / 1e6).toFixed(1)} MB down, ${report.seconds} s. Run your own server: npm start\n`,
    );
    if (options.json) process.stdout.write(`${JSON.stringify(report)}\n`);
  } finally {
    await stopFleet?.();
    for (const child of processes) child.kill();
    stopListening?.();
    await server.close();
    await rm(place, { recursive: true, force: true });
  }
}

const maskedNote =
  'Every update left its device masked: the server added words that say nothing each, and saw the sums of groups only.';

async function castOf(options: DemoOptions, seed: number): Promise<Cast> {
  if (options.synthetic) {
    const source: DataSource = { kind: 'synthetic', seed, users: syntheticUsers };
    const pack = await openSource(source);
    return {
      pack,
      source,
      holdout: undefined,
      holdoutSource: source,
      ...limited(partition(pack, options), options),
    };
  }
  const search = { env: process.env, cwd: process.cwd(), root };
  const directory = await findPack(options.data ?? defaultPack, search);
  const source: DataSource = { kind: 'pack', directory };
  const pack = await openSource(source);
  if (options.holdout === undefined) {
    return {
      pack,
      source,
      holdout: undefined,
      holdoutSource: source,
      ...limited(partition(pack, options), options),
    };
  }
  const holdoutSource: DataSource = { kind: 'pack', directory: await findPack(options.holdout, search) };
  const holdout = await openSource(holdoutSource);
  return { pack, source, holdout, holdoutSource, ...limited(partitionByPacks(pack, holdout), options) };
}

function limited(users: { train: readonly string[]; heldOut: readonly string[] }, options: DemoOptions) {
  return { train: users.train.slice(0, options.devices), heldOut: users.heldOut };
}

function settingsFor(pack: Pack, options: DemoOptions): Settings {
  const base = inputShape(pack).length === 1 ? featureRows : rawWindows;
  return {
    ...base,
    cohort: options.cohort ?? base.cohort,
    fineTuneRate: options.fineTuneRate ?? base.fineTuneRate,
    rounds:
      options.rounds === undefined ? base.rounds : { federated: options.rounds, meta: 2 * options.rounds },
  };
}

async function readModel(file: string): Promise<object> {
  const text = await readFile(file, 'utf8');
  try {
    return JSON.parse(text) as object; // the server checks what it is
  } catch (cause) {
    throw new Error(`${file} is not JSON; --model wants a model IR (docs/model-ir.md).`, { cause });
  }
}

function introduce(screen: Screen, cast: Cast, options: DemoOptions, settings: Settings, seed: number): void {
  const { pack, holdout } = cast;
  const rows = examplesOf(pack, cast.train[0] ?? '').count;
  screen.write(`Starling demo: federated meta-learning, every person's data on a device of its own\n\n`);
  if (options.synthetic)
    screen.write('  NOTE       the data are SYNTHETIC: generated wrist motion, no real person\n');
  screen.write(`  data       ${pack.name}: ${pack.title}\n`);
  screen.write(
    `  input      [${inputShape(pack).join(', ')}], ${pack.classes.length} classes, about ${rows} rows a person\n`,
  );
  if (options.secure) {
    const { target, minimum } = secureFor(Math.min(settings.cohort, cast.train.length)).groupSize;
    screen.write(
      `  secure     updates are masked (SA-1): groups of ${target}, sums of at least ${minimum}, exact\n`,
    );
  }
  const from = holdout ? `all of ${holdout.name}` : `fold ${options.fold}`;
  screen.write(
    `  people     ${cast.train.length} train, ${cast.heldOut.length} held out (${from}); seed ${seed}\n`,
  );
}

/** Two enrolment tokens say who may train: the label is the project's word, not the device's. */
async function membersOf(admin: Client, cast: Cast, killShare: number): Promise<FleetMember[]> {
  const token = (split: string) => admin.call('createEnrolmentToken', { body: { labels: { split } } });
  const [train, heldOut] = await Promise.all([token('train'), token('held-out')]);
  return [
    ...cast.train.map((user) => ({ user, source: cast.source, enrolmentToken: train.token, killShare })),
    ...cast.heldOut.map((user) => ({ user, source: cast.holdoutSource, enrolmentToken: heldOut.token })),
  ];
}

/** Tasks of one demo, run one after another and followed by the server's live events. */
class Experiment {
  readonly #admin: Client;
  readonly #model: ModelDetail;
  readonly #settings: Settings;
  readonly #cast: Cast;
  readonly #choices: { seed: number; secure: boolean; kill: number };
  readonly #kills: KillTally;
  readonly #screen: Screen;
  #onRound: (round: RoundDetail) => void = () => undefined;
  #onTask: (task: Task) => void = () => undefined;

  constructor(
    admin: Client,
    model: ModelDetail,
    settings: Settings,
    cast: Cast,
    choices: { seed: number; secure: boolean; kill: number },
    kills: KillTally,
    screen: Screen,
  ) {
    this.#admin = admin;
    this.#model = model;
    this.#settings = settings;
    this.#cast = cast;
    this.#choices = choices;
    this.#kills = kills;
    this.#screen = screen;
  }

  /** An event of the server. */
  hear(event: LiveEvent): void {
    if (event.kind === 'round') this.#onRound(event.round);
    if (event.kind === 'task') this.#onTask(event.task);
  }

  /** Trains a task to its last round. */
  async train(algorithm: Algorithm): Promise<Task> {
    const { digest, ir } = this.#model;
    const plan = planFor(algorithm, this.#settings, {
      training: this.#cast.train.length,
      ...this.#choices,
      standardises: parseModel(ir).parameters.some(({ statistic }) => statistic !== undefined),
    });
    const task = await this.#admin.call('createTask', { body: { name: algorithm, model: digest, plan } });
    const table = new ProgressTable(this.#screen, algorithm, plan.rounds);
    const ended = new Promise<void>((resolve, reject) => {
      this.#onRound = (round) => {
        if (round.taskId !== task.id || round.endedAt === null) return;
        this.#kills.round(round);
        if (round.state === 'abandoned' && this.#choices.kill === 0) {
          reject(
            new Error(
              `Round ${round.sequence} of ${algorithm} was abandoned (${round.reason ?? 'no reason'}).`,
            ),
          );
        } else if (round.state === 'published' && round.kind === 'training') table.show(round);
      };
      this.#onTask = (seen) => {
        if (seen.id === task.id && seen.state === 'completed') resolve();
      };
    });
    const its = { params: { id: task.id } };
    await this.#admin.call('startTask', its);
    await ended;
    return this.#admin.call('getTask', its);
  }

  /** Has the held-out devices judge the task's current version. */
  async judge(task: Task, spec: EvaluationSpec): Promise<EvaluationMetrics> {
    const over = new Map<string, RoundDetail>();
    let wake: () => void = () => undefined;
    this.#onRound = (round) => {
      if (round.endedAt === null) return;
      over.set(round.id, round);
      wake();
    };
    const { id } = await this.#admin.call('evaluateTask', {
      params: { id: task.id },
      body: { spec },
    });
    let round = over.get(id);
    while (!round) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
      round = over.get(id);
    }
    if (round.state !== 'published') {
      throw new Error(`The evaluation of ${task.name} was abandoned (${round.reason ?? 'no reason'}).`);
    }
    return round.metrics as EvaluationMetrics;
  }
}

function inOrder(methods: DemoReport['methods']): DemoReport['methods'] {
  const { local, ...rest } = methods;
  return local ? { local, ...rest } : rest;
}

async function untilInterrupted(screen: Screen, url: string, key: string): Promise<void> {
  screen.write(`\n  The server stays up at ${url} with API key ${key}; interrupt (Ctrl-C) to end.\n`);
  await new Promise<void>((resolve) => process.once('SIGINT', resolve));
}
