export { meanOfLowest, quantile } from './histogram.ts';
export { applyOptimiser, initialState, type OptimiserSettings } from './optimisers/index.ts';
export {
  OptimiserError,
  rateAt,
  type OptimiserState,
  type ScheduledRate,
  type Step,
} from './optimisers/optimiser.ts';
export { pseudoGradient } from './pseudo-gradient.ts';
export { checkContribution, WeightedSum, WeightedSumError, type Contribution } from './weighted-sum.ts';
