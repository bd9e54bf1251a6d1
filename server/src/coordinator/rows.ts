import type {
  AssignmentId,
  AssignmentState,
  DeviceId,
  EvaluationSpec,
  GroupId,
  GroupState,
  JobId,
  Labels,
  Plan,
  ProjectId,
  ReleaseId,
  RoundId,
  RoundKind,
  RoundState,
  Round,
  TaskId,
  TaskState,
  VersionId,
} from '@starling/protocol';

/** Rows as the database returns them (001-initial.sql). */
export interface TaskRow {
  id: TaskId;
  project_id: ProjectId;
  name: string;
  model_digest: string;
  plan: Plan;
  state: TaskState;
  reason: string | null;
  rounds_published: number;
  current_version: VersionId;
  /** What was promoted last; before that, devices are served the current version. */
  served_version: VersionId | null;
  release_id: ReleaseId | null;
  created_at: Date;
  updated_at: Date;
}

export interface RoundRow {
  id: RoundId;
  project_id: ProjectId;
  task_id: TaskId;
  sequence: number;
  kind: RoundKind;
  number: number;
  state: RoundState;
  reason: string | null;
  version: number;
  requested: boolean;
  evaluation: EvaluationSpec | null;
  selection: Labels;
  goal: number;
  minimum: number;
  target: number;
  base_version: VersionId;
  published_version: VersionId | null;
  metrics: Round['metrics'];
  bytes_up: number;
  opened_at: Date;
  /** Rounds before it failed: devices are asked from then on. */
  offers_from: Date | null;
  training_at: Date | null;
  aggregating_at: Date | null;
  ready_by: Date | null;
  deadline: Date;
  /** How often it was taken in hand to be published. */
  publishing_tries: number;
  /** When the set of counted updates was fixed; from here the round is only published or abandoned. */
  closed_at: Date | null;
  ended_at: Date | null;
}

export interface VersionRow {
  id: VersionId;
  project_id: ProjectId;
  task_id: TaskId;
  number: number;
  digest: string;
  weights: string;
  bytes: number;
  parent: VersionId | null;
  round_id: RoundId | null;
  job_id: JobId | null;
  optimiser_state: string | null;
  /** When retention let its weights go; the row stays. */
  pruned_at: Date | null;
  created_at: Date;
}

export interface AssignmentRow {
  id: AssignmentId;
  project_id: ProjectId;
  task_id: TaskId;
  round_id: RoundId;
  device_id: DeviceId;
  group_id: GroupId | null;
  state: AssignmentState;
  reason: string | null;
  seed: number;
  update_digest: string | null;
  update_bytes: number | null;
  weight: number | null;
}

/** A group of a secure round, with how many devices it has and how many of them are in its sum. */
export interface GroupRow {
  id: GroupId;
  state: GroupState;
  reason: string | null;
  size: number;
  survivors: number;
  /** Fewest devices that a sum of the task may be of. */
  least: number;
  created_at: Date;
  ended_at: Date | null;
}

/** States in which a device is occupied by an assignment. */
export const liveStates = ['offered', 'accepted', 'training', 'ready', 'grouped'] as const;
