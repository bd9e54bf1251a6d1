import {
  type AssignmentId,
  type DeviceId,
  type ProjectId,
  type RoundId,
  roundTransitions,
  sourcesOf,
} from '@starling/protocol';
import { type Context, newId } from './context.ts';
import { announceAssignments, announceRound } from './announce.ts';
import { updateByteLimit } from './contribution.ts';
import { type RoundRow, liveStates } from './rows.ts';
import { assignmentSeed, sampleCohort } from './sampling.ts';
import { groupReady } from './round-groups.ts';
import { abandonRound, dropAssignments } from './round-end.ts';

/**
 * Offers every selecting round of a project, the oldest first. So do the devices that a round has let go: two tasks that
 * want more devices than there are would else keep their halves for ever.
 */
export async function offerRounds(context: Context, projectId: ProjectId): Promise<void> {
  const rounds = await context.database.query<{ id: RoundId }>(
    "select id from rounds where project_id = $1 and state = 'selecting' order by opened_at, id",
    [projectId],
  );
  for (const round of rounds) await offerRound(context, projectId, round.id);
}

/**
 * Offers a selecting round to devices that are present, idle and wanted, until enough have been asked; one that follows
 * failed ones, from its time on.
 */
export async function offerRound(context: Context, projectId: ProjectId, roundId: RoundId): Promise<void> {
  const present = context.presence.of(projectId);
  if (present.length === 0) return; // before anything is read: there may be as many such rounds as tasks
  await context.observer.step('round select', { 'starling.round': roundId }, () =>
    offer(context, roundId, present),
  );
}

async function offer(context: Context, roundId: RoundId, present: readonly DeviceId[]): Promise<void> {
  const { database } = context;
  const { plan, base, blocks } = await context.rounds.get(roundId);
  const offered = await database.tx(async (tx) => {
    const [round] = await tx.query<RoundRow>(
      `select * from rounds where id = $1 and state = 'selecting' and coalesce(offers_from <= now(), true) for update`,
      [roundId],
    );
    if (!round) return [];
    const [{ asked } = { asked: 0 }] = await tx.query<{ asked: number }>(
      "select count(*)::int as asked from assignments where round_id = $1 and state <> 'dropped'",
      [roundId],
    );
    if (asked >= round.target) return [];
    const isTraining = round.kind === 'training';
    const separationMs = isTraining ? (plan.eligibility?.minSeparationMs ?? 0) : 0;
    const countTurns = isTraining && plan.cohort.withoutReplacement === true;
    const { roundsPerDay = null, bytesPerDay = null } = plan.quota ?? {};
    const candidates = await tx.query<{ id: DeviceId; public_key: string; turns: number }>(
      `select d.id, d.public_key,
              case when $8 then (select count(*)::int from assignments a join rounds r on r.id = a.round_id
                                  where a.device_id = d.id and a.task_id = $7 and a.uploaded_at is not null
                                    and r.kind = 'training')
                   else 0 end as turns
         from devices d
        where d.project_id = $1 and d.state = 'active' and d.id = any($2) and d.labels @> $3
          and not exists (select 1 from assignments a where a.device_id = d.id and a.state = any($4))
          and not exists (select 1 from assignments a where a.device_id = d.id and a.round_id = $5)
          and ($6 = 0 or not exists (
                select 1 from assignments a where a.device_id = d.id and a.task_id = $7
                   and a.uploaded_at > now() - $6 * interval '1 millisecond'))
          and (($9::int is null and $10::bigint is null) or (
                select count(*) < coalesce($9, 1 + count(*))
                       and coalesce(sum(v.bytes + coalesce(a.update_bytes, 0)), 0) + $11 <= coalesce($10, 2::bigint ^ 62)
                  from assignments a join rounds r on r.id = a.round_id join model_versions v on v.id = r.base_version
                 where a.device_id = d.id and a.task_id = $7 and a.accepted_at > now() - interval '1 day'))`,
      [
        ...[round.project_id, present, round.selection, liveStates, roundId, separationMs, round.task_id],
        ...[countTurns, roundsPerDay, bytesPerDay, base.bytes + updateByteLimit(blocks)],
      ],
    );
    const chosen = sampleCohort(candidates, round.target - asked, plan.seed, round.sequence);
    if (chosen.length === 0) return [];
    const rows = await tx.query<{ id: AssignmentId }>(
      `insert into assignments (id, project_id, task_id, round_id, device_id, state, seed)
       select t.id, $1, $2, $3, t.device_id, 'offered', t.seed
         from unnest($4::text[], $5::text[], $6::bigint[]) as t(id, device_id, seed)
       on conflict do nothing returning id`,
      [
        round.project_id,
        round.task_id,
        roundId,
        chosen.map(() => newId('assignment')),
        chosen.map((device) => device.id),
        chosen.map((device) => assignmentSeed(plan.seed, round.sequence, device.public_key)),
      ],
    );
    return rows.map((row) => row.id);
  });
  if (offered.length === 0) return;
  context.failpoint('devices-offered');
  await announceAssignments(context, offered);
  await announceRound(context, roundId);
}

/** How a window of a round closes: by its own deadline, or before it, since an operator or the round's goal wants it so. */
export type Closing = 'by-deadline' | 'now';

/** Starts the training window if enough devices have accepted: the target, or the minimum when the window closes. */
export async function startTraining(context: Context, roundId: RoundId, closing?: Closing): Promise<void> {
  const { plan } = await context.rounds.get(roundId);
  const dropped = await context.database.tx(async (tx) => {
    const [started] = await tx.query(
      `update rounds r set state = 'training', version = version + 1, training_at = now(),
              ready_by = now() + $2 * interval '1 millisecond', deadline = now() + $2 * interval '1 millisecond'
        where r.id = $1 and r.state = any($3) and ($5 or deadline <= now())
          and (select count(*) from assignments a where a.round_id = r.id and a.state not in ('offered', 'dropped'))
              >= case when $4 then r.minimum else r.target end
        returning r.id`,
      [
        roundId,
        plan.windows.trainingMs,
        sourcesOf(roundTransitions, 'training'),
        closing !== undefined,
        closing !== 'by-deadline',
      ],
    );
    return started && dropAssignments(tx, roundId, ['offered'], 'no-answer');
  });
  if (dropped) {
    context.failpoint('training-started');
    await announceAssignments(context, dropped);
    await announceRound(context, roundId);
    await groupReady(context, roundId);
  } else if (closing === 'by-deadline') {
    // Unless it was extended meanwhile.
    await abandonRound(context, roundId, 'too-few-devices', "state = 'selecting' and deadline <= now()");
  }
}
