import { ProblemError, type DeviceId, type ProjectId } from '@starling/protocol';
import type { ErasedDevice } from '@starling/protocol/api';
import type { Querier } from '../storage/database.ts';
import { liveStates } from './rows.ts';

/**
 * Removes what is known of a revoked device. Its id stays, so that it is told that it was revoked and does not enrol again;
 * its places in rounds stay, so that counts and sums hold, and no longer say whose they were. Done again, it is the same. Throws ProblemError
 * `not-found`, and `illegal-transition` while a group sums its update.
 */
export async function eraseDevice(tx: Querier, projectId: ProjectId, id: DeviceId): Promise<ErasedDevice> {
  const [device] = await tx.query<{ erased_at: Date }>(
    `update devices set erased_at = coalesce(erased_at, now()), public_key = 'erased ' || id, labels = '{}', platform = '', sdk_version = '', network = null,
            seen_at = null, created_at = date_trunc('day', created_at)
      where id = $1 and project_id = $2 and state = 'revoked' returning erased_at`,
    [id, projectId],
  );
  if (!device) throw new ProblemError('not-found', `There is no device ${id}.`);
  const [busy] = await tx.query('select 1 from assignments where device_id = $1 and state = any($2)', [
    id,
    liveStates,
  ]);
  if (busy) {
    throw new ProblemError(
      'illegal-transition',
      'A group sums an update of this device now, which cannot be taken out. It is revoked; erase it again in a minute.',
    );
  }
  const unlinked = await tx.query(
    `update assignments set device_id = null, reason = split_part(reason, ':', 1) where device_id = $1 returning id`,
    [id],
  );
  return { id, erasedAt: device.erased_at.toISOString(), unlinked: unlinked.length };
}
