/**
 * Groups of secure tasks: the shell around the server's machine of SA-1. What a machine decides becomes a conditional
 * update of the group's row; a sum becomes the group's part of the round in the same way as a clear update does.
 */
import { WeightedSum } from '@starling/aggregation';
import {
  digestOfWork,
  fromBase64Url,
  fromHex,
  groupTransitions,
  ProblemError,
  sha256,
  sourcesOf,
  toBase64Url,
  toHex,
  type AssignmentId,
  type DeviceId,
  type GroupId,
  type GroupMail,
  type GroupState,
  type RoundId,
} from '@starling/protocol';
import {
  decodeRingSum,
  decodeUpload,
  kindOf,
  openGroup,
  pendingMessages,
  Refusal,
  RingSumError,
  stepServer,
  vectorOf,
  wordsToBytes,
  type GroupTerms,
  type MessageKind,
  type ServerEvent,
  type ServerState,
  type ServerSummed,
} from '@starling/secure';
import { UnmaskingFailed } from '../unmasking/unmasking.ts';
import { announceAssignments } from './announce.ts';
import type { Context } from './context.ts';
import type { LiveGroup, Member } from './live-groups.ts';
import { isDead } from './nodes.ts';
import type { RoundFacts } from './round-facts.ts';
import { settleSoon } from './round-end.ts';
import { assignmentColumns, assignmentView, type TimedAssignment } from './views.ts';

/**
 * What a group is made to bear. Up to 64 members everyone is everyone's neighbour, and two thirds of them rebuild a secret;
 * above, the graph is drawn for these figures.
 */
export const assumptions = {
  corruptPermille: 100,
  dropOutPermille: 200,
  privacyBits: 40,
  correctnessBits: 20,
};

/** Shares of the aggregating window: bulk moves in one phase, the others are a message each. */
const windowShares: Record<Exclude<ServerState['phase'], 'summed' | 'aborted'>, number> = {
  keys: 0.1,
  reveals: 0.1,
  shares: 0.1,
  uploads: 0.5,
  signing: 0.1,
  unmasking: 0.1,
};

/** What a member has read when it says this. */
const answeredBy: Partial<Record<MessageKind, readonly MessageKind[]>> = {
  keys: ['terms'],
  reveal: ['roster'],
  shares: ['roster', 'nonces'],
  upload: ['inbox'],
  signature: ['survivors'],
  unmask: ['signatures'],
};

/** The phases of the machine in the words of the group's row: nonces are revealed as a part of agreeing on keys. */
function rowStateOf(phase: ServerState['phase']): GroupState {
  return phase === 'reveals' ? 'keys' : phase;
}

export function phaseWindowMs(aggregatingMs: number, phase: keyof typeof windowShares): number {
  return Math.ceil(aggregatingMs * windowShares[phase]);
}

/** Starts the machine of a group whose rows were just written, and asks its members for keys. */
export async function startGroup(context: Context, roundId: RoundId, id: GroupId): Promise<void> {
  const facts = await context.rounds.get(roundId);
  const rows = await context.database.query<{ id: AssignmentId; device_id: DeviceId; public_key: string }>(
    `select a.id, a.device_id, d.public_key from assignments a join devices d on d.id = a.device_id
      where a.group_id = $1 order by a.id`,
    [id],
  );
  const members = rows.map(({ id: assignmentId, device_id: deviceId, public_key: key }): Member => {
    return { assignmentId, deviceId, name: toHex(fromBase64Url(key)) };
  });
  const { state } = await openGroup(
    termsOf(facts, roundId, id),
    members.map(({ name }) => name),
    context.groups.environment,
  );
  const group: LiveGroup = {
    ...{ id, roundId, members, announced: new Map(), state },
    isUnmasking: false,
  };
  context.groups.add(group);
  context.failpoint('group-keys');
  hint(context, group);
}

/** What the group has for this device, but for messages of these kinds. Throws ProblemError `not-found` unless it is a member. */
export async function mailOf(
  context: Context,
  deviceId: DeviceId,
  id: GroupId,
  without: readonly MessageKind[] = [],
): Promise<GroupMail> {
  const [row] = await context.database.query<TimedAssignment & { group_state: GroupState }>(
    `select ${assignmentColumns}, g.state as group_state
       from assignments a join rounds r on r.id = a.round_id join groups g on g.id = a.group_id
      where a.group_id = $1 and a.device_id = $2 and g.secure`,
    [id, deviceId],
  );
  if (!row) throw new ProblemError('not-found', `This device is in no secure group ${id}.`);
  const group = row.state === 'grouped' ? context.groups.get(id) : undefined;
  const name = group?.members.find((member) => member.deviceId === deviceId)?.name;
  const messages = group && name !== undefined ? pendingMessages(group.state, name) : [];
  return {
    state: row.group_state,
    messages: messages.flatMap(({ bytes }) => (without.includes(kindOf(bytes)) ? [] : [toBase64Url(bytes)])),
    assignment: await assignmentView(context, row),
  };
}

/**
 * Takes a member's message, and answers with what the group says next, if it is so far: not again with what the member
 * has just answered, which may be the keys of a thousand others. Said again, it gets the same. Throws ProblemError
 * `not-found`, `group-closed`, `group-message-refused` (nothing changed).
 */
export async function hearMember(
  context: Context,
  deviceId: DeviceId,
  id: GroupId,
  bytes: Uint8Array,
): Promise<GroupMail> {
  const mail = await mailOf(context, deviceId, id);
  if (context.groups.get(id)?.isUnmasking) return mail;
  await context.groups.exclusively(id, async (group) => {
    const member = memberOf(group, deviceId, id);
    await refusing(async () => {
      if (kindOf(bytes) === 'upload') await announce(context, member.group, member, bytes);
      else await take(context, member.group, { kind: 'message', from: member.name, bytes });
    });
  });
  return mailOf(context, deviceId, id, answeredBy[kindOf(bytes)]);
}

/**
 * Adds a masked update to its group's sum, once, from the file in which it is staged whole: `digest` was taken of that.
 * Throws as {@link hearMember} does.
 */
export async function receiveMasked(
  context: Context,
  deviceId: DeviceId,
  groupId: GroupId,
  id: AssignmentId,
  digest: Uint8Array,
): Promise<void> {
  await context.groups.exclusively(groupId, async (group) => {
    const member = memberOf(group, deviceId, groupId);
    const [still] = await context.database.query(
      "select 1 from assignments where id = $1 and device_id = $2 and group_id = $3 and state = 'grouped'",
      [id, deviceId, groupId],
    );
    if (!still) throw closed(groupId); // it left while its update was on the way
    const header = member.group.announced.get(deviceId);
    if (!header) {
      throw new ProblemError(
        'illegal-transition',
        'The masked update was not announced: send UPLOAD to the group first.',
      );
    }
    const body = {
      length: await context.staging.offset(id),
      digest,
      read: () => stagedWords(context, id),
    };
    await refusing(() =>
      take(context, member.group, { kind: 'upload', from: member.name, bytes: header, body }),
    );
    context.failpoint('masked-update-added');
  });
}

/** The group of an update that cannot be read is aborted by its machine; the reason is told here. */
async function* stagedWords(context: Context, id: AssignmentId): AsyncGenerator<Uint8Array> {
  try {
    yield* context.staging.chunks(id);
  } catch (error) {
    context.log.error({ error, assignmentId: id }, 'a staged update could not be read');
    throw error;
  }
}

/**
 * Does `leave` unless the group's sum holds the member's update already: that cannot be taken out, so the member stays and is
 * counted. Resolves with whether it left.
 */
export async function leaveUnlessSummed(
  context: Context,
  deviceId: DeviceId,
  id: GroupId,
  leave: () => Promise<void>,
): Promise<boolean> {
  return context.groups.exclusively(id, async (group) => {
    if (group && holdsUpdateOf(group, deviceId)) return false;
    await leave();
    return true;
  });
}

function holdsUpdateOf({ members, state }: LiveGroup, deviceId: DeviceId): boolean {
  const name = members.find((member) => member.deviceId === deviceId)?.name;
  if (name === undefined || !('names' in state)) return false;
  const index = state.names.indexOf(name);
  if (state.phase === 'uploads') return Boolean(state.uploads[index]);
  return 'survivors' in state && state.survivors[index] === true;
}

/** The window of a group's phase is over: it goes on with those that spoke, or is aborted. */
export async function closePhase(context: Context, id: GroupId): Promise<void> {
  if (context.groups.get(id)?.isUnmasking) return;
  await context.groups.exclusively(id, async (group) => {
    if (!group) return abortGroup(context, id, 'server-restarted');
    const [due] = await context.database.query(
      'select 1 from groups where id = $1 and ended_at is null and deadline <= now()',
      [id],
    );
    if (due) await take(context, group, { kind: 'close' });
    return undefined;
  });
}

/** Groups that a dead node held, or a former life of this one: their masked sums are gone, and with them the updates of their members. */
export async function abortForgottenGroups(context: Context): Promise<void> {
  const rows = await context.database.query<{ id: GroupId }>(
    `select id from groups g where g.secure and g.ended_at is null and ${isDead('g.node')}`,
  );
  for (const { id } of rows) if (!context.groups.get(id)) await abandonGroup(context, id);
}

/** Aborts a group whose node is dead. */
export function abandonGroup(context: Context, id: GroupId): Promise<void> {
  return abortGroup(context, id, 'server-restarted');
}

/** Lets go of groups that ended by another node's doing. */
export async function forgetEndedGroups({ database, groups }: Context): Promise<void> {
  const held = groups.ids();
  if (held.length === 0) return;
  const ended = await database.query<{ id: GroupId }>(
    'select id from groups where id = any($1) and ended_at is not null',
    [held],
  );
  for (const { id } of ended) groups.remove(id);
}

/** Reads a group's sum as it was kept: the number of its updates (4 bytes, little-endian), then the words. */
export function readGroupSum(facts: RoundFacts, file: Uint8Array): WeightedSum {
  if (!facts.secure) throw new TypeError('Only groups of secure tasks have sums of their own.');
  const { layout } = facts.secure;
  const count = new DataView(file.buffer, file.byteOffset, 4).getUint32(0, true);
  const { lanes, weight } = decodeRingSum(layout, vectorOf(layout.ring, file.subarray(4)), count);
  return WeightedSum.ofLanes(facts.blocks, { maxWeight: facts.plan.maxWeight }, { lanes, weight, count });
}

/** One event of a group. A machine that has moved while its row did not is of no use any more: the group is aborted. */
async function take(context: Context, group: LiveGroup, event: ServerEvent): Promise<void> {
  const { state } = await stepServer(group.state, event, context.groups.environment);
  if (state.phase === group.state.phase) {
    group.state = state;
    return;
  }
  try {
    await enter(context, group, state);
  } catch (error) {
    context.log.error({ error, groupId: group.id }, 'a group could not be moved; it is aborted');
    await abortGroup(context, group.id, 'internal');
    throw error;
  }
}

async function enter(context: Context, group: LiveGroup, state: ServerState): Promise<void> {
  const { id } = group;
  if (state.phase === 'aborted') return abortGroup(context, id, state.reason);
  if (state.phase === 'summed') return finish(context, group, state);
  const { plan } = await context.rounds.get(group.roundId);
  const to = rowStateOf(state.phase);
  const [moved] = await context.database.query(
    `update groups set state = $2, deadline = now() + $3 * interval '1 millisecond'
      where id = $1 and state = any($4) returning id`,
    [
      id,
      to,
      phaseWindowMs(plan.windows.aggregatingMs, state.phase),
      [...sourcesOf(groupTransitions, to), ...(state.phase === 'reveals' ? ['keys'] : [])],
    ],
  );
  if (!moved) {
    context.groups.remove(id);
    throw closed(id);
  }
  group.state = state;
  context.failpoint(`group-${state.phase}`);
  hint(context, group);
}

/** Takes the masks away, and records the sum and whose updates it holds in one transaction. */
async function finish(context: Context, group: LiveGroup, state: ServerSummed): Promise<void> {
  const { id, roundId, members } = group;
  const facts = await context.rounds.get(roundId);
  group.isUnmasking = true;
  try {
    await context.groups.unmasking.apply(state.work, state.sum);
  } catch (error) {
    if (!(error instanceof UnmaskingFailed)) throw error;
    context.log.error({ error, groupId: id }, 'the masks of a group could not be taken away');
    return abortGroup(context, id, error.code);
  }
  const survivors = members.filter(({ name }) => state.survivors[state.names.indexOf(name)] === true);
  const file = new Uint8Array(4 + state.sum.byteLength);
  new DataView(file.buffer).setUint32(0, survivors.length, true);
  file.set(wordsToBytes(state.sum), 4);
  let sum: WeightedSum;
  try {
    sum = readGroupSum(facts, file);
  } catch (error) {
    if (!(error instanceof RingSumError)) throw error;
    return abortGroup(context, id, error.code);
  }
  await context.staging.keepSum(id, file);
  context.failpoint('group-sum-kept');
  const recorded = await context.database.tx(async (tx) => {
    const [open] = await tx.query(
      "select 1 from rounds where id = $1 and state = 'aggregating' and closed_at is null for update",
      [roundId],
    );
    if (!open) return false;
    const [moved] = await tx.query(
      `update groups set state = 'summed', digest = $2, ended_at = now()
        where id = $1 and state = any($3) returning id`,
      [id, sha256(file), sourcesOf(groupTransitions, 'summed').filter((from) => from === 'unmasking')],
    );
    if (!moved) return false;
    await tx.query(
      `update assignments set state = 'uploaded', uploaded_at = now()
        where group_id = $1 and state = 'grouped' and device_id = any($2)`,
      [id, survivors.map(({ deviceId }) => deviceId)],
    );
    await tx.query(
      `update assignments set state = 'dropped', reason = 'late', ended_at = now()
        where group_id = $1 and state = 'grouped'`,
      [id],
    );
    await tx.query('update rounds set bytes_up = bytes_up + $2 where id = $1', [
      roundId,
      survivors.length * state.sum.byteLength,
    ]);
    return true;
  });
  if (!recorded) {
    await context.staging.discardSum(id);
    context.groups.remove(id);
    return;
  }
  context.failpoint('group-summed');
  context.announce.arrived(facts.task.project_id, roundId);
  context.sums.fold(roundId, { blocks: facts.blocks, maxWeight: facts.plan.maxWeight }, id, sum);
  await leave(context, id, roundId);
}

/** Ends a group without a sum; its members' updates are not used. Does nothing to one that has ended. */
async function abortGroup(context: Context, id: GroupId, reason: string): Promise<void> {
  const roundId = await context.database.tx(async (tx) => {
    const [moved] = await tx.query<{ round_id: RoundId }>(
      `update groups set state = 'aborted', reason = $2, ended_at = now()
        where id = $1 and ended_at is null returning round_id`,
      [id, reason],
    );
    if (!moved) return undefined;
    await tx.query(
      `update assignments set state = 'dropped', reason = $2, ended_at = now()
        where group_id = $1 and state = 'grouped'`,
      [id, `group-aborted: ${reason}`],
    );
    return moved.round_id;
  });
  if (roundId === undefined) {
    context.groups.remove(id);
    return;
  }
  context.failpoint('group-aborted');
  context.log.warn({ groupId: id, reason }, 'a group was aborted');
  await leave(context, id, roundId);
}

/** After a group's end is committed: forget it, tell its members, and let the round go on. */
async function leave(context: Context, id: GroupId, roundId: RoundId): Promise<void> {
  context.groups.remove(id);
  const rows = await context.database.query<{ id: AssignmentId }>(
    'select id from assignments where group_id = $1',
    [id],
  );
  const ids = rows.map((row) => row.id);
  for (const member of ids) await context.staging.discard(member);
  await announceAssignments(context, ids);
  settleSoon(context, roundId);
}

/** UPLOAD: which bytes will come. They come by the way of all updates, and are added when they are complete. */
async function announce(
  context: Context,
  group: LiveGroup,
  { deviceId, assignmentId }: Member,
  bytes: Uint8Array,
): Promise<void> {
  const { secure } = await context.rounds.get(group.roundId);
  const header = decodeUpload(bytes, group.state.context);
  if (group.state.phase !== 'uploads') {
    const before = group.announced.get(deviceId);
    if (before && toHex(before) === toHex(bytes)) return;
    throw new Refusal('late', 'Masked updates are not taken in this phase.');
  }
  if (header.ring !== secure?.layout.ring) throw new Refusal('wrong-ring', 'Words of another ring.');
  if (header.length !== secure.layout.length) {
    throw new Refusal('wrong-length', `${header.length} coordinates; ${secure.layout.length} were expected.`);
  }
  const [taken] = await context.database.query(
    `update assignments set update_digest = $2, update_bytes = $3
      where id = $1 and state = 'grouped' and (update_digest is null or update_digest = $2) returning id`,
    [assignmentId, toHex(header.digest), (header.length * header.ring) / 8],
  );
  if (!taken) throw new Refusal('conflicting-message', 'The device announced another update before.');
  group.announced.set(deviceId, bytes);
}

function termsOf(facts: RoundFacts, roundId: RoundId, id: GroupId): GroupTerms {
  const { secure, task, served, work, blocks, plan } = facts;
  if (!secure) throw new TypeError('A group of a clear task has no terms.');
  const taskDigest = digestOfWork({
    ...{ taskId: task.id, roundId, work, model: served, blocks: [...blocks], maxWeight: plan.maxWeight },
    secure: { ...secure.offered, groupId: null },
  });
  return {
    ...{ task: task.id, round: roundId, group: id },
    taskDigest: fromHex(taskDigest),
    modelDigest: fromHex(served.weights),
    ring: secure.layout.ring,
    length: secure.layout.length,
    minimum: secure.offered.minimum,
    ...assumptions,
  };
}

function memberOf(
  group: LiveGroup | undefined,
  deviceId: DeviceId,
  id: GroupId,
): Member & { group: LiveGroup } {
  const member = group?.members.find((candidate) => candidate.deviceId === deviceId);
  if (!group || !member) throw closed(id);
  return { ...member, group };
}

/** Members with something to read are told so; they come and fetch it. */
function hint(context: Context, { id, members, state }: LiveGroup): void {
  for (const { deviceId, name } of members) {
    if (pendingMessages(state, name).length > 0) context.announce.group(deviceId, id);
  }
}

async function refusing<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw new ProblemError('group-message-refused', error.message, { refusal: error.code });
  }
}

function closed(id: GroupId): ProblemError {
  return new ProblemError(
    'group-closed',
    `Group ${id} is over. GET /v1/device/assignment says what became of it.`,
  );
}
