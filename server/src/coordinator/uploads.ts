import { ProblemError, type AssignmentId, type DeviceId, type UploadAnswer } from '@starling/protocol';
import { announceAssignments } from './announce.ts';
import type { Context } from './context.ts';
import { readContribution } from './contribution.ts';
import { drop, readAssignment, refusal } from './control.ts';
import { settleSoon } from './round-end.ts';
import type { AssignmentRow } from './rows.ts';
import type { Appended, Patience, WholeUpdate } from './staging.ts';

/** A longer update comes from its file when it is verified: many devices may be sending at once. */
const keptAtHandBytes = 2 ** 20;

/** How long an update may take to come while others wait for the memory that it has. */
const patienceMs = 500;

/** One part of an upload. */
export interface UploadPart {
  offset: number;
  body: AsyncIterable<Uint8Array>;
  /** SHA-256 (hexadecimal) of the whole update, on the last part. */
  completeWith: string | undefined;
}

/** How many bytes of the update the server holds. */
export async function uploadOffset(context: Context, deviceId: DeviceId, id: AssignmentId): Promise<number> {
  const row = await readAssignment(context, deviceId, id);
  if (row.state === 'uploaded' || row.state === 'counted') return row.update_bytes ?? 0;
  if (row.state !== 'grouped') throw refusal(row, 'upload');
  return context.staging.offset(id);
}

/**
 * Takes one part. With the last one the update is verified, recorded as uploaded and folded into the round's sum;
 * only then is it acknowledged. The same bytes again get the same answer. A refused update drops the assignment
 * and leaves the round unharmed.
 */
export async function receivePart(
  context: Context,
  deviceId: DeviceId,
  id: AssignmentId,
  part: UploadPart,
): Promise<UploadAnswer> {
  const { observer } = context;
  const ended = observer.upload();
  try {
    return await receive(context, deviceId, id, part);
  } catch (error) {
    observer.count('starling_uploads_total', { outcome: outcomeOf(error) });
    throw error;
  } finally {
    ended();
  }
}

function outcomeOf(error: unknown): string {
  if (error instanceof BrokenOff) return 'broken-off';
  return error instanceof ProblemError && error.status < 500 ? 'refused' : 'failed';
}

/** The device, or what lies between, ended the connection before the part did. */
class BrokenOff extends ProblemError {
  constructor(cause: unknown) {
    super(
      'invalid-request',
      'The connection ended before the part did. Ask for the offset, and go on there.',
    );
    this.cause = cause;
  }
}

async function* whileItLasts(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    throw new BrokenOff(error);
  }
}

async function receive(
  context: Context,
  deviceId: DeviceId,
  id: AssignmentId,
  part: UploadPart,
): Promise<UploadAnswer> {
  const row = await readAssignment(context, deviceId, id);
  if (row.state === 'uploaded' || row.state === 'counted') return repeated(row, part);
  if (row.state !== 'grouped' || row.update_bytes === null) throw refusal(row, 'upload');
  const limit = row.update_bytes;
  const isWhole = part.offset === 0 && part.completeWith !== undefined;
  if (!isWhole || limit > keptAtHandBytes) {
    return finish(context, row, part, await append(context, row, limit, part));
  }
  return context.inMemory.spend(limit, async (giveBack) => {
    const patience = { isOver: false };
    const lose = setTimeout(() => {
      patience.isOver = true;
      giveBack();
    }, patienceMs);
    const appended = await append(context, row, limit, part, patience).finally(() => {
      clearTimeout(lose);
    });
    return finish(context, row, part, appended);
  });
}

async function append(
  context: Context,
  { id }: AssignmentRow,
  limit: number,
  { offset, body }: UploadPart,
  patience?: Patience,
): Promise<Appended> {
  const appended = await context.staging.append(id, offset, limit, whileItLasts(body), patience);
  context.observer.count('starling_upload_bytes_total', {}, appended.length - offset);
  context.failpoint('upload-part-staged');
  return appended;
}

/** With the last part the update is complete. */
async function finish(
  context: Context,
  row: AssignmentRow,
  { completeWith }: UploadPart,
  { length, whole }: Appended,
): Promise<UploadAnswer> {
  const { id, device_id: deviceId, update_bytes: bytes } = row;
  if (completeWith === undefined) return { offset: length, state: row.state };
  if (bytes !== null && length < bytes) {
    throw new ProblemError(
      'upload-offset-mismatch',
      `The upload was declared complete at ${length} of ${bytes} bytes. Continue at ${length}.`,
      { offset: length },
    );
  }
  try {
    const answer = await context.observer.span('update fold', { 'starling.round': row.round_id }, () =>
      complete(context, row, completeWith, whole),
    );
    context.observer.count('starling_uploads_total', { outcome: 'received' });
    return answer;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    const now = await readAssignment(context, deviceId, id); // its round has ended, and its files are gone
    if (now.state === 'uploaded' || now.state === 'counted') return receipt(now);
    throw now.state === 'grouped' ? error : refusal(now, 'upload');
  }
}

async function complete(
  context: Context,
  row: AssignmentRow,
  declared: string,
  whole: WholeUpdate | undefined,
): Promise<UploadAnswer> {
  const { secure } = await context.rounds.get(row.round_id);
  if (secure) return completeMasked(context, row, declared, whole);
  if (whole) return completeClear(context, row, declared, whole);
  return context.inMemory.spend(row.update_bytes ?? 0, async () =>
    completeClear(context, row, declared, await context.staging.readWhole(row.id)),
  );
}

async function completeMasked(
  context: Context,
  row: AssignmentRow,
  declared: string,
  whole: WholeUpdate | undefined,
): Promise<UploadAnswer> {
  const { id, device_id: deviceId } = row;
  await refusing(context, row, async () => {
    requireDigest(row, declared, whole?.digest ?? (await context.staging.digest(id)));
  });
  context.failpoint('masked-update-staged');
  await context.post.ask({
    ...{ kind: 'masked', deviceId, groupId: groupOf(row) },
    ...{ assignmentId: id, digest: declared },
  });
  const { state } = await readAssignment(context, deviceId, id);
  return { offset: row.update_bytes ?? 0, state };
}

async function completeClear(
  context: Context,
  row: AssignmentRow,
  declared: string,
  { bytes, digest }: WholeUpdate,
): Promise<UploadAnswer> {
  const { id, device_id: deviceId } = row;
  const { blocks, plan, work } = await context.rounds.get(row.round_id);
  const contribution = await refusing(context, row, () => {
    requireDigest(row, declared, digest);
    const clipNorm = work.kind === 'training' ? work.learning.clipNorm : undefined;
    return readContribution(bytes, blocks, plan.maxWeight, clipNorm);
  });
  context.failpoint('upload-verified');
  const recorded = await context.batches.record.add({
    id,
    roundId: row.round_id,
    weight: contribution.weight,
    digest: declared,
  });
  if (!recorded) {
    const now = await readAssignment(context, deviceId, id);
    if (now.state === 'uploaded' || now.state === 'counted') return receipt(now);
    await context.staging.discard(id);
    throw refusal(now, 'upload');
  }
  context.failpoint('upload-recorded');
  context.announce.arrived(row.project_id, row.round_id);
  context.sums.fold(row.round_id, { blocks, maxWeight: plan.maxWeight }, id, contribution);
  settleSoon(context, row.round_id);
  return { offset: row.update_bytes ?? 0, state: 'uploaded' };
}

/** Drops the assignment of an update that `work` refuses. */
async function refusing<T>(context: Context, row: AssignmentRow, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ProblemError) {
      await drop(context, row.device_id, row.id, 'update-refused', error.code);
      await announceAssignments(context, [row.id]);
    }
    throw error;
  }
}

function requireDigest(row: AssignmentRow, declared: string, digest: string): void {
  if (digest === declared && digest === row.update_digest) return;
  throw new ProblemError(
    'upload-digest-mismatch',
    `The uploaded bytes have SHA-256 ${digest}; announced were ${row.update_digest ?? 'none'} and ${declared}.`,
  );
}

function groupOf({ id, group_id: groupId }: AssignmentRow) {
  if (groupId === null) throw new TypeError(`Assignment ${id} is grouped, but in no group.`);
  return groupId;
}

async function repeated(row: AssignmentRow, part: UploadPart): Promise<UploadAnswer> {
  await drain(part.body);
  if (part.completeWith !== undefined && part.completeWith !== row.update_digest) {
    throw new ProblemError(
      'update-already-received',
      'Another update of this assignment was already received.',
    );
  }
  return receipt(row);
}

/** The answer to the last part of an update that is recorded. */
function receipt({ update_bytes: bytes, state }: AssignmentRow): UploadAnswer {
  return { offset: bytes ?? 0, state };
}

/** Reads a body to its end, so that the connection can be used again. */
async function drain(body: AsyncIterable<Uint8Array>): Promise<void> {
  const chunks = body[Symbol.asyncIterator]();
  for (let next = await chunks.next(); next.done !== true; next = await chunks.next());
}
