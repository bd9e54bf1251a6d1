import type { AssignmentId, GroupId } from '@starling/protocol';
import type { KeptBlobs } from '../storage/kept-blobs.ts';
import type { Querier } from '../storage/database.ts';
import type { Context } from './context.ts';
import { repeat } from './repeat.ts';

/** What a server lets go of. */
export interface RetentionRules {
  /** Versions of a task whose weights are kept, counted from the newest; all when absent. */
  keepVersions?: number;
  /** Bytes that nothing refers to stay for this long, in milliseconds: longer than a round takes to publish. */
  graceMs?: number;
  /** Time between two passes, in milliseconds; an hour when absent. */
  intervalMs?: number;
}

const hourMs = 3_600_000;
const defaultGraceMs = 24 * hourMs;

/** Removes what is of no use any more, pass by pass. Safe beside publishing rounds and beside other nodes that do the same. */
export class Retention {
  readonly #context: Context;
  readonly #blobs: KeptBlobs;
  readonly #rules: RetentionRules;
  #stop: (() => Promise<void>) | undefined;

  constructor(context: Context, blobs: KeptBlobs, rules: RetentionRules) {
    this.#context = context;
    this.#blobs = blobs;
    this.#rules = rules;
  }

  start(): void {
    this.#stop = repeat(
      () =>
        this.run().then(
          (removed) => {
            this.#context.log.info({ ...removed }, 'removed what nothing refers to');
          },
          (error: unknown) => {
            this.#context.log.error({ error }, 'retention failed; trying again with the next pass');
          },
        ),
      this.#rules.intervalMs ?? hourMs,
    );
  }

  async stop(): Promise<void> {
    await this.#stop?.();
  }

  /** One pass. Returns how many versions lost their weights, and how many blobs were removed. */
  async run(): Promise<{ versions: number; blobs: number }> {
    const { keepVersions, graceMs = defaultGraceMs } = this.#rules;
    await discardStrays(this.#context);
    this.#context.failpoint('strays-discarded');
    const versions = keepVersions === undefined ? 0 : await this.#prune(keepVersions, graceMs);
    this.#context.failpoint('versions-pruned');
    const blobs = await this.#blobs.removeUnreferenced(graceMs, () => {
      this.#context.failpoint('blob-removed');
    });
    return { versions, blobs };
  }

  /**
   * Lets go of the weights of old versions: never of one that is current, that a round under way starts from, or that
   * anything else refers to. Candidates are locked against new references first, then looked at again.
   */
  #prune(keep: number, graceMs: number): Promise<number> {
    return this.#context.database.tx(async (tx) => {
      const free = `v.pruned_at is null and v.created_at < now() - $2 * interval '1 millisecond'
        and v.number <= (select max(number) - $1 from model_versions n where n.task_id = v.task_id)
        and not exists (select 1 from tasks t where t.current_version = v.id)
        and not exists (select 1 from rounds r where r.base_version = v.id and r.ended_at is null)
        ${(await referencesToVersions(tx)).join(' ')}`;
      const candidates = await tx.query<{ id: string }>(
        `select v.id from model_versions v where ${free} order by v.id limit 1000 for update skip locked`,
        [keep, graceMs],
      );
      const pruned = await tx.query(
        `update model_versions v set pruned_at = now() where v.id = any($3) and ${free} returning v.id`,
        [keep, graceMs, candidates.map(({ id }) => id)],
      );
      await tx.query(
        `delete from blobs b using model_versions v
          where v.pruned_at is not null and v.project_id = b.project_id and b.sha256 in (v.weights, v.optimiser_state)
            and b.referred_at < now() - $1 * interval '1 millisecond'
            and not exists (select 1 from model_versions k where k.project_id = b.project_id
                             and k.pruned_at is null and b.sha256 in (k.weights, k.optimiser_state))`,
        [graceMs],
      );
      return pruned.length;
    });
  }
}

/** Conditions that no row refers to version `v`, from the schema: lineage and past rounds name versions without needing their weights. */
async function referencesToVersions(tx: Querier): Promise<string[]> {
  const references = await tx.query<{ place: string; name: string }>(
    `select c.conrelid::regclass::text as place, quote_ident(a.attname) as name
       from pg_constraint c join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
      where c.contype = 'f' and c.confrelid = 'model_versions'::regclass
        and c.conrelid not in ('model_versions'::regclass, 'rounds'::regclass)`,
  );
  return references.map(
    ({ place, name }) => `and not exists (select 1 from ${place} x where x.${name} = v.id)`,
  );
}

/** Discards staged bytes whose round is over: their process died before it could. */
export async function discardStrays({ database, staging }: Context): Promise<void> {
  const sums = await staging.listSums();
  const held = await database.query<{ id: GroupId }>(
    `select g.id from groups g join rounds r on r.id = g.round_id
      where g.id = any($1) and (g.state = 'summed' or g.ended_at is null) and r.ended_at is null`,
    [sums],
  );
  const kept = new Set(held.map(({ id }) => id));
  for (const id of sums) if (!kept.has(id)) await staging.discardSum(id);
  const staged = await staging.list();
  if (staged.length === 0) return;
  const wanted = await database.query<{ id: AssignmentId }>(
    "select id from assignments where id = any($1) and state in ('grouped', 'uploaded')",
    [staged],
  );
  const keep = new Set(wanted.map(({ id }) => id));
  for (const id of staged) if (!keep.has(id)) await staging.discard(id);
}
