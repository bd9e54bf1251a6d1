import { readFile, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { parseModel, type Model } from '@starling/model';
import { writeWeights, type Plan } from '@starling/protocol';
import { Plan as PlanSchema } from '@starling/protocol/schemas';
import {
  findPack,
  inputShape,
  modelFor,
  openPack,
  partition,
  partitionByPacks,
  type Pack,
} from '@starling/simulator';
import {
  freshParams,
  idealFleet,
  phonesAtNight,
  readDocument,
  readFleetModel,
  simulate,
  syntheticPopulation,
  type FleetModel,
  type PopulationOrder,
  type RoundReport,
  type SimulationOptions,
  type SimulationReport,
} from '@starling/simulator/simulation';
import { featureRows, rawWindows } from '../demo/plans.ts';
import { simulateOnRay } from './on-ray.ts';
import type { SimulateOptions } from './options.ts';
import { RoundTable, summary } from './tables.ts';
import { trialPlan } from './trial-plan.ts';

const root = join(import.meta.dirname, '../../..');
const defaultPack = 'wisdm-watch';
const defaultModel = join(root, 'model/zoo/sensor-cnn.json');

/** Tries a plan on virtual devices, and says what it came to. */
export async function runSimulate(options: SimulateOptions): Promise<void> {
  const started = performance.now();
  const out = options.json ? process.stderr : process.stdout;
  if (options.ray !== undefined && (options.forecast || options.holdout !== undefined))
    throw new Error('--ray goes without --forecast, which needs no cluster, and without --holdout.');
  const { model, population, data, pack } = await scene(options);
  const fleet = await fleetOf(options);
  const plan = await planOf(options, model, population);
  const threads = options.threads ?? availableParallelism();
  out.write(`Starling simulation: no server, no network; times are virtual\n\n  data       ${data}\n`);
  out.write(
    `  devices    ${population.devices} train, ${heldOutIn(population)} held out; fleet "${fleet.name}", seed ${options.seed}\n`,
  );
  out.write(
    `  plan       ${plan.learning.algorithm}, ${plan.rounds} rounds of ${plan.cohort.goal}; ${options.forecast ? 'forecast only' : options.ray === undefined ? `${threads} threads` : `${options.workers} workers on ${options.ray}`}\n\n`,
  );
  const table = new RoundTable(out, plan.rounds);
  const { report, weights } =
    options.ray === undefined
      ? await simulateHere(options, { model, plan, population, fleet, threads }, (round) => {
          table.show(round);
        })
      : await simulateOnRay(
          options.ray,
          options,
          { model, plan, fleet, pack, start: freshParams(model, plan), devices: population.devices },
          (line) => out.write(`  ${line}\n`),
        );
  if (options.ray !== undefined) for (const round of report.rounds) table.show(round);
  out.write(`${summary(report)}\n`);
  if (options.weightsOut !== undefined && !options.forecast) await writeFile(options.weightsOut, weights);
  if (!options.json) return;
  const seconds = Math.round((performance.now() - started) / 100) / 10;
  const peakRssMb = Math.round(process.resourceUsage().maxRSS / 1024);
  const { synthetic, ray, workers } = options;
  const crew = ray === undefined ? { threads } : { workers };
  process.stdout.write(`${JSON.stringify({ data, synthetic, ...crew, ...report, seconds, peakRssMb })}\n`);
}

async function simulateHere(
  { seed, forecast, dataSet }: SimulateOptions,
  scene: Pick<SimulationOptions, 'model' | 'plan' | 'population' | 'fleet' | 'threads'>,
  onRound: (round: RoundReport) => void,
): Promise<{ report: SimulationReport; weights: Uint8Array }> {
  const dataSets = await opened(dataSet);
  const { report, params } = await simulate({ ...scene, seed, isTraining: !forecast, dataSets, onRound });
  return { report, weights: writeWeights(params.layout, params.values) };
}

/** The model, and whose data the devices have. */
async function scene(
  options: SimulateOptions,
): Promise<{ model: Model; population: PopulationOrder; data: string; pack: string | null }> {
  if (options.synthetic) {
    const model = parseModel(await readJson(options.model ?? defaultModel));
    const { devices, rows, seed } = options;
    const population = syntheticPopulation(model, { rows, seed, ...(devices !== undefined && { devices }) });
    const data = `SYNTHETIC: made-up rows for ${model.ir.name}, ${rows} a device`;
    return { model, population, data, pack: null };
  }
  const search = { env: process.env, cwd: process.cwd(), root };
  const pack = await openPack(await findPack(options.data ?? defaultPack, search));
  const holdout =
    options.holdout === undefined ? pack : await openPack(await findPack(options.holdout, search));
  const { train, heldOut } = holdout === pack ? partition(pack, options) : partitionByPacks(pack, holdout);
  const model = parseModel(options.model === undefined ? modelFor(pack) : await readJson(options.model));
  if (model.inputShape.join() !== inputShape(pack).join())
    throw new Error(
      `The model takes rows of [${model.inputShape.join(', ')}]; ${pack.name} has [${inputShape(pack).join(', ')}].`,
    );
  const parts = pack.parts;
  return {
    model,
    population: {
      ...{ kind: 'pack', devices: options.devices ?? train.length, train, heldOut },
      ...{ pack: parts, holdout: holdout === pack ? parts : holdout.parts },
    },
    data: `${pack.name}: ${pack.title}`,
    pack: resolve(pack.path),
  };
}

async function opened(directories: Readonly<Record<string, string>>): Promise<Map<string, Pack>> {
  const packs = new Map<string, Pack>();
  for (const [name, directory] of Object.entries(directories)) packs.set(name, await openPack(directory));
  return packs;
}

function heldOutIn(population: PopulationOrder): number {
  return population.kind === 'pack' ? population.heldOut.length : population.heldOut;
}

async function fleetOf({ fleet }: SimulateOptions): Promise<FleetModel> {
  if (fleet === undefined) return phonesAtNight;
  return fleet === 'ideal' ? idealFleet : readFleetModel(await readJson(fleet));
}

async function planOf(options: SimulateOptions, model: Model, population: PopulationOrder): Promise<Plan> {
  const { rounds, seed, algorithm } = options;
  if (options.plan !== undefined) {
    const plan = readDocument(PlanSchema, await readJson(options.plan), 'The plan');
    return { ...plan, ...(rounds !== undefined && { rounds }) };
  }
  const base = model.inputShape.length === 1 ? featureRows : rawWindows;
  const settings = {
    ...base,
    rounds: rounds === undefined ? base.rounds : { federated: rounds, meta: rounds },
  };
  return trialPlan(algorithm, settings, {
    ...{ training: population.devices, heldOut: heldOutIn(population), seed },
    standardises: model.parameters.some(({ statistic }) => statistic !== undefined),
  });
}

async function readJson(file: string): Promise<unknown> {
  const text = await readFile(file, 'utf8');
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error(`${file} is not JSON.`, { cause });
  }
}
