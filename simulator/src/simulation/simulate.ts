import { initialise, type Model, type Params } from '@starling/model';
import {
  digestTensors,
  tensorsOf,
  writeUpdateFile,
  writeWeights,
  type EvaluationSpec,
  type Plan,
  type UpdateBlock,
  type Work,
} from '@starling/protocol';
import {
  assignmentSeed,
  blocksOf,
  hasLearnedRates,
  layoutFor,
  planProblems,
  resultOf,
  secureFacts,
  wantedRound,
  wantsCloudStep,
  type RoundResult,
  type RoundSpec,
} from '@starling/server/rules';
import type { Pack } from '../data/fedpack.ts';
import { candidates, rangeOf, type Surroundings } from './candidates.ts';
import { CloudSteps } from './cloud-step.ts';
import type { FleetModel } from './fleet-model.ts';
import type { OpenCrew } from './crew.ts';
import { History } from './history.ts';
import { openPopulation, type Population, type PopulationOrder } from './population.ts';
import { SimulationRefused } from './refused.ts';
import { forecastOf, type CloudStepReport, type RoundReport, type SimulationReport } from './report.ts';
import { onThreads } from './thread-crew.ts';
import { playRound, type Arrivals, type Timeline } from './timeline.ts';
import { VirtualFleet } from './virtual-fleet.ts';
import { Workforce } from './workforce.ts';

export interface SimulationOptions {
  readonly model: Model;
  readonly plan: Plan;
  readonly population: PopulationOrder;
  readonly fleet: FleetModel;
  /** Of the fleet: what devices are like, when they are there, what becomes of them. The plan's own decides the rest. */
  readonly seed: number;
  /** Threads of this process that do the work of devices. */
  readonly threads: number;
  /** Others that do it instead. */
  readonly crew?: OpenCrew;
  /** false: nothing is trained, and what is left is the forecast. */
  readonly isTraining: boolean;
  /** Parameters to begin with; fresh ones of the plan's seed unless given. */
  readonly start?: Params;
  /** Public keys of devices, by which a server would draw the same cohorts; those of the virtual fleet unless given. */
  readonly keys?: readonly string[];
  /** What the steps in the cloud of a hybrid plan learn from, by the names that it calls. */
  readonly dataSets?: ReadonlyMap<string, Pack>;
  readonly onRound?: (round: RoundReport) => void;
}

export interface Simulation {
  readonly report: SimulationReport;
  readonly params: Params;
}

/** So many rounds abandoned one after another, and the plan will not come to its end. */
const mostAbandoned = 50;

/**
 * Runs a task against virtual devices: the rounds of its plan in virtual time, with the device's own work and the server's own rules. The same options give the
 * same report and the same model, bit for bit, whatever the number of threads, and whoever does the work of devices instead.
 * @throws SimulationRefused For a plan that does not fit the model or the fleet.
 */
export async function simulate(options: SimulationOptions): Promise<Simulation> {
  const population = openPopulation(options.population);
  checkPlan(options, population);
  const simulation = new RunningSimulation(options, population);
  try {
    return await simulation.run();
  } finally {
    await simulation.close();
  }
}

class RunningSimulation {
  readonly #options: SimulationOptions;
  readonly #population: Population;
  readonly #surroundings: Surroundings;
  readonly #history: History;
  readonly #workforce: Workforce | undefined;
  readonly #steps: CloudSteps | undefined;
  /** In memory that threads share. */
  readonly #params: Params;
  /** Of a weights file. */
  readonly #modelBytes: number;
  #optimiser: RoundResult['optimiser'];
  #sequence = 0;
  #nowMs = 0;

  constructor(options: SimulationOptions, population: Population) {
    const { model, plan, seed, threads, crew = onThreads(threads), isTraining, keys } = options;
    this.#steps =
      plan.hybrid && isTraining ? new CloudSteps(plan.hybrid, model, options.dataSets) : undefined;
    const layout = layoutFor(model, plan);
    const start = options.start ?? freshParams(model, plan);
    const memory = new SharedArrayBuffer(layout.size * Float32Array.BYTES_PER_ELEMENT);
    this.#params = { layout, values: new Float32Array(memory) };
    this.#params.values.set(start.values);
    this.#modelBytes = writeWeights(layout, start.values).length;
    this.#options = options;
    this.#population = population;
    this.#history = new History(plan);
    const fleet = new VirtualFleet(options.fleet, seed);
    const keyOf = (device: number) => keys?.[device] ?? fleet.keyOf(device);
    this.#surroundings = { plan, model, fleet, population, history: this.#history, keyOf };
    this.#workforce = isTraining
      ? new Workforce(
          crew({
            ...{ ir: model.ir, population: options.population, values: this.#params.values },
            learnedRates: hasLearnedRates(plan),
          }),
        )
      : undefined;
  }

  async run(): Promise<Simulation> {
    const { plan, fleet, seed, onRound } = this.#options;
    const rounds: RoundReport[] = [];
    const steps: CloudStepReport[] = [];
    const done = new Set<string>();
    let [published, abandoned] = [0, 0];
    for (;;) {
      const spec = wantedRound(plan, published, done);
      if (!spec || abandoned >= mostAbandoned) break;
      const round = await this.#round(spec);
      rounds.push(round);
      onRound?.(round);
      if (spec.kind === 'evaluation') done.add(`evaluation ${published}`);
      abandoned = round.outcome === 'published' ? 0 : abandoned + 1;
      if (round.outcome !== 'published') continue;
      if (spec.kind === 'statistics') done.add('statistics');
      if (spec.kind !== 'training') continue;
      published++;
      if (wantsCloudStep(plan, published)) steps.push(await this.#step(published));
    }
    const { training, size, people } = this.#population;
    const { layout, values } = this.#params;
    return {
      report: {
        outcome: abandoned >= mostAbandoned ? 'stalled' : 'completed',
        ...{ devices: training, heldOut: size - training, people, fleet: fleet.name, seed },
        ...{ rounds, steps, forecast: forecastOf(rounds) },
        final: await this.#judge(),
        digest: this.#workforce ? digestTensors(tensorsOf(layout, values)) : null,
      },
      params: { layout, values: values.slice() },
    };
  }

  async close(): Promise<void> {
    await this.#workforce?.close();
  }

  async #round(spec: RoundSpec): Promise<RoundReport> {
    const { plan, model, fleet } = this.#options;
    const sequence = ++this.#sequence;
    const startMs = this.#nowMs;
    const work = workOf(spec, plan);
    const blocks = blocksOf(spec.kind, model, plan, spec.evaluation);
    const updateBytes = bytesOfUpdate(plan, blocks);
    const modelBytes = this.#modelBytes;
    const offer = { spec, sequence, work, startMs, modelBytes, updateBytes };
    const terms = { spec, windows: plan.windows, secure: plan.secure, roundTripMs: fleet.roundTripMs };
    const arrivals = [...candidates(this.#surroundings, offer)].map(remembered);
    const { timeline, failures, result } = await this.#play(
      (failed) => playRound(terms, arrivals, failed),
      spec,
      { work, blocks, sequence },
    );
    this.#nowMs = startMs + timeline.endMs;
    const isPublished = timeline.outcome === 'published' && result !== 'not-finite';
    if (isPublished && result?.values) this.#params.values.set(result.values);
    if (isPublished && spec.kind === 'training') this.#optimiser = result?.optimiser;
    for (const device of timeline.accepted) this.#history.accept(device, startMs, modelBytes + updateBytes);
    for (const device of timeline.counted)
      this.#history.upload(device, this.#nowMs, spec.kind === 'training');
    return {
      ...{ sequence, kind: spec.kind, number: spec.number, startMs, endMs: this.#nowMs },
      outcome: result === 'not-finite' ? 'sum-not-finite' : timeline.outcome,
      trainingMs: timeline.trainingMs === undefined ? null : startMs + timeline.trainingMs,
      ...{ asked: timeline.asked, accepted: timeline.accepted.length },
      counted: isPublished ? timeline.counted.length : 0,
      ...{ dropped: Object.fromEntries(timeline.dropped), failures, groups: timeline.groups },
      bytesDown: Math.round(timeline.downloads * modelBytes),
      bytesUp: Math.round(timeline.uploads * updateBytes),
      ...{ deviceMs: Math.round(timeline.deviceMs), computeMs: Math.round(timeline.computeMs) },
      metrics: isPublished && result ? result.metrics : null,
    };
  }

  /** The optimiser goes on with the state that it had, as a server's does. */
  async #step(after: number): Promise<CloudStepReport> {
    if (!this.#steps) return { after, metrics: null };
    const { values, metrics } = await this.#steps.take(this.#params, after);
    this.#params.values.set(values);
    return { after, metrics };
  }

  /**
   * The timeline says whose updates are counted, and training whose fail: played again with every failure that turns up, until those that
   * are counted are those that were added.
   */
  async #play(
    play: (failed: ReadonlySet<number>) => Timeline,
    spec: RoundSpec,
    { work, blocks, sequence }: { work: Work; blocks: readonly UpdateBlock[]; sequence: number },
  ): Promise<{
    timeline: Timeline;
    failures: Record<string, number>;
    result: RoundResult | 'not-finite' | undefined;
  }> {
    const { plan } = this.#options;
    const failed = new Map<number, string>();
    const added = new Set<number>();
    const order = { work, blocks: [...blocks], maxWeight: plan.maxWeight };
    let timeline = play(new Set());
    if (!this.#workforce) return { timeline, failures: {}, result: undefined };
    this.#workforce.begin(order);
    for (;;) {
      const counted = new Set(timeline.counted);
      if ([...added].some((device) => !counted.has(device))) {
        added.clear(); // a failure moved a group: what was added is no part of the sum any more
        this.#workforce.begin(order);
      }
      const missing = timeline.counted.filter((device) => !added.has(device));
      if (missing.length === 0) break;
      const found = await this.#workforce.work(this.#assignments(missing, sequence));
      for (const device of missing) if (!found.has(device)) added.add(device);
      if (found.size === 0) break;
      for (const [device, code] of found) failed.set(device, code);
      timeline = play(new Set(failed.keys()));
    }
    const failures: Record<string, number> = {};
    for (const code of failed.values()) failures[code] = (failures[code] ?? 0) + 1;
    if (timeline.outcome !== 'published') return { timeline, failures, result: undefined };
    const { kind, number, evaluation } = spec;
    const start = { kind, number, evaluation, plan, params: this.#params, optimiser: this.#optimiser };
    const result = resultOf(start, await this.#workforce.sum());
    return { timeline, failures, result: result ?? 'not-finite' };
  }

  /** Every held-out device judges the model as it is, outside virtual time. Devices that cannot are left out. */
  async #judge(): Promise<SimulationReport['final']> {
    const { plan, model } = this.#options;
    const [first, end] = rangeOf({ kind: 'evaluation', selection: { split: 'held-out' } }, this.#population);
    if (!this.#workforce || first === end) return null;
    const spec = finalEvaluation(plan, end - first);
    const work: Work = { kind: 'evaluation', spec };
    const blocks = blocksOf('evaluation', model, plan, spec);
    this.#workforce.begin({ work, blocks, maxWeight: plan.maxWeight });
    const devices = Array.from({ length: end - first }, (_, i) => first + i);
    const failed = await this.#workforce.work(this.#assignments(devices, this.#sequence + 1));
    if (failed.size === devices.length) return null;
    const start = { kind: 'evaluation', number: 0, evaluation: spec, plan, params: this.#params } as const;
    const judged = resultOf({ ...start, optimiser: undefined }, await this.#workforce.sum());
    return (judged?.metrics ?? null) as SimulationReport['final']; // those of an evaluation
  }

  #assignments(devices: readonly number[], sequence: number) {
    const { keyOf, plan } = this.#surroundings;
    return devices.map((device) => ({ device, seed: assignmentSeed(plan.seed, sequence, keyOf(device)) }));
  }
}

/** Arrivals that can be looked through again, as far as they were, without being worked out anew. */
function remembered({ fromMs, devices }: Arrivals): Arrivals {
  const known: (typeof devices extends Iterable<infer Run> ? Run : never)[] = [];
  let source: Iterator<(typeof known)[number]> | undefined;
  return {
    fromMs,
    devices: {
      *[Symbol.iterator]() {
        for (let place = 0; ; place++) {
          if (place === known.length) {
            source ??= devices[Symbol.iterator]();
            const next = source.next();
            if (next.done === true) return;
            known.push(next.value);
          }
          yield known[place]!;
        }
      },
    },
  };
}

/** The weights that a task begins with whose version 0 nobody gave. */
export function freshParams(model: Model, { learning, seed }: Pick<Plan, 'learning' | 'seed'>): Params {
  return initialise(
    model,
    seed,
    learning.algorithm === 'meta-sgd' ? { learnedRates: learning.initialRate } : {},
  );
}

function workOf({ kind, evaluation }: RoundSpec, { learning }: Plan): Work {
  switch (kind) {
    case 'statistics':
      return { kind };
    case 'training':
      return { kind, learning };
    case 'evaluation':
      if (!evaluation) throw new TypeError('An evaluation round has a specification.');
      return { kind, spec: evaluation };
  }
}

/** Bytes that a device hands in: its update file, or the words of its masked vector (messages of its group come besides). */
function bytesOfUpdate(plan: Plan, blocks: readonly UpdateBlock[]): number {
  const secure = secureFacts(plan, blocks);
  return secure ? (secure.layout.length * secure.layout.ring) / 8 : writeUpdateFile(blocks, {}, 1).length;
}

/** How the final model is judged: as the plan's evaluations do, else by half of a person's data and the plan's adaptation. */
function finalEvaluation({ evaluation, adaptation }: Plan, devices: number): EvaluationSpec {
  const everyone = { goal: devices, minimum: 1 };
  if (evaluation) {
    const { supportShares, steps, rate, alone } = evaluation.spec;
    return { ...everyone, supportShares, steps, rate, ...(alone && { alone }) };
  }
  const { steps, rate } = adaptation;
  return { ...everyone, supportShares: [0.5], steps: [Math.max(1, steps)], rate };
}

/** @throws SimulationRefused */
function checkPlan({ plan, model, start }: SimulationOptions, population: Population): void {
  const [problem, ...more] = planProblems(plan, model);
  if (problem)
    throw new SimulationRefused(
      'simulation-invalid',
      `The plan does not fit: ${problem.path} ${problem.message}${more.length > 0 ? ` (and ${more.length} more)` : ''}.`,
    );
  if (start && start.values.length !== layoutFor(model, plan).size)
    throw new SimulationRefused(
      'simulation-invalid',
      'The weights to start from are not those of the model and the plan.',
    );
  for (const [what, kind, cohort] of [
    ['statistics', 'statistics', plan.statistics],
    ['cohort', 'training', plan.cohort],
    ['evaluation.spec', 'evaluation', plan.evaluation?.spec],
  ] as const) {
    if (!cohort) continue;
    const { split = 'train', ...others } = cohort.select ?? {};
    const unknown = Object.keys(others)[0];
    if (unknown !== undefined || !['train', 'held-out'].includes(split))
      throw new SimulationRefused(
        'simulation-unsupported',
        `plan.${what}.select asks for devices by ${unknown ?? `split "${split}"`}; virtual devices have the label split, which is "train" or "held-out".`,
      );
    const [first, end] = rangeOf({ kind, selection: cohort.select ?? {} }, population);
    if (end - first < cohort.minimum)
      throw new SimulationRefused(
        'simulation-too-few-devices',
        `plan.${what} wants ${cohort.minimum} devices at least; ${end - first} are for it. Raise --devices, or lower the minimum.`,
      );
  }
}
