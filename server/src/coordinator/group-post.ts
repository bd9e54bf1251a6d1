/**
 * Requests of members to the node that holds their group. A group of a secure task lives in the memory of the node that
 * formed it, and devices may ask any node: one that does not hold the group hands the request to the one that does, and
 * answers with its answer.
 */
import { randomUUID } from 'node:crypto';
import {
  ProblemError,
  type AssignmentId,
  type DeviceId,
  type DropReason,
  type GroupId,
  type GroupMail,
  type Problem,
} from '@starling/protocol';
import type { Querier } from '../storage/database.ts';
import type { Log } from './context.ts';
import type { LiveGroups } from './live-groups.ts';
import { isDead } from './nodes.ts';

/** How long a device waits for another node before it is told to try again: longer than a dead node is taken for alive. */
const patienceMs = 5_000;
/** How often a node that waits looks whether the group is still held. */
const lookEveryMs = 500;

/** What a member asks of its group. `deviceId` is who the asking node authenticated, never what a message says. */
export type GroupRequest = { readonly deviceId: DeviceId; readonly groupId: GroupId } & (
  | { readonly kind: 'mail' }
  /** One message of SA-1, as base64url. */
  | { readonly kind: 'message'; readonly message: string }
  /** A masked update is staged whole; `digest` (hexadecimal) was taken of the file. */
  | { readonly kind: 'masked'; readonly assignmentId: AssignmentId; readonly digest: string }
  | {
      readonly kind: 'leave';
      readonly assignmentId: AssignmentId;
      readonly reason: DropReason;
      readonly detail: string;
    }
);

/** `null` where a request has no answer but that it was done. */
type GroupAnswer = GroupMail | null;

interface Ask {
  readonly kind: 'ask';
  readonly id: string;
  readonly from: string;
  readonly request: GroupRequest;
}

interface Told {
  readonly kind: 'told';
  readonly id: string;
  readonly answer?: GroupAnswer;
  readonly problem?: Problem;
}

export type Letter = Ask | Told;

/** Carries letters between nodes. One that is lost costs its sender the time that it waits for the answer. */
export interface NodeLine {
  send(toNode: string, letter: Letter): void;
}

/** How requests are answered by the node that holds the group, or by any once nobody does. */
export interface GroupDesk {
  answer(request: GroupRequest): Promise<GroupAnswer>;
  /** The node that held the group is dead. */
  abandon(groupId: GroupId): Promise<void>;
}

export interface GroupPostParts {
  readonly database: Querier;
  readonly nodes: { readonly id: string };
  readonly groups: Pick<LiveGroups, 'get'>;
  readonly line: NodeLine;
  readonly log: Pick<Log, 'error'>;
}

export class GroupPost {
  readonly #parts: GroupPostParts;
  readonly #waiting = new Map<string, (told: Told) => void>();
  #desk: GroupDesk | undefined;

  constructor(parts: GroupPostParts) {
    this.#parts = parts;
  }

  /** Who answers at this node. */
  open(desk: GroupDesk): void {
    this.#desk = desk;
  }

  /**
   * Asks the node that holds the group: this one, or another. Throws what that throws, and ProblemError `unavailable` when
   * it does not answer in time. All requests may be said again.
   */
  async ask(request: GroupRequest): Promise<GroupAnswer> {
    const holder = await this.#holderOf(request.groupId);
    if (holder === undefined) return this.#here(request);
    const id = randomUUID();
    let onLetter: (told: Told) => void = () => undefined;
    const letter = new Promise<Told>((resolve) => (onLetter = resolve));
    this.#waiting.set(id, onLetter);
    try {
      this.#parts.line.send(holder, { kind: 'ask', id, from: this.#parts.nodes.id, request });
      for (let waitedMs = 0; waitedMs < patienceMs; waitedMs += lookEveryMs) {
        const told = await withinMs(letter, lookEveryMs);
        if (told) return opened(told);
        if ((await this.#holderOf(request.groupId)) !== holder) return await this.#here(request);
      }
    } finally {
      this.#waiting.delete(id);
    }
    throw new ProblemError('unavailable', 'The node that holds the group does not answer. Try again.');
  }

  /** Takes in a letter for this node. */
  receive(letter: Letter): void {
    if (letter.kind === 'told') this.#waiting.get(letter.id)?.(letter);
    else void this.#answer(letter);
  }

  async #answer({ id, from, request }: Ask): Promise<void> {
    const told = await this.#here(request).then(
      (answer): Told => ({ kind: 'told', id, answer }),
      (error: unknown): Told => {
        if (error instanceof ProblemError) return { kind: 'told', id, problem: error.toProblem() };
        this.#parts.log.error({ error, groupId: request.groupId }, 'a request from another node failed');
        const problem = new ProblemError('unavailable', 'The node that holds the group failed. Try again.');
        return { kind: 'told', id, problem: problem.toProblem() };
      },
    );
    this.#parts.line.send(from, told);
  }

  #here(request: GroupRequest): Promise<GroupAnswer> {
    if (!this.#desk) throw new TypeError('Requests are answered once the coordinator is there.');
    return this.#desk.answer(request);
  }

  /** The other node that holds a group under way; one of a dead node is abandoned, and then nobody's. */
  async #holderOf(id: GroupId): Promise<string | undefined> {
    const { database, groups, nodes } = this.#parts;
    if (groups.get(id)) return undefined;
    const [row] = await database.query<{ node: string | null; dead: boolean }>(
      `select node, ${isDead('g.node')} as dead from groups g where g.id = $1 and g.secure and g.ended_at is null`,
      [id],
    );
    if (!row || row.node === null || row.node === nodes.id) return undefined;
    if (!row.dead) return row.node;
    await this.#desk?.abandon(id);
    return undefined;
  }
}

function opened({ answer, problem }: Told): GroupAnswer {
  if (problem) throw ProblemError.from(problem, problem.status);
  return answer ?? null;
}

async function withinMs<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, ms, undefined);
  });
  try {
    return await Promise.race([promise, over]);
  } finally {
    clearTimeout(timer);
  }
}
