import type { Model, ParameterLayout } from '@starling/model';
import type {
  Assignment,
  Plan,
  RoundId,
  SecureAssignment,
  ServedModel,
  UpdateBlock,
  Work,
} from '@starling/protocol';
import { largestGroup, ProblemError } from '@starling/protocol';
import { ringLayout, type RingLayout } from '@starling/secure';
import type { Database } from '../storage/database.ts';
import { blocksOf, layoutFor } from './blocks.ts';
import type { Models } from './models.ts';
import type { RoundRow, TaskRow, VersionRow } from './rows.ts';
import { readTask, readVersion, servedModel } from './views.ts';

/** What never changes about a round: its task's plan and model, the version it starts from, the work it asks for. */
export interface RoundFacts {
  readonly number: number;
  readonly work: Work;
  readonly plan: Plan;
  readonly model: Model;
  readonly layout: ParameterLayout;
  readonly blocks: readonly UpdateBlock[];
  /** Only of a secure task: what its devices are offered, and how a contribution lies on the ring. */
  readonly secure: SecureFacts | undefined;
  readonly served: ServedModel;
  readonly base: VersionRow;
  readonly task: Pick<TaskRow, 'id' | 'project_id'>;
}

export interface SecureFacts {
  readonly offered: Omit<SecureAssignment, 'groupId'>;
  readonly layout: RingLayout;
}

/** How contributions of these blocks are summed under masks. Throws SumOverflow where the plan's groups are too large. */
export function secureFacts(plan: Plan, blocks: readonly UpdateBlock[]): SecureFacts | undefined {
  const { secure, maxWeight } = plan;
  if (!secure) return undefined;
  const { ring, groupSize } = secure;
  const largest = largestGroup(secure);
  const layout = ringLayout(blocks, { ring, maxWeight, maxCount: largest });
  return { offered: { ring, minimum: groupSize.minimum, largest }, layout };
}

/** Facts of rounds, read once each: control messages and uploads need them all the time. */
export class RoundBook {
  readonly #database: Database;
  readonly #models: Models;
  readonly #facts = new Map<RoundId, Promise<RoundFacts>>();
  static readonly #capacity = 256;

  constructor(database: Database, models: Models) {
    this.#database = database;
    this.#models = models;
  }

  get(id: RoundId): Promise<RoundFacts> {
    let facts = this.#facts.get(id);
    if (!facts) {
      if (this.#facts.size >= RoundBook.#capacity) {
        const [oldest] = this.#facts.keys();
        if (oldest !== undefined) this.#facts.delete(oldest);
      }
      facts = this.#read(id);
      this.#facts.set(id, facts);
      facts.catch(() => this.#facts.delete(id));
    }
    return facts;
  }

  async #read(id: RoundId): Promise<RoundFacts> {
    const [round] = await this.#database.query<RoundRow>('select * from rounds where id = $1', [id]);
    if (!round) throw new ProblemError('not-found', `There is no round ${id}.`);
    const task = await readTask(this.#database, round.task_id);
    const base = await readVersion(this.#database, round.base_version);
    const model = await this.#models.get(task.project_id, task.model_digest);
    const blocks = blocksOf(round.kind, model, task.plan, round.evaluation);
    return {
      number: round.number,
      work: workOf(round, task.plan),
      plan: task.plan,
      model,
      layout: layoutFor(model, task.plan),
      blocks,
      secure: secureFacts(task.plan, blocks),
      served: servedModel(task, base),
      base,
      task,
    };
  }
}

function workOf(round: RoundRow, plan: Plan): Assignment['work'] {
  switch (round.kind) {
    case 'statistics':
      return { kind: 'statistics' };
    case 'training':
      return { kind: 'training', learning: plan.learning };
    case 'evaluation':
      if (!round.evaluation) throw new TypeError(`Evaluation round ${round.id} has no specification.`);
      return { kind: 'evaluation', spec: round.evaluation };
  }
}
