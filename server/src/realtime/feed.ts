import { randomBytes } from 'node:crypto';
import type { LiveEvent, ProjectId } from '@starling/protocol';
import type { GapReason, StreamedEvent } from '@starling/protocol/api';
import type { Actor } from '../access/caller.ts';

/** Events kept for each project, for those who come back after a short break. */
const kept = 1000;

interface Follower {
  actor: Actor;
  /** The session that it follows by, by its hash. */
  session?: string | undefined;
  hear: (event: StreamedEvent) => void;
  end: () => void;
}

interface Channel {
  /** Number of the newest event. */
  last: number;
  recent: { id: string; kind: 'event'; event: LiveEvent }[];
  followers: Set<Follower>;
}

/**
 * The live events of projects, numbered, the last of them kept in memory. An event's id is `<life>-<number>`: the life
 * is one of this process, so that a number of a former life is never taken for one of this.
 */
export class Feed {
  readonly #life: string;
  readonly #channels = new Map<ProjectId, Channel>();

  constructor(life = randomBytes(6).toString('hex')) {
    this.#life = life;
  }

  publish(projectId: ProjectId, event: LiveEvent): void {
    const channel = this.#channel(projectId);
    const entry = { id: this.#id(++channel.last), kind: 'event' as const, event };
    channel.recent.push(entry);
    if (channel.recent.length > kept) channel.recent.shift();
    for (const { hear } of channel.followers) hear(entry);
  }

  /** Tells those who follow now. It is not kept: who comes back reads the state anew. */
  hint(projectId: ProjectId, event: LiveEvent): void {
    const channel = this.#channel(projectId);
    const entry = { id: this.#id(channel.last), kind: 'event' as const, event };
    for (const { hear } of channel.followers) hear(entry);
  }

  /**
   * Hands over what came after the event `after` (default: nothing), or a gap where that is not known any more, then
   * every event as it comes. The result stops it; `end` is called when the connections of its actor or session are ended.
   */
  follow(projectId: ProjectId, follower: Follower, after?: string): () => void {
    const channel = this.#channel(projectId);
    const { hear } = follower;
    if (after !== undefined) {
      const missed = this.#since(channel, after);
      if (typeof missed === 'string') hear({ id: this.#id(channel.last), kind: 'gap', reason: missed });
      else missed.forEach(hear);
    }
    channel.followers.add(follower);
    return () => channel.followers.delete(follower);
  }

  /** How many connections of an actor follow. */
  countOf(projectId: ProjectId, actor: Actor): number {
    return [...this.#channel(projectId).followers].filter((follower) => follower.actor === actor).length;
  }

  /** Ends the connections of an actor or of a session, or all of them. */
  end(whose?: string): void {
    for (const { followers } of this.#channels.values()) {
      for (const follower of followers) {
        if (whose === undefined || follower.actor === whose || follower.session === whose) follower.end();
      }
    }
  }

  #since(channel: Channel, after: string): StreamedEvent[] | GapReason {
    const [life, number] = after.split('-');
    const last = Number(number);
    if (life !== this.#life || !Number.isSafeInteger(last) || last < 0 || last > channel.last)
      return 'server-restarted';
    const wanted = channel.last - last;
    if (wanted > channel.recent.length) return 'too-old';
    return wanted === 0 ? [] : channel.recent.slice(-wanted);
  }

  #channel(projectId: ProjectId): Channel {
    let channel = this.#channels.get(projectId);
    if (!channel) {
      channel = { last: 0, recent: [], followers: new Set() };
      this.#channels.set(projectId, channel);
    }
    return channel;
  }

  #id(number: number): string {
    return `${this.#life}-${number}`;
  }
}
