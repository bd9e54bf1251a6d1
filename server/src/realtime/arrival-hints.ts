import type { ProjectId, RoundId } from '@starling/protocol';

/** However many devices arrive, those who watch a round are told once in this time. */
const everyMs = 500;

/** Collects which rounds devices came further in, and tells of each once in a while. */
export class ArrivalHints {
  readonly #tell: (projectId: ProjectId, roundId: RoundId) => void;
  readonly #noted = new Map<RoundId, ProjectId>();
  #timer: NodeJS.Timeout | undefined;

  constructor(tell: (projectId: ProjectId, roundId: RoundId) => void) {
    this.#tell = tell;
  }

  note(projectId: ProjectId, roundId: RoundId): void {
    this.#noted.set(roundId, projectId);
    this.#timer ??= setTimeout(() => {
      const told = [...this.#noted];
      this.#noted.clear();
      this.#timer = undefined;
      for (const [id, project] of told) this.#tell(project, id);
    }, everyMs);
  }

  /** Tells nothing more. */
  end(): void {
    clearTimeout(this.#timer);
    this.#noted.clear();
  }
}
