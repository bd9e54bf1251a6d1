import { makeId, ProblemError, type ProjectId } from '@starling/protocol';
import type { Operation as ApiOperation } from '@starling/protocol/api';
import { recordOutcome, recordRequest, type AuditedRequest } from '../../access/audit.ts';
import type { Operation } from './program.ts';
import type { SimulatedNode } from './simulated-node.ts';

/** What the admin API calls that which an operator does. */
export const actionOf = {
  start: 'startTask',
  pause: 'pauseTask',
  resume: 'resumeTask',
  cancel: 'cancelTask',
  extend: 'extendRound',
  'close-now': 'closeRound',
  abort: 'abortRound',
  evaluate: 'evaluateTask',
  revoke: 'revokeDevice',
  'ask-for-job': 'createJob',
  'cancel-job': 'cancelJob',
} as const satisfies Record<Operation, ApiOperation>;

/**
 * Does what an operator asks a node for, as the admin API does: what is asked for stands in the audit log before it is
 * done, and how it ended after. The log is written through the node's own calls, which fail, and end with the node.
 */
export async function askedOf(
  { context: { database } }: SimulatedNode,
  project: ProjectId,
  { operation, object }: { operation: Operation; object: string },
  work: () => Promise<unknown>,
): Promise<void> {
  const entry: AuditedRequest = {
    actor: makeId('key', 'O'.repeat(22)),
    action: actionOf[operation],
    object,
    requestDigest: 'd'.repeat(64),
    from: '192.0.2.1',
  };
  const sequence = await recordRequest(database, project, entry);
  const outcome = (status: number) =>
    recordOutcome(database, project, entry, sequence, { status, object: null });
  try {
    await work();
  } catch (error) {
    await outcome(error instanceof ProblemError ? error.status : 503);
    throw error;
  }
  await outcome(200);
}
