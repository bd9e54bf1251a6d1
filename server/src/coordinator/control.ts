import {
  assignmentTransitions,
  ProblemError,
  sourcesOf,
  type Assignment,
  type AssignmentId,
  type AssignmentState,
  type ControlMessage,
  type DeviceId,
  type DropReason,
} from '@starling/protocol';
import type { DeviceIdentity } from '../devices/sessions.ts';
import { arrived } from './announce.ts';
import type { Context } from './context.ts';
import { updateByteLimit } from './contribution.ts';
import { groupReady } from './round-groups.ts';
import { offerRound } from './round-selection.ts';
import { settleRound } from './round-end.ts';
import type { AssignmentRow } from './rows.ts';
import { leaveUnlessSummed } from './secure-groups.ts';
import { assignmentColumns, assignmentView, type TimedAssignment } from './views.ts';

/** Where an assignment that has passed a phase may stand when the device repeats that phase's message. */
const beyond: Record<'accept' | 'begin' | 'ready', readonly AssignmentState[]> = {
  accept: ['accepted', 'training', 'ready', 'grouped', 'uploaded', 'counted'],
  begin: ['training', 'ready', 'grouped', 'uploaded', 'counted'],
  ready: ['ready', 'grouped', 'uploaded', 'counted'],
};

/**
 * What a device says of its assignment. Each message moves the row from the state before, once; said again it
 * answers with the state as it is. Throws ProblemError `not-found` (also for another device's assignment),
 * `assignment-closed`, `illegal-transition`.
 */
export async function control(
  context: Context,
  { deviceId, projectId }: DeviceIdentity,
  id: AssignmentId,
  message: ControlMessage,
): Promise<Assignment> {
  switch (message.action) {
    case 'accept': {
      const row = await context.batches.accept.add({ id, deviceId, projectId });
      return row ? arrived(context, row) : repeated(context, deviceId, id, message.action);
    }
    case 'begin': {
      const row = await context.batches.begin.add({ id, deviceId, projectId });
      return row ? arrived(context, row) : repeated(context, deviceId, id, message.action);
    }
    case 'ready':
      return ready(context, deviceId, id, message);
    case 'decline':
      await drop(context, deviceId, id, 'declined', message.reason);
      return viewOf(context, deviceId, id);
    case 'fail':
      await drop(context, deviceId, id, 'training-failed', message.reason);
      return viewOf(context, deviceId, id);
  }
}

async function ready(
  context: Context,
  deviceId: DeviceId,
  id: AssignmentId,
  { digest, bytes }: Extract<ControlMessage, { action: 'ready' }>,
): Promise<Assignment> {
  const before = await readAssignment(context, deviceId, id);
  const { blocks, secure } = await context.rounds.get(before.round_id);
  if (secure) return readyMasked(context, deviceId, id, digest === undefined && bytes === undefined);
  if (digest === undefined || bytes === undefined) {
    throw new ProblemError(
      'invalid-request',
      'This task sums clear updates: say "ready" with the digest and the length of the update.',
    );
  }
  const limit = updateByteLimit(blocks);
  if (bytes > limit) {
    throw new ProblemError(
      'upload-too-large',
      `The update would have ${bytes} bytes; an update of this round has at most ${limit}.`,
    );
  }
  const row = await context.batches.announce.add({ id, deviceId, roundId: before.round_id, digest, bytes });
  if (!row) {
    const now = await readAssignment(context, deviceId, id);
    if (!beyond.ready.includes(now.state)) throw refusal(now, 'ready');
    if (now.update_digest !== digest) {
      throw new ProblemError(
        'update-already-received',
        'This assignment announced another update before. Send the same bytes, or nothing.',
      );
    }
    return viewOf(context, deviceId, id);
  }
  return arrived(context, row);
}

/** A secure task: nothing is said of the update, and the answer tells which group the device is in, if it is in one. */
async function readyMasked(
  context: Context,
  deviceId: DeviceId,
  id: AssignmentId,
  saysNothing: boolean,
): Promise<Assignment> {
  if (!saysNothing) {
    throw new ProblemError(
      'invalid-request',
      'This task sums under masks: say "ready" without digest and length, which would tell something of the update.',
    );
  }
  const row = await move(context, deviceId, id, 'ready', 'ready_at = now()', []);
  if (!row) {
    const now = await readAssignment(context, deviceId, id);
    if (!beyond.ready.includes(now.state)) throw refusal(now, 'ready');
    return viewOf(context, deviceId, id);
  }
  context.failpoint('assignment-ready');
  context.announce.arrived(row.project_id, row.round_id);
  await groupReady(context, row.round_id, new Set([id]));
  return viewOf(context, deviceId, id);
}

/**
 * Drops one assignment, and lets its round find another device or its end. Nothing happens to a member of a secure group
 * whose sum holds its update.
 */
export async function drop(
  context: Context,
  deviceId: DeviceId,
  id: AssignmentId,
  reason: DropReason,
  detail: string,
): Promise<void> {
  const { group_id: groupId } = await readAssignment(context, deviceId, id);
  if (groupId === null) await dropHere(context, deviceId, id, reason, detail);
  else await context.post.ask({ kind: 'leave', deviceId, groupId, assignmentId: id, reason, detail });
}

/** {@link drop}, at the node that holds the assignment's group. */
export async function dropHere(
  context: Context,
  deviceId: DeviceId,
  id: AssignmentId,
  reason: DropReason,
  detail: string,
): Promise<void> {
  const before = await readAssignment(context, deviceId, id);
  let row: TimedAssignment | undefined;
  const leave = async () => {
    row = await move(context, deviceId, id, 'dropped', 'reason = $4, ended_at = now()', [
      detail === '' ? reason : `${reason}: ${detail}`,
    ]);
  };
  if (before.group_id === null) await leave();
  else if (!(await leaveUnlessSummed(context, deviceId, before.group_id, leave))) return;
  if (!row) {
    const now = await readAssignment(context, deviceId, id);
    if (now.state !== 'dropped') throw refusal(now, 'decline');
    return;
  }
  context.failpoint('assignment-dropped');
  await context.staging.discard(id);
  await offerRound(context, row.project_id, row.round_id);
  await settleRound(context, row.round_id);
}

async function viewOf(context: Context, deviceId: DeviceId, id: AssignmentId): Promise<Assignment> {
  const [row] = await context.database.query<TimedAssignment>(
    `select ${assignmentColumns} from assignments a join rounds r on r.id = a.round_id
      where a.id = $1 and a.device_id = $2`,
    [id, deviceId],
  );
  if (!row) throw notFound(id);
  return assignmentView(context, row);
}

/** The answer to a message that was said before; throws when the assignment is not beyond that message. */
async function repeated(
  context: Context,
  deviceId: DeviceId,
  id: AssignmentId,
  action: 'accept' | 'begin',
): Promise<Assignment> {
  const view = await viewOf(context, deviceId, id);
  if (!beyond[action].includes(view.state)) throw refusal(view, action);
  return view;
}

export async function readAssignment(
  context: Pick<Context, 'batches'>,
  deviceId: DeviceId,
  id: AssignmentId,
): Promise<AssignmentRow> {
  const row = await context.batches.read.add({ id, deviceId });
  if (!row) throw notFound(id);
  return row;
}

/** The device's assignment under way, if any: what it continues after a reconnect. */
export async function currentAssignment(context: Context, deviceId: DeviceId): Promise<Assignment | null> {
  const row = await context.batches.current.add(deviceId);
  return row ? assignmentView(context, row) : null;
}

/** One conditional transition; `undefined` when the row was not in a state from which `to` may be reached. */
async function move(
  context: Context,
  deviceId: DeviceId,
  id: AssignmentId,
  to: AssignmentState,
  changes: string,
  values: readonly unknown[],
): Promise<TimedAssignment | undefined> {
  const from = sourcesOf(assignmentTransitions, to);
  const [row] = await context.database.query<TimedAssignment>(
    `update assignments a set state = '${to}', ${changes} from rounds r
      where r.id = a.round_id and a.id = $1 and a.device_id = $2 and a.state = any($3)
      returning ${assignmentColumns}`,
    [id, deviceId, to === 'dropped' ? from.filter((state) => state !== 'uploaded') : from, ...values],
  );
  return row;
}

export function refusal(
  row: Pick<AssignmentRow, 'state' | 'reason'>,
  what: string | undefined,
): ProblemError {
  if (row.state === 'dropped') {
    return new ProblemError(
      'assignment-closed',
      `The assignment was dropped (${row.reason ?? 'no reason given'}). Wait for another.`,
    );
  }
  if (row.state === 'counted') {
    return new ProblemError('assignment-closed', 'The assignment is over: its update was counted.');
  }
  return new ProblemError(
    'illegal-transition',
    `"${what}" does not follow the state ${row.state}. Ask GET /v1/device/assignment for where it stands.`,
  );
}

function notFound(id: AssignmentId): ProblemError {
  return new ProblemError('not-found', `This device has no assignment ${id}.`);
}
