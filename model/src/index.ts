export type { LayerOptions, WeightOptions } from './builder/layers.ts';
export type { NodeOptions, ParameterOptions, Tensor } from './builder/draft.ts';
export { modelBuilder, type ModelBuilder } from './builder/model-builder.ts';
export { NotDifferentiable } from './graph/gradient.ts';
export { ModelError, type ModelErrorCode } from './ir/errors.ts';
export { flopsOfExample } from './ir/flops.ts';
export { defaultLimits, type ModelLimits } from './ir/limits.ts';
export type { Model, ModelNode, ModelParameter } from './ir/model.ts';
export { parseModel } from './ir/parse.ts';
export type {
  AdamIr,
  Attributes,
  Axis,
  Initial,
  InputIr,
  LossIr,
  MetaIr,
  MetricIr,
  MetricNameIr,
  ModelIr,
  NodeIr,
  OptimiserIr,
  ParameterIr,
  SgdIr,
  Shape,
} from './ir/schema.ts';
export type { Backend, CallShapes, KernelCall, Memory, Operand } from './kernels/backend.ts';
export { jsBackend } from './kernels/js/index.ts';
export { MemoryUnavailable } from './kernels/memory-unavailable.ts';
export { isWasmSupported, strictKernels, wasmBackend, type KernelBuild } from './kernels/wasm/index.ts';
export { adapt } from './learning/adapt.ts';
export { trainAlone } from './learning/alone.ts';
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
export { TrainingStopped } from './learning/errors.ts';
export { judge } from './learning/judge.ts';
export { learn } from './learning/learn.ts';
export { inputMoments } from './learning/moments.ts';
export { splitSupport } from './learning/split.ts';
export { initialise } from './parameters/initialise.ts';
export {
  layoutOf,
  type LayoutEntry,
  type ParameterLayout,
  type Params,
  type Range,
} from './parameters/layout.ts';
export { setStatistics, StatisticsMismatch, type Moments } from './parameters/statistics.ts';
export { engineVersion } from './probe/expected.ts';
export { passportOf } from './probe/passport.ts';
export {
  availableBackends,
  probe,
  trustedBackend,
  type BackendReport,
  type ProbeOptions,
  type ProbeReport,
} from './probe/probe.ts';
export { compile, type CompileOptions } from './program/compile.ts';
export { ExamplesMismatch, ParamsMismatch, TrainingDiverged } from './program/errors.ts';
export type {
  Batch,
  Examples,
  Judgement,
  MetaOutcome,
  MetaRequest,
  Prediction,
  Program,
  Trainer,
  TrainerOptions,
} from './program/program.ts';
export { stream, type RandomStream } from './random/streams.ts';
