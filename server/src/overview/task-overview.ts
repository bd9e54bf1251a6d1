import type { EvaluationMetrics, RoundId, RoundKind, TaskId, TrainingMetrics } from '@starling/protocol';
import type { Curves, TaskCost } from '@starling/protocol/api';
import type { Querier } from '../storage/database.ts';

interface PublishedRow {
  id: RoundId;
  sequence: number;
  kind: RoundKind;
  number: number;
  ended_at: Date;
  bytes_up: number;
  metrics: TrainingMetrics | EvaluationMetrics;
}

/**
 * The learning curves of a task: what each of its published rounds measured. Rounds that judged a model trained on the
 * device alone (`alone`) say nothing of the task's versions.
 */
export async function curvesOf(querier: Querier, taskId: TaskId): Promise<Curves> {
  const rounds = await querier.query<PublishedRow>(
    `select id, sequence, kind, number, ended_at, bytes_up, metrics from rounds
      where task_id = $1 and state = 'published' and kind in ('training', 'evaluation')
        and (evaluation is null or evaluation -> 'alone' is null) order by sequence`,
    [taskId],
  );
  const [first] = await querier.query<{ opened_at: Date }>(
    'select opened_at from rounds where task_id = $1 order by sequence limit 1',
    [taskId],
  );
  return {
    startedAt: first?.opened_at.toISOString() ?? null,
    points: rounds.map(({ id, sequence, kind, number, ended_at, bytes_up, metrics }) => ({
      round: id,
      sequence,
      kind,
      number,
      endedAt: ended_at.toISOString(),
      devices: metrics.devices,
      bytesUp: bytes_up,
      training: 'results' in metrics ? null : metrics,
      evaluation: 'results' in metrics ? metrics.results : null,
    })),
  };
}

/** What a task has cost its devices so far, rounds under way included. */
export async function costOf(querier: Querier, taskId: TaskId): Promise<TaskCost> {
  const [rounds] = await querier.query<{ published: number; abandoned: number; bytes_up: number }>(
    `select count(*) filter (where state = 'published')::int as published,
            count(*) filter (where state = 'abandoned')::int as abandoned,
            coalesce(sum(bytes_up), 0)::bigint as bytes_up
       from rounds where task_id = $1`,
    [taskId],
  );
  const [work] = await querier.query<{
    counted: number;
    dropped: number;
    device_ms: number;
    bytes_down: number;
  }>(
    `select count(*) filter (where a.state = 'counted')::int as counted,
            count(*) filter (where a.state = 'dropped')::int as dropped,
            coalesce(round(sum(extract(epoch from a.ready_at - a.training_at)) * 1000), 0)::bigint as device_ms,
            coalesce(sum(v.bytes) filter (where a.training_at is not null), 0)::bigint as bytes_down
       from assignments a join rounds r on r.id = a.round_id join model_versions v on v.id = r.base_version
      where a.task_id = $1`,
    [taskId],
  );
  return {
    rounds: { published: rounds?.published ?? 0, abandoned: rounds?.abandoned ?? 0 },
    updates: { counted: work?.counted ?? 0, dropped: work?.dropped ?? 0 },
    deviceMs: work?.device_ms ?? 0,
    bytesUp: rounds?.bytes_up ?? 0,
    bytesDown: work?.bytes_down ?? 0,
  };
}
