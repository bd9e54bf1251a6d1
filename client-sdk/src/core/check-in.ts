import type { CheckInAnswer } from '@starling/protocol';
import type { Inbox } from './inbox.ts';
import type { Session } from './session.ts';

/** Asks where the device stands. Resolves with the delay after which a device without a connection asks again. */
export async function checkIn(
  { session, inbox }: { readonly session: Session; readonly inbox: Inbox },
  signal: AbortSignal,
): Promise<{ readonly retryAfterMs: number; readonly isIdle: boolean }> {
  const asked = inbox.inHand?.id;
  const { assignment, retryAfterMs } = await session.get<CheckInAnswer>(
    '/v1/device/assignment',
    ['assignment', 'retryAfterMs'],
    signal,
  );
  if (asked !== undefined && assignment?.id !== asked) inbox.hearNothingOf(asked);
  if (assignment) inbox.hear(assignment);
  return { retryAfterMs, isIdle: !inbox.inHand && !inbox.hasNext };
}
