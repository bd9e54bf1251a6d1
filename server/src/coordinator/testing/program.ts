import fc from 'fast-check';
import { faults, type Fault } from './simulated-node.ts';

/** What an operator does to a task, its round under way, or a device. */
export const operations = [
  'start',
  'pause',
  'resume',
  'cancel',
  'extend',
  'close-now',
  'abort',
  'evaluate',
  'revoke',
  'ask-for-job',
  'cancel-job',
] as const;
export type Operation = (typeof operations)[number];

/** What a device does beside its work: honest doubt, bad luck, or malice. */
export const deeds = [
  'decline',
  'fail',
  'say-again',
  'announce-another',
  'send-from-elsewhere',
  'send-again',
  'break-off',
] as const;
export type Deed = (typeof deeds)[number];

/** What becomes of a job in the cloud. */
export const jobOutcomes = ['succeeded', 'failed', 'lost'] as const;
export type JobOutcome = (typeof jobOutcomes)[number];

/** One thing that happens. `node`, `task` and `device` are taken modulo how many there are. */
export type Happening =
  | { readonly kind: 'arrive' | 'leave'; readonly device: number; readonly node: number }
  | {
      readonly kind: 'work';
      readonly device: number;
      readonly node: number;
      readonly messages: number;
      readonly parts: number;
    }
  | { readonly kind: 'all-work'; readonly node: number; readonly messages: number; readonly parts: number }
  | { readonly kind: 'deed'; readonly device: number; readonly node: number; readonly deed: Deed }
  | { readonly kind: 'poll' | 'beat' | 'look-at-jobs' | 'kill'; readonly node: number }
  | { readonly kind: 'start-node' | 'lose-file' }
  | { readonly kind: 'job-ends'; readonly outcome: JobOutcome }
  | { readonly kind: 'pass'; readonly ms: number; readonly beats: boolean }
  | { readonly kind: 'skew'; readonly node: number; readonly ms: number }
  | {
      readonly kind: 'operate';
      readonly operation: Operation;
      readonly task: number;
      readonly device: number;
      readonly node: number;
    }
  | { readonly kind: 'fault'; readonly node: number; readonly fault: Fault; readonly afterCalls: number };

/** A happening, and how many calls of the nodes go on before the next one. */
export type Step = Happening & { readonly calls: number };

export interface DrawnPlan {
  readonly goal: number;
  /** At most the goal. */
  readonly minimum: number;
  readonly overSelection: number;
  readonly rounds: number;
  readonly statistics: boolean;
  readonly evaluation: boolean;
  readonly hybrid: boolean;
  /** Sums under masks, in groups of three or four. */
  readonly secure: boolean;
}

export interface Program {
  readonly plans: readonly DrawnPlan[];
  readonly devices: number;
  /** How many may be alive at once. With one, each start is that of the embedded database: no other can be alive. */
  readonly nodes: number;
  readonly steps: readonly Step[];
  /** Which of the waiting calls goes on is drawn from this. */
  readonly order: number;
  /** How it ends: nobody does anything any more, or all devices work until every task is done. */
  readonly ending: 'silence' | 'work';
}

/** Until all that was begun has ended. */
export const untilQuiet = 10_000;

/** Longer than any window of {@link windows}, and than the time that a node has to publish. */
export const leaseMs = 61_000;
export const windows = { selectingMs: 20_000, trainingMs: 30_000, aggregatingMs: 40_000 };

const device = fc.nat(5);
const node = fc.nat(1);
const task = fc.nat(1);
const calls = fc.oneof(
  { weight: 3, arbitrary: fc.constant(untilQuiet) },
  { weight: 2, arbitrary: fc.nat(40) },
);

const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('arrive' as const), device, node }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('leave' as const), device, node }) },
  {
    weight: 20,
    arbitrary: fc.record({
      kind: fc.constant('work' as const),
      device,
      node,
      messages: fc.integer({ min: 1, max: 6 }),
      parts: fc.integer({ min: 1, max: 3 }),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('all-work' as const),
      node,
      messages: fc.integer({ min: 1, max: 6 }),
      parts: fc.integer({ min: 1, max: 2 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('deed' as const),
      device,
      node,
      deed: fc.constantFrom(...deeds),
    }),
  },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('poll' as const), node }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('beat' as const), node }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('look-at-jobs' as const), node }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('job-ends' as const),
      outcome: fc.constantFrom(...jobOutcomes),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('lose-file' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('kill' as const), node }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('start-node' as const) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('pass' as const),
      ms: fc.constantFrom(500, 5_000, 20_001, 30_001, 40_001, leaseMs),
      beats: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('skew' as const),
      node,
      ms: fc.constantFrom(-120_000, -5_000, 5_000, 120_000),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('operate' as const),
      operation: fc.constantFrom(...operations),
      task,
      device,
      node,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('fault' as const),
      node,
      fault: fc.constantFrom(...faults),
      afterCalls: fc.nat(25),
    }),
  },
);

const plan = (secure: fc.Arbitrary<boolean>): fc.Arbitrary<DrawnPlan> =>
  fc
    .record({
      goal: fc.integer({ min: 1, max: 4 }),
      minimum: fc.integer({ min: 1, max: 3 }),
      overSelection: fc.constantFrom(1, 1.5),
      rounds: fc.integer({ min: 1, max: 3 }),
      statistics: fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, fc.constant(true)),
      evaluation: fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, fc.constant(true)),
      hybrid: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, fc.constant(true)),
      secure,
    })
    .map((drawn) =>
      drawn.secure
        ? { ...drawn, goal: Math.max(3, drawn.goal), minimum: 3 }
        : { ...drawn, minimum: Math.min(drawn.goal, drawn.minimum) },
    );

interface Extent {
  readonly plan: fc.Arbitrary<DrawnPlan>;
  readonly tasks: number;
  readonly fewestDevices: number;
  readonly mostNodes: number;
  readonly mostSteps: number;
}

function programs({
  plan: drawn,
  tasks,
  fewestDevices,
  mostNodes,
  mostSteps,
}: Extent): fc.Arbitrary<Program> {
  return fc.record({
    plans: fc.array(drawn, { minLength: 1, maxLength: tasks }),
    devices: fc.integer({ min: fewestDevices, max: 6 }),
    nodes: fc.integer({ min: 1, max: mostNodes }),
    steps: fc.array(
      fc.tuple(happening, calls).map(([what, count]): Step => ({ ...what, calls: count })),
      { minLength: 3, maxLength: mostSteps, size: 'max' },
    ),
    order: fc.nat(),
    ending: fc.constantFrom('silence' as const, 'work' as const),
  });
}

export const clearPrograms = programs({
  plan: plan(fc.constant(false)),
  tasks: 2,
  fewestDevices: 3,
  mostNodes: 2,
  mostSteps: 30,
});

/** Groups of secure tasks are in one node's memory, so that there is one. */
export const securePrograms = programs({
  plan: plan(fc.constant(true)),
  tasks: 1,
  fewestDevices: 4,
  mostNodes: 1,
  mostSteps: 20,
});
