import { readFile, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
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
  idealFleet,
  patternsFor,
  phonesAtNight,
  readDocument,
  readFleetModel,
  simulate,
  type FleetModel,
  type PopulationOrder,
} from '@starling/simulator/simulation';
import { featureRows, rawWindows } from '../demo/plans.ts';
import type { SimulateOptions } from './options.ts';
import { RoundTable, summary } from './tables.ts';
import { trialPlan } from './trial-plan.ts';

const root = join(import.meta.dirname, '../../..');
const defaultPack = 'wisdm-watch';
const defaultModel = join(root, 'model/zoo/sensor-cnn.json');
const syntheticDevices = 1_000;

/** Tries a plan on virtual devices, and says what it came to. */
export async function runSimulate(options: SimulateOptions): Promise<void> {
  const started = performance.now();
  const out = options.json ? process.stderr : process.stdout;
  const { model, population, data } = await scene(options);
  const fleet = await fleetOf(options);
  const plan = await planOf(options, model, population);
  const threads = options.threads ?? availableParallelism();
  out.write(`Starling simulation: no server, no network; times are virtual\n\n  data       ${data}\n`);
  out.write(
    `  devices    ${population.devices} train, ${heldOutIn(population)} held out; fleet "${fleet.name}", seed ${options.seed}\n`,
  );
  out.write(
    `  plan       ${plan.learning.algorithm}, ${plan.rounds} rounds of ${plan.cohort.goal}; ${options.forecast ? 'forecast only' : `${threads} threads`}\n\n`,
  );
  const table = new RoundTable(out, plan.rounds);
  const { report, params } = await simulate({
    ...{ model, plan, population, fleet, threads, seed: options.seed, isTraining: !options.forecast },
    dataSets: await opened(options.dataSet),
    onRound: (round) => {
      table.show(round);
    },
  });
  out.write(`${summary(report)}\n`);
  if (options.weightsOut !== undefined && !options.forecast)
    await writeFile(options.weightsOut, writeWeights(params.layout, params.values));
  if (!options.json) return;
  const seconds = Math.round((performance.now() - started) / 100) / 10;
  const peakRssMb = Math.round(process.resourceUsage().maxRSS / 1024);
  const { synthetic } = options;
  process.stdout.write(`${JSON.stringify({ data, synthetic, threads, ...report, seconds, peakRssMb })}\n`);
}

/** The model, and whose data the devices have. */
async function scene(
  options: SimulateOptions,
): Promise<{ model: Model; population: PopulationOrder; data: string }> {
  if (options.synthetic) {
    const model = parseModel(await readJson(options.model ?? defaultModel));
    const devices = options.devices ?? syntheticDevices;
    const heldOut = Math.min(100, Math.ceil(devices / 5));
    const patterns = patternsFor(model, options.seed, options.rows);
    const data = `SYNTHETIC: made-up rows for ${model.ir.name}, ${options.rows} a device`;
    return { model, population: { kind: 'patterns', devices, heldOut, patterns }, data };
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
