import type { DrawnPlan, Happening, Program, Step } from './program.ts';
import { untilQuiet, windows } from './program.ts';
import type { Fault } from './simulated-node.ts';

/** Programs written by hand: what tests say by name. */
const plainPlan: DrawnPlan = {
  goal: 2,
  minimum: 2,
  overSelection: 1,
  rounds: 1,
  statistics: false,
  evaluation: false,
  hybrid: false,
  secure: false,
};

/** One task and one node at a time; each step ends before the next, unless it says how many calls go on. */
export function programOf(
  steps: readonly (Happening & { readonly calls?: number })[],
  plan: Partial<DrawnPlan> = {},
  rest: Partial<Omit<Program, 'plans' | 'steps'>> = {},
): Program {
  return {
    plans: [{ ...plainPlan, ...plan }],
    devices: 3,
    nodes: 1,
    order: 0,
    ending: 'silence',
    ...rest,
    steps: steps.map((step): Step => ({ calls: untilQuiet, ...step })),
  };
}

export const allWork = (messages: number): Happening => ({ kind: 'all-work', node: 0, messages, parts: 1 });
export const work = (device: number, messages: number): Happening => ({
  ...{ kind: 'work', device, node: 0, messages, parts: 1 },
});
export const operate = (operation: Extract<Happening, { kind: 'operate' }>['operation']): Happening => ({
  ...{ kind: 'operate', operation, task: 0, device: 0, node: 0 },
});
export const pass = (ms: number): Happening => ({ kind: 'pass', ms, beats: false });
export const selectingIsOver = pass(windows.selectingMs + 1);
export const trainingIsOver = pass(windows.trainingMs + 1);
export const poll: Happening = { kind: 'poll', node: 0 };
export const lookAtJobs: Happening = { kind: 'look-at-jobs', node: 0 };
export const dieAt = (afterCalls: number, fault: Fault = 'death-after'): Happening => ({
  ...{ kind: 'fault', node: 0, fault, afterCalls },
});
export const startNode: Happening = { kind: 'start-node' };
