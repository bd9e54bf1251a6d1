import type { Model } from '@starling/model';
import type { Plan, Work } from '@starling/protocol';
import { sampleCohort, type RoundSpec } from '@starling/server/rules';
import type { History } from './history.ts';
import type { Population } from './population.ts';
import type { Arrivals, DeviceRun } from './timeline.ts';
import type { VirtualFleet } from './virtual-fleet.ts';
import { flopsOf } from './work-cost.ts';

/** A round as devices meet it. */
export interface Offer {
  readonly spec: RoundSpec;
  readonly sequence: number;
  readonly work: Work;
  readonly startMs: number;
  readonly modelBytes: number;
  readonly updateBytes: number;
}

export interface Surroundings {
  readonly plan: Plan;
  readonly model: Model;
  readonly fleet: VirtualFleet;
  readonly population: Population;
  readonly history: History;
  readonly keyOf: (device: number) => string;
}

/**
 * Whom the coordinator can ask for a round, in its order: those that are there when it opens, and with each hour of the window those
 * that have come. Worked out as far as it is looked at.
 */
export function* candidates(surroundings: Surroundings, offer: Offer): Generator<Arrivals> {
  const { plan, fleet } = surroundings;
  const seen = new Set<number>();
  const endMs = offer.startMs + plan.windows.selectingMs;
  for (let atMs = offer.startMs; atMs <= endMs; atMs = fleet.nextHourMs(atMs))
    yield { fromMs: atMs - offer.startMs, devices: runsFrom(surroundings, offer, atMs, seen) };
}

function* runsFrom(
  { plan, model, fleet, population, history, keyOf }: Surroundings,
  { spec, sequence, work, startMs, modelBytes, updateBytes }: Offer,
  atMs: number,
  seen: Set<number>,
): Generator<DeviceRun> {
  const isTraining = spec.kind === 'training';
  const [first, end] = rangeOf(spec, population);
  const present: { device: number; public_key: string; turns: number }[] = [];
  for (let device = first; device < end; device++) {
    if (seen.has(device) || !fleet.isAvailable(device, atMs)) continue;
    if (!history.mayAsk(device, startMs, modelBytes + updateBytes, isTraining)) continue;
    present.push({
      device,
      public_key: keyOf(device),
      turns: isTraining ? history.turnsOf(device) : 0,
    });
  }
  for (const { device } of sampleCohort(present, present.length, plan.seed, sequence)) {
    seen.add(device);
    const { gigaflops, downBytesPerSecond, upBytesPerSecond, ...traits } = fleet.traitsOf(device);
    const fate = fleet.fateOf(device, sequence);
    const rows = population.rowsOf(device);
    yield {
      device,
      declines: fate.declines < traits.declines || rows < (plan.eligibility?.minExamples ?? 1),
      downMs: (1000 * modelBytes) / downBytesPerSecond,
      computeMs: flopsOf(work, model, rows) / (gigaflops * 1e6),
      upMs: (1000 * updateBytes) / upBytesPerSecond,
      vanishesAt: fate.dropsOut < traits.dropOut ? fate.when : undefined,
    };
  }
}

/** The devices that a round is for, by its label `split`; evaluations are for those that are held out unless they say otherwise. */
export function rangeOf(
  { kind, selection }: Pick<RoundSpec, 'kind' | 'selection'>,
  { training, size }: Pick<Population, 'training' | 'size'>,
): readonly [first: number, end: number] {
  const split = selection['split'] ?? (kind === 'evaluation' && size > training ? 'held-out' : 'train');
  return split === 'held-out' ? [training, size] : [0, training];
}
