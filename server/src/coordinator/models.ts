import { parseModel, type Model } from '@starling/model';
import { ProblemError, type ProjectId } from '@starling/protocol';
import type { Database } from '../storage/database.ts';

/** Parsed models by digest: immutable, so a small cache is always right. */
export class Models {
  readonly #database: Database;
  readonly #cache = new Map<string, Model>();
  static readonly #capacity = 64;

  constructor(database: Database) {
    this.#database = database;
  }

  async get(projectId: ProjectId, digest: string): Promise<Model> {
    const key = `${projectId}/${digest}`;
    const cached = this.#cache.get(key);
    if (cached) return cached;
    const [row] = await this.#database.query<{ ir: unknown }>(
      'select ir from models where project_id = $1 and digest = $2',
      [projectId, digest],
    );
    if (!row) throw new ProblemError('not-found', `No model has the digest ${digest}. Upload its IR first.`);
    const model = parseModel(row.ir);
    if (this.#cache.size >= Models.#capacity) {
      const [oldest] = this.#cache.keys();
      if (oldest !== undefined) this.#cache.delete(oldest);
    }
    this.#cache.set(key, model);
    return model;
  }
}
