import {
  digestOfWork,
  type Assignment,
  type AssignmentId,
  type GroupId,
  type RoundId,
} from '@starling/protocol';
import { DeviceError } from './errors.ts';
import type { Host } from './ports.ts';
import { readJson, writeJson } from './stored-json.ts';

/** How often a device takes part. */
export interface ParticipationLimits {
  /**
   * Most groups within a day whose graph was drawn (more than 64 members) and that the device gave no sum to. A server that
   * aborts groups until it likes the graph has so many draws, each with odds of 2^-40 at most. Unless given 64: 2^-34 a day.
   */
  readonly abortedGroupsADay?: number;
  /**
   * Most contributions within a day, clear and masked. A masked one counts as soon as the device helps to unmask the sum,
   * whatever the server says became of it. Unless given, as many as the server asks for.
   */
  readonly contributionsADay?: number;
}

/** Why a device takes no part in an assignment, by its own count. */
export type LimitReached = 'second-in-round' | 'too-many-aborts' | 'too-many-contributions';

/** One assignment that the device accepted. */
interface Entry {
  readonly assignment: AssignmentId;
  readonly round: RoundId;
  /** digestOfWork: what the device agreed to do. */
  readonly work: string;
  /** By the device's own clock, milliseconds since 1970. */
  readonly atMs: number;
  /** The secure group that it joined. */
  readonly group?: GroupId;
  /** The graph of the group was drawn, and the device said what went into it. */
  readonly drawn?: true;
  /** The server has the update, or can have the sum that it is in. */
  readonly contributed?: true;
}

const key = 'logbook';
const dayMs = 24 * 3_600_000;
/** As long as a plan may separate two contributions. */
const keptMs = 7 * dayMs;
const mostEntries = 1_024;
const defaultAbortedGroups = 64;

/**
 * What the device took part in, in its own storage: a server that starts it again, or waits until it does, gets nothing twice.
 * Each entry is stored before what it counts can leave the device.
 */
export class Logbook {
  readonly #host: Pick<Host, 'storage' | 'clock'>;
  #entries: readonly Entry[] | undefined;

  constructor(host: Pick<Host, 'storage' | 'clock'>) {
    this.#host = host;
  }

  /** The limit that keeps the device from accepting this offer, or `undefined`. */
  async limitReached(
    { id, roundId }: Pick<Assignment, 'id' | 'roundId'>,
    { abortedGroupsADay = defaultAbortedGroups, contributionsADay = Infinity }: ParticipationLimits,
  ): Promise<LimitReached | undefined> {
    const others = (await this.#read()).filter(({ assignment }) => assignment !== id);
    if (others.some(({ round }) => round === roundId)) return 'second-in-round';
    const since = this.#host.clock.wallMs() - dayMs;
    const today = others.filter(({ atMs }) => atMs > since);
    const aborted = today.filter(({ drawn, contributed }) => drawn && !contributed);
    if (aborted.length >= abortedGroupsADay) return 'too-many-aborts';
    const contributions = today.filter(({ contributed }) => contributed);
    return contributions.length >= contributionsADay ? 'too-many-contributions' : undefined;
  }

  /** Time since the device last handed in an update; `undefined`: not within a week. */
  async sinceContributionMs(): Promise<number | undefined> {
    const times = (await this.#read()).filter(({ contributed }) => contributed).map(({ atMs }) => atMs);
    return times.length === 0 ? undefined : this.#host.clock.wallMs() - Math.max(...times);
  }

  /** The device is about to accept an offer: it agrees to this work, and to no other under the same name. */
  async agree(offer: Assignment): Promise<void> {
    const entries = await this.#read();
    if (entries.some(({ assignment }) => assignment === offer.id)) return this.check(offer);
    const { id, roundId } = offer;
    const atMs = this.#host.clock.wallMs();
    await this.#write([...entries, { assignment: id, round: roundId, work: digestOfWork(offer), atMs }]);
  }

  /**
   * Holds an assignment under way to what the device agreed to. Throws DeviceError `not-agreed` (it never saw the offer, so none
   * of its conditions was asked) and `work-changed`: other work, another model or other encoding under the same name, which
   * would be masked as if it were the first.
   */
  async check(standing: Assignment): Promise<void> {
    const known = (await this.#read()).find(({ assignment }) => assignment === standing.id);
    if (!known) {
      throw new DeviceError(
        'not-agreed',
        'The server says that the device has accepted an assignment which it was never offered. Nothing was sent.',
      );
    }
    if (known.work !== digestOfWork(standing)) {
      throw new DeviceError(
        'work-changed',
        'The server changed what the assignment asks for after the device had agreed to it. Nothing was sent.',
      );
    }
  }

  /**
   * The device is about to enter a group with its update: once, whatever became of it. Throws DeviceError `second-group`
   * (the update was in another group, and two sums that hold it tell more than one) and `group-state-lost` (it was in this
   * one, and no longer knows what it said there).
   */
  async join(id: AssignmentId, group: GroupId): Promise<void> {
    const joined = (await this.#read()).find(({ assignment }) => assignment === id)?.group;
    if (joined === group) {
      throw new DeviceError(
        'group-state-lost',
        'The device has lost its place in the group, and cannot come back: its masks are used once.',
      );
    }
    if (joined !== undefined) {
      throw new DeviceError(
        'second-group',
        'The server put the assignment into a second group. An update is summed once; nothing was sent.',
      );
    }
    await this.#change(id, { group });
  }

  /** The device is about to say what a graph is drawn from. */
  async drawn(id: AssignmentId): Promise<void> {
    await this.#change(id, { drawn: true });
  }

  /** The server acknowledged the update, or the device is about to help to unmask the sum. */
  async contributed(id: AssignmentId): Promise<void> {
    await this.#change(id, { contributed: true });
  }

  async #change(id: AssignmentId, change: Partial<Entry>): Promise<void> {
    const atMs = this.#host.clock.wallMs();
    const entries = await this.#read();
    await this.#write(
      entries.map((entry) => (entry.assignment === id ? { ...entry, ...change, atMs } : entry)),
    );
  }

  async #read(): Promise<readonly Entry[]> {
    const now = this.#host.clock.wallMs();
    this.#entries ??= (await readJson<readonly Entry[]>(this.#host.storage, key)) ?? [];
    // A clock that was set back would else make an entry last until it is there again.
    return this.#entries.map((entry) => (entry.atMs > now ? { ...entry, atMs: now } : entry));
  }

  async #write(entries: readonly Entry[]): Promise<void> {
    const since = this.#host.clock.wallMs() - keptMs;
    this.#entries = entries.filter(({ atMs }) => atMs >= since).slice(-mostEntries);
    await writeJson(this.#host.storage, key, this.#entries);
  }
}
