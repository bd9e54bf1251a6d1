import { parseModel } from '@starling/model';
import type { TaskForecast } from '@starling/protocol/api';
import type { ForecastOrder } from '@starling/server';
import { layoutFor } from '@starling/server/rules';
import { idealFleet, phonesAtNight, readFleetModel } from './fleet-model.ts';
import { SimulationRefused } from './refused.ts';
import { simulate } from './simulate.ts';

/** Devices looked at, over all rounds, for one forecast: seconds on one core. Of a plan with more, the first rounds are played. */
const mostLooks = 2_000_000;
const mostRounds = 10_000;
/** Of a model: weights are made, and copied a few times, though nothing is trained. */
const mostWeights = 2 ** 23;
const mostPoints = 200;

/** What a task would take, by playing it without training. @throws SimulationRefused */
export async function forecast(
  { ir, plan, devices, rows, fleet: wanted, seed }: ForecastOrder,
  looks = mostLooks,
): Promise<TaskForecast> {
  const model = parseModel(ir);
  const { size } = layoutFor(model, plan);
  if (size > mostWeights) {
    throw new SimulationRefused(
      'simulation-unsupported',
      `The model has ${size} weights; forecasts are made for at most ${mostWeights}. "starling simulate --forecast" has no such limit.`,
    );
  }
  const fleet = fleetOf(wanted);
  const played = Math.max(1, Math.min(plan.rounds, mostRounds, Math.floor(looks / devices)));
  const { report } = await simulate({
    ...{ model, fleet, seed, threads: 0, isTraining: false },
    plan: { ...plan, rounds: played },
    population: {
      ...{ kind: 'patterns', devices, heldOut: 0 },
      patterns: { seed, rows, width: model.inputSize, classes: model.classes }, // of which only the rows are counted
    },
  });
  const { rounds, roundMs, dropped, ...totals } = report.forecast;
  const factor = report.outcome === 'completed' ? plan.rounds / played : 1;
  const whole = (value: number) => Math.round(value * factor);
  return {
    outcome: report.outcome,
    rounds: { planned: plan.rounds, played, ...rounds },
    roundMs,
    virtualMs: whole(totals.virtualMs),
    asked: whole(totals.asked),
    counted: whole(totals.counted),
    dropped: Object.fromEntries(Object.entries(dropped).map(([reason, count]) => [reason, whole(count)])),
    bytesDown: whole(totals.bytesDown),
    bytesUp: whole(totals.bytesUp),
    deviceMs: whole(totals.deviceMs),
    computeMs: whole(totals.computeMs),
    course: courseOf(report.rounds),
    assumed: { devices, rows, seed, fleet },
  };
}

function fleetOf(wanted: ForecastOrder['fleet']) {
  if (wanted === 'ideal') return idealFleet;
  return wanted === undefined || wanted === 'phones-at-night' ? phonesAtNight : readFleetModel(wanted);
}

function courseOf(
  rounds: readonly { kind: string; outcome: string; endMs: number }[],
): TaskForecast['course'] {
  const published = rounds.filter(({ kind, outcome }) => kind === 'training' && outcome === 'published');
  const every = Math.ceil(published.length / (mostPoints - 1));
  return published
    .map(({ endMs }, place) => ({ atMs: endMs, published: place + 1 }))
    .filter(({ published: count }) => count === published.length || count % every === 0);
}
