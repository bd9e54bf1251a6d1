export { ModelError, type ModelErrorCode } from './ir/errors.ts';
export { defaultLimits, type ModelLimits } from './ir/limits.ts';
export type { Model, ModelParameter } from './ir/model.ts';
export { parseModel } from './ir/parse.ts';
export type { Axis, InputIr, MetaIr, ModelIr, NodeIr, ParameterIr, Shape } from './ir/schema.ts';
export {
  layoutOf,
  type LayoutEntry,
  type ParameterLayout,
  type Params,
  type Range,
} from './parameters/layout.ts';
export type { Backend, CallShapes, KernelCall, Memory, Operand } from './kernels/backend.ts';
export type {
  Batch,
  Examples,
  Judgement,
  MetaOutcome,
  MetaRequest,
  Prediction,
  Program,
} from './program/program.ts';
export type {
  FedAvgPlan,
  LearningDiagnostics,
  LearningHooks,
  LearningMetrics,
  LearningPlan,
  MamlPlan,
  MetaSgdPlan,
  ReptilePlan,
  Update,
} from './learning/contract.ts';
export { initialise } from './parameters/initialise.ts';
export { setStatistics, StatisticsMismatch, type Moments } from './parameters/statistics.ts';
export { stream, type RandomStream } from './random/streams.ts';
