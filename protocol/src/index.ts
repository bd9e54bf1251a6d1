export {
  csrfHeader,
  isAtLeast,
  personRoles,
  projectHeader,
  roles,
  type PersonRole,
  type Role,
} from './access.ts';
export * from './codec/index.ts';
export * from './ids.ts';
export * from './problems.ts';
export * from './secure-work.ts';
export * from './states.ts';
export * from './update-file.ts';
export * from './update.ts';
export * from './weights.ts';
export type {
  CloudWork,
  Cohort,
  Eligibility,
  EvaluationSpec,
  Labels,
  LearningPlan,
  Plan,
  SecurePlan,
  ServerOptimiser,
  Windows,
} from './schemas/plan.ts';
export type {
  Assignment,
  ChallengeAnswer,
  CheckInAnswer,
  ControlMessage,
  Device,
  EnrolAnswer,
  EnrolRequest,
  EnrolmentToken,
  EvaluationMetrics,
  EvaluationResult,
  Funnel,
  GroupMail,
  GroupSummary,
  LiveEvent,
  ModelDetail,
  ModelSummary,
  ModelVersion,
  Network,
  Round,
  RoundDetail,
  RoundKind,
  SecureAssignment,
  ServedModel,
  SessionAnswer,
  SessionRequest,
  SocketControl,
  StatisticsMetrics,
  Task,
  TaskRequest,
  TrainingMetrics,
  UploadAnswer,
  Work,
} from './schemas/resources.ts';
