import type { AssignmentId, DeviceId, GroupId, RoundId } from '@starling/protocol';
import type { ServerEnvironment, ServerState } from '@starling/secure';
import type { Unmasking } from '../unmasking/unmasking.ts';

export interface Member {
  readonly deviceId: DeviceId;
  readonly assignmentId: AssignmentId;
  /** Its identity, in hexadecimal. */
  readonly name: string;
}

/** A group of a secure task, as this process holds it. */
export interface LiveGroup {
  readonly id: GroupId;
  readonly roundId: RoundId;
  readonly members: readonly Member[];
  /** UPLOAD of members that announced what they are about to send. */
  readonly announced: Map<DeviceId, Uint8Array>;
  state: ServerState;
  /** Its masks are being taken away: nothing that a member or a clock says matters any more. */
  isUnmasking: boolean;
}

/**
 * The groups under way. Their masked sums, and the boxes that members sent each other, are in this process's memory only:
 * a process that ends takes its groups with it, which is always safe, since nothing but masked words was there.
 */
export class LiveGroups {
  readonly environment: ServerEnvironment;
  readonly unmasking: Unmasking;
  readonly #groups = new Map<GroupId, LiveGroup>();
  readonly #tails = new Map<GroupId, Promise<unknown>>();

  constructor(environment: ServerEnvironment, unmasking: Unmasking) {
    this.environment = environment;
    this.unmasking = unmasking;
  }

  get(id: GroupId): LiveGroup | undefined {
    return this.#groups.get(id);
  }

  add(group: LiveGroup): void {
    this.#groups.set(group.id, group);
  }

  remove(id: GroupId): void {
    this.#groups.delete(id);
  }

  ids(): GroupId[] {
    return [...this.#groups.keys()];
  }

  /** Lets the groups of a round go: it has ended without them. */
  removeRound(roundId: RoundId): void {
    for (const group of this.#groups.values()) if (group.roundId === roundId) this.remove(group.id);
  }

  /** Runs `work` when all earlier work on the group has ended: one event of a group at a time. */
  async exclusively<T>(id: GroupId, work: (group: LiveGroup | undefined) => Promise<T>): Promise<T> {
    const before = this.#tails.get(id) ?? Promise.resolve();
    const now = before.then(() => work(this.#groups.get(id)));
    const tail = now.catch(() => undefined); // whoever asked hears of it
    this.#tails.set(id, tail);
    try {
      return await now;
    } finally {
      if (this.#tails.get(id) === tail) this.#tails.delete(id);
    }
  }
}
