import {
  type AssignmentId,
  type GroupId,
  type Plan,
  type RoundId,
  roundTransitions,
  sourcesOf,
} from '@starling/protocol';
import { type Context, newId } from './context.ts';
import { announceAssignments } from './announce.ts';
import { type GroupSizes, groupsOf } from './group-sizes.ts';
import { phaseWindowMs, startGroup } from './secure-groups.ts';
import { dropAssignments } from './round-end.ts';

/**
 * Forms groups from devices that are ready. A clear update is a group of one that needs no keys, so it goes
 * straight to `uploads`. The round is `aggregating` from its first group's start. Devices are told, but for `tellers`,
 * who get it as the answer to their own message. Gives who was grouped.
 */
export function groupReady(
  context: Context,
  roundId: RoundId,
  tellers: ReadonlySet<AssignmentId> = new Set(),
): Promise<ReadonlySet<AssignmentId>> {
  return context.observer.step('round group', { 'starling.round': roundId }, () =>
    formGroups(context, roundId, tellers),
  );
}

async function formGroups(
  context: Context,
  roundId: RoundId,
  tellers: ReadonlySet<AssignmentId>,
): Promise<ReadonlySet<AssignmentId>> {
  const { plan } = await context.rounds.get(roundId);
  if (plan.secure) return groupSecurely(context, roundId, plan, plan.secure.groupSize, tellers);
  const grouped = await context.database.tx(async (tx) => {
    const [round] = await tx.query(
      "select 1 from rounds where id = $1 and state in ('training', 'aggregating') and closed_at is null for update",
      [roundId],
    );
    if (!round) return [];
    const ready = await tx.query<{ id: AssignmentId }>(
      "select id from assignments where round_id = $1 and state = 'ready' order by id for update",
      [roundId],
    );
    if (ready.length === 0) return [];
    const groups = ready.map(() => newId('group'));
    await tx.query(
      `with formed as (insert into groups (id, round_id, state)
                       select id, $3, 'uploads' from unnest($2::text[]) as t(id)),
            started as (update rounds set state = 'aggregating', version = version + 1,
                               aggregating_at = coalesce(aggregating_at, now()),
                               deadline = ready_by + $4 * interval '1 millisecond'
                         where id = $3 and state = any($5))
       update assignments a set state = 'grouped', group_id = t.group_id
         from unnest($1::text[], $2::text[]) as t(id, group_id) where a.id = t.id and a.state = 'ready'`,
      [
        ready.map((row) => row.id),
        groups,
        roundId,
        plan.windows.aggregatingMs,
        sourcesOf(roundTransitions, 'aggregating'),
      ],
    );
    return ready.map((row) => row.id);
  });
  if (grouped.length === 0) return new Set();
  grouped.forEach(() => {
    context.failpoint('group-formed');
  });
  await announceAssignments(
    context,
    grouped.filter((id) => !tellers.has(id)),
  );
  return new Set(grouped);
}

/** Forms groups of a secure task: of the size that the plan wants, or none yet. Devices that no group will take are dropped. */
async function groupSecurely(
  context: Context,
  roundId: RoundId,
  { windows }: Plan,
  groupSize: GroupSizes,
  tellers: ReadonlySet<AssignmentId>,
): Promise<ReadonlySet<AssignmentId>> {
  const done = await context.database.tx(async (tx) => {
    const [round] = await tx.query(
      `select 1 from rounds where id = $1 and state in ('training', 'aggregating') and closed_at is null for update`,
      [roundId],
    );
    if (!round) return undefined;
    const rows = await tx.query<{ id: AssignmentId; state: string }>(
      `select id, state from assignments where round_id = $1 and state in ('accepted', 'training', 'ready')
        order by id`,
      [roundId],
    );
    const ready = rows.filter(({ state }) => state === 'ready').map(({ id }) => id);
    const { sizes, left } = groupsOf(ready.length, rows.length - ready.length, groupSize);
    let taken = 0;
    const groups: GroupId[] = [];
    for (const size of sizes) {
      const id = newId('group');
      groups.push(id);
      await tx.query(
        `insert into groups (id, round_id, state, secure, node, deadline)
         values ($1, $2, 'keys', true, $4, now() + $3 * interval '1 millisecond')`,
        [id, roundId, phaseWindowMs(windows.aggregatingMs, 'keys'), context.nodes.id],
      );
      await tx.query(
        "update assignments set state = 'grouped', group_id = $2 where id = any($1) and state = 'ready'",
        [ready.slice(taken, taken + size), id],
      );
      taken += size;
    }
    if (groups.length > 0) {
      await tx.query(
        `update rounds set state = 'aggregating', version = version + 1, aggregating_at = coalesce(aggregating_at, now()),
                deadline = ready_by + $2 * interval '1 millisecond' where id = $1 and state = any($3)`,
        [roundId, windows.aggregatingMs, sourcesOf(roundTransitions, 'aggregating')],
      );
    }
    const dropped = left > 0 ? await dropAssignments(tx, roundId, ['ready'], 'no-group') : [];
    return { groups, grouped: ready.slice(0, taken), dropped };
  });
  if (!done) return new Set();
  const { groups, grouped, dropped } = done;
  if (groups.length > 0) context.failpoint('group-formed');
  for (const id of groups) await startGroup(context, roundId, id);
  await announceAssignments(
    context,
    [...grouped, ...dropped].filter((id) => !tellers.has(id)),
  );
  return new Set(grouped);
}
