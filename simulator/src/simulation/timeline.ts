/**
 * A round in virtual time: who is asked, who is ready and counted when, and who drops out why. The rules are those of the
 * coordinator (docs/architecture.md); what devices need for each step is handed in.
 */
import { type AbandonReason, type DropReason, type Plan } from '@starling/protocol';
import { groupsOf, phaseWindowMs, type RoundSpec } from '@starling/server/rules';
import { fewestSurvivors } from './group-rules.ts';

/** What one device would do in a round, if it were asked. */
export interface DeviceRun {
  readonly device: number;
  readonly declines: boolean;
  readonly downMs: number;
  readonly computeMs: number;
  readonly upMs: number;
  /** Part of its way, 0 to 1, after which it vanishes without a word. */
  readonly vanishesAt: number | undefined;
}

export interface RoundTerms {
  readonly spec: Pick<RoundSpec, 'goal' | 'minimum' | 'target'>;
  readonly windows: Plan['windows'];
  readonly secure: Plan['secure'];
  readonly roundTripMs: number;
}

/** Devices in the order in which they are asked, with the moment from which they are there. */
export interface Arrivals {
  readonly fromMs: number;
  readonly devices: Iterable<DeviceRun>;
}

/** A device that trains in a round, with the moments of its way after the round's start. */
interface Member {
  readonly run: DeviceRun;
  readonly readyMs: number;
  /** When it vanishes, if it does before it is ready. */
  readonly goneMs: number | undefined;
  readonly vanishesInUpload: boolean;
}

export interface Timeline {
  readonly outcome: 'published' | AbandonReason;
  /** When devices began to train; undefined when they never did. */
  readonly trainingMs: number | undefined;
  readonly endMs: number;
  readonly asked: number;
  readonly accepted: readonly number[];
  /** Devices whose updates are in the sum. */
  readonly counted: readonly number[];
  readonly dropped: ReadonlyMap<DropReason, number>;
  readonly groups: { readonly summed: number; readonly aborted: number };
  /** Copies of the model and of updates that travelled whole or in part. */
  readonly downloads: number;
  readonly uploads: number;
  /** Time that devices gave: from the begin of their training to their end in the round. */
  readonly deviceMs: number;
  readonly computeMs: number;
}

interface Selection {
  readonly accepted: readonly DeviceRun[];
  readonly asked: number;
  readonly declined: number;
  readonly endMs: number;
}

/**
 * Plays a round. `failed` are devices whose training is known to fail; they say so when they would be ready.
 */
export function playRound(
  terms: RoundTerms,
  arrivals: readonly Arrivals[],
  failed: ReadonlySet<number>,
): Timeline {
  const { spec, windows, roundTripMs } = terms;
  const selection = select(terms, arrivals);
  const { accepted, endMs: trainingMs } = selection;
  const dropped = new Map<DropReason, number>();
  const drop = (reason: DropReason, count = 1) => {
    if (count > 0) dropped.set(reason, (dropped.get(reason) ?? 0) + count);
  };
  drop('declined', selection.declined);
  if (accepted.length < spec.minimum) {
    drop('round-abandoned', accepted.length);
    return {
      ...{ outcome: 'too-few-devices', trainingMs: undefined, endMs: windows.selectingMs },
      ...{ asked: selection.asked, accepted: accepted.map(({ device }) => device), counted: [], dropped },
      ...{ groups: { summed: 0, aborted: 0 }, downloads: 0, uploads: 0, deviceMs: 0, computeMs: 0 },
    };
  }
  const readyBy = trainingMs + windows.trainingMs;
  const members = accepted.map((run) => memberOf(run, trainingMs, roundTripMs));
  const isReady = ({ readyMs, goneMs, run }: Member) =>
    goneMs === undefined && readyMs <= readyBy && !failed.has(run.device);
  const ready = members.filter(isReady).sort((a, b) => a.readyMs - b.readyMs || a.run.device - b.run.device);
  const failures = members.filter(
    ({ readyMs, goneMs, run }) => goneMs === undefined && readyMs <= readyBy && failed.has(run.device),
  );
  const { landings, lost, isWaiting } = terms.secure
    ? sumInGroups(terms, terms.secure, members, ready, failed, readyBy)
    : sumOneByOne(terms, ready);
  const inTime = landings.filter(({ atMs }) => atMs <= readyBy + windows.aggregatingMs);
  const endMs = endOf(terms, inTime, {
    ...{ readyBy, isLate: members.length > ready.length + failures.length, ready: ready.length },
    lastWordMs: latest([
      trainingMs,
      ...[...lost.values()].map(({ atMs }) => atMs),
      ...failures.map(({ readyMs }) => readyMs),
    ]),
    isUploading: isWaiting || inTime.length < landings.length,
  });
  const landed = new Map(
    inTime.flatMap(({ atMs, devices }) =>
      atMs <= endMs ? devices.map((device) => [device, atMs] as const) : [],
    ),
  );
  const isPublished = landed.size >= spec.minimum;
  const counted: number[] = [];
  for (const { run, readyMs, goneMs } of members) {
    const end = lost.get(run.device);
    if (landed.has(run.device)) {
      if (isPublished) counted.push(run.device);
      else drop('round-abandoned');
    } else if (goneMs === undefined && failed.has(run.device) && readyMs <= endMs) drop('training-failed');
    else if (end && end.atMs <= endMs) drop(end.reason);
    else if ((goneMs !== undefined || readyMs > readyBy) && endMs >= readyBy) drop('late');
    else if (!isPublished) drop('round-abandoned');
    else drop(landed.size >= spec.goal ? 'goal-reached' : 'late');
  }
  return {
    outcome: isPublished ? 'published' : 'too-few-updates',
    ...{ trainingMs, endMs, asked: selection.asked, accepted: accepted.map(({ device }) => device) },
    ...{ counted, dropped },
    groups: {
      summed: terms.secure ? inTime.filter(({ atMs }) => atMs <= endMs).length : 0,
      aborted: new Set([...lost.values()].map(({ group }) => group).filter((group) => group !== undefined))
        .size,
    },
    ...timesOf(members, endMs, trainingMs, landed),
  };
}

/** Asks devices until enough have accepted or the window closes; whoever declines is made up for at once. */
function select({ spec, windows, roundTripMs }: RoundTerms, arrivals: readonly Arrivals[]): Selection {
  const accepted: DeviceRun[] = [];
  let [asked, declined, atMs] = [0, 0, 0];
  for (const { fromMs, devices } of arrivals) {
    if (fromMs + roundTripMs > windows.selectingMs) break;
    atMs = Math.max(atMs, fromMs);
    const waiting = devices[Symbol.iterator]();
    for (let isOver = false; !isOver && accepted.length < spec.target;) {
      const wanted = spec.target - accepted.length;
      let asking = 0;
      while (asking < wanted) {
        const next = waiting.next();
        isOver = next.done === true;
        if (next.done === true) break;
        asking++;
        if (next.value.declines) declined++;
        else accepted.push(next.value);
      }
      asked += asking;
      if (asking > 0) atMs += roundTripMs;
    }
    if (accepted.length >= spec.target) return { accepted, asked, declined, endMs: atMs };
  }
  return { accepted, asked, declined, endMs: windows.selectingMs };
}

function memberOf(run: DeviceRun, trainingMs: number, roundTripMs: number): Member {
  const { downMs, computeMs, upMs, vanishesAt } = run;
  const toReadyMs = downMs + computeMs + 2 * roundTripMs; // "begin" and "ready" are said besides
  const vanishesMs = vanishesAt === undefined ? Infinity : vanishesAt * (toReadyMs + upMs);
  const goneMs = vanishesMs < toReadyMs ? trainingMs + vanishesMs : undefined;
  return {
    ...{ run, readyMs: trainingMs + toReadyMs, goneMs },
    vanishesInUpload: goneMs === undefined && vanishesMs < Infinity,
  };
}

/** Updates that become part of the round's sum at a moment. */
interface Landing {
  readonly atMs: number;
  readonly devices: readonly number[];
}

/** Why an update comes to nothing although it was ready. */
interface Loss {
  readonly atMs: number;
  readonly reason: Extract<DropReason, 'group-aborted' | 'no-group'>;
  /** Number of the group that was aborted. */
  readonly group?: number;
}

interface Sums {
  readonly landings: readonly Landing[];
  readonly lost: ReadonlyMap<number, Loss>;
  /** Whether the round waits for a device that will never be heard of again. */
  readonly isWaiting: boolean;
}

/** Clear updates: each is a sum of its own, as soon as it is there. */
function sumOneByOne({ roundTripMs }: RoundTerms, ready: readonly Member[]): Sums {
  const landings = ready
    .filter(({ vanishesInUpload }) => !vanishesInUpload)
    .map(({ readyMs, run }) => ({ atMs: readyMs + run.upMs + roundTripMs, devices: [run.device] }))
    .sort(byTime);
  return { landings, lost: new Map(), isWaiting: landings.length < ready.length };
}

const byTime = (a: Landing, b: Landing) => a.atMs - b.atMs || a.devices[0]! - b.devices[0]!;

/**
 * Updates under masks: groups form as devices become ready, and are summed by those that stay. Messages of keys, shares, signatures and
 * unmasking take a round trip each (keys two), the upload as long as that of the slowest member; who vanishes does so in the
 * upload, and its phase then lasts as long as its window.
 */
function sumInGroups(
  { windows, roundTripMs }: RoundTerms,
  secure: NonNullable<Plan['secure']>,
  members: readonly Member[],
  ready: readonly Member[],
  failed: ReadonlySet<number>,
  readyBy: number,
): Sums {
  const landings: Landing[] = [];
  const lost = new Map<number, Loss>();
  let groups = 0;
  const start = (group: readonly Member[], atMs: number) => {
    const stay = group.filter(({ vanishesInUpload }) => !vanishesInUpload);
    const upMs =
      stay.length < group.length
        ? phaseWindowMs(windows.aggregatingMs, 'uploads')
        : latest(stay.map(({ run }) => run.upMs)) + roundTripMs;
    const endMs = atMs + upMs + 5 * roundTripMs;
    groups++;
    if (stay.length >= Math.max(secure.groupSize.minimum, fewestSurvivors(group.length))) {
      landings.push({ atMs: endMs, devices: stay.map(({ run }) => run.device) });
      return;
    }
    for (const { run } of group)
      lost.set(run.device, { atMs: endMs, reason: 'group-aborted', group: groups });
  };
  const events = [
    ...ready.map((member) => ({ atMs: member.readyMs, member })),
    ...members
      .filter(
        ({ run, goneMs, readyMs }) => failed.has(run.device) && goneMs === undefined && readyMs <= readyBy,
      )
      .map(({ readyMs }) => ({ atMs: readyMs, member: undefined })),
  ].sort((a, b) => a.atMs - b.atMs);
  let pending = members.length;
  let free: Member[] = [];
  const group = (atMs: number) => {
    const { sizes, left } = groupsOf(free.length, pending, secure.groupSize);
    for (const size of sizes) {
      start(free.slice(0, size), atMs);
      free = free.slice(size);
    }
    if (left === 0) return;
    for (const { run } of free) lost.set(run.device, { atMs, reason: 'no-group' });
    free = [];
  };
  for (const { atMs, member } of events) {
    pending--;
    if (member) free.push(member);
    group(atMs);
  }
  if (pending > 0) {
    pending = 0;
    group(readyBy);
  }
  return { landings: landings.sort(byTime), lost, isWaiting: false };
}

/** When a round ends: its goal is reached, nobody is left, the minimum is out of reach, or the last window closes. */
function endOf(
  { spec, windows }: RoundTerms,
  landings: readonly Landing[],
  facts: { readyBy: number; isLate: boolean; ready: number; lastWordMs: number; isUploading: boolean },
): number {
  let counted = 0;
  for (const { atMs, devices } of landings) {
    counted += devices.length;
    if (counted >= spec.goal) return atMs;
  }
  const { readyBy, isLate, isUploading, lastWordMs } = facts;
  if (isLate && facts.ready < spec.minimum) return readyBy;
  if (isUploading) return readyBy + windows.aggregatingMs;
  const last = Math.max(lastWordMs, landings.at(-1)?.atMs ?? 0);
  return isLate ? Math.max(readyBy, last) : last;
}

/** What devices spent and moved until the round ended. */
function timesOf(
  members: readonly Member[],
  endMs: number,
  trainingMs: number,
  landedMs: ReadonlyMap<number, number>,
): { downloads: number; uploads: number; deviceMs: number; computeMs: number } {
  let [downloads, uploads, deviceMs, computeMs] = [0, 0, 0, 0];
  for (const { run, readyMs, goneMs } of members) {
    const until = Math.min(endMs, goneMs ?? Infinity, landedMs.get(run.device) ?? Infinity);
    const spentMs = Math.max(0, until - trainingMs);
    deviceMs += spentMs;
    downloads += run.downMs > 0 ? Math.min(1, spentMs / run.downMs) : 1;
    computeMs += Math.min(run.computeMs, Math.max(0, spentMs - run.downMs));
    if (landedMs.has(run.device)) uploads++;
    else if (run.upMs > 0) uploads += Math.min(1, Math.max(0, until - readyMs) / run.upMs);
  }
  return { downloads, uploads, deviceMs, computeMs };
}

function latest(moments: readonly number[]): number {
  return moments.reduce((last, moment) => Math.max(last, moment), 0);
}
