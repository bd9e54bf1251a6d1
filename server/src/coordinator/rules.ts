/** What the coordinator decides without a database or a clock: the simulator decides the same (docs/simulate.md). */
export { blocksOf, hasLearnedRates, layoutFor } from './blocks.ts';
export { updateByteLimit } from './contribution.ts';
export { groupsOf } from './group-sizes.ts';
export { wantedRound, wantsCloudStep, type RoundSpec } from './round-order.ts';
export { resultOf, type RoundResult } from './round-result.ts';
export { assignmentSeed, sampleCohort } from './sampling.ts';
export { secureFacts } from './round-facts.ts';
export { assumptions, phaseWindowMs } from './secure-groups.ts';
export { planProblems } from './tasks.ts';
