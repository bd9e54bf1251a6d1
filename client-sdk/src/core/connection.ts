import { backoffMs, returnDelayMs } from './backoff.ts';
import { checkIn } from './check-in.ts';
import { askedDelayMs, endsDevice, wantsNewSession } from './errors.ts';
import { hasStopped } from './has-stopped.ts';
import type { Inbox } from './inbox.ts';
import type { Line } from './line.ts';
import type { Host } from './ports.ts';
import type { Session } from './session.ts';

/** How often a connected device asks where it stands, in case a message was lost: with work in hand, and without. */
const busyCheckMs = 10_000;
const quietCheckMs = 60_000;
/** How often at most a device without a connection asks while it has work in hand. */
const busyPollMs = 5_000;
/** A connection that held so long was a good one: the next loss is a first one again. */
const steadyMs = 30_000;

export interface ConnectionParts {
  readonly host: Pick<Host, 'clock' | 'random'>;
  readonly session: Session;
  readonly line: Line;
  readonly inbox: Inbox;
  readonly onStatus: (status: 'connecting' | 'online' | 'polling') => void;
  readonly onError: (error: unknown) => void;
  /** The server answered that the device has no assignment. */
  readonly onIdle: () => Promise<void>;
}

/**
 * Stays in touch with the server until `signal` aborts: holds a live connection, and asks over HTTP where it cannot.
 * After every connection it asks where the device stands, so that whatever was missed is made up. Rejects when the
 * server ends the device (revoked, enrolment refused).
 */
export async function stayInTouch(parts: ConnectionParts, signal: AbortSignal): Promise<void> {
  const { host, line, onStatus, onError } = parts;
  const { clock, random } = host;
  let [refusals, drops, failures] = [0, 0, 0];
  let tryLineAt = clock.monotonicMs();
  onStatus('connecting');
  while (!hasStopped(signal)) {
    let delayMs: number;
    try {
      const now = clock.monotonicMs();
      if (now >= tryLineAt && (await openLine(parts, signal))) {
        await listen(parts, signal);
        if (hasStopped(signal)) break;
        onStatus('connecting');
        if (clock.monotonicMs() - now > steadyMs) drops = 0;
        [refusals, failures] = [0, 0];
        const window = line.takeReturnWindow();
        delayMs = window ? returnDelayMs(window, random) : backoffMs(drops++, random);
      } else {
        if (now >= tryLineAt) tryLineAt = clock.monotonicMs() + backoffMs(refusals++, random);
        const { retryAfterMs, isIdle } = await ask(parts, signal);
        failures = 0;
        onStatus('polling');
        delayMs = isIdle ? retryAfterMs : Math.min(retryAfterMs, busyPollMs);
      }
    } catch (error) {
      line.close();
      if (hasStopped(signal)) break;
      if (endsDevice(error)) throw error;
      onError(error);
      onStatus('connecting');
      delayMs = Math.max(backoffMs(failures++, random), askedDelayMs(error));
    }
    await clock.sleep(delayMs, signal);
  }
  line.close();
}

/** Whether a live connection could be opened. A session that is refused is renewed, once. */
async function openLine({ session, line, onError }: ConnectionParts, signal: AbortSignal): Promise<boolean> {
  for (let renewed = false; ; renewed = true) {
    const token = await session.token();
    try {
      await line.open(token, signal);
      return true;
    } catch (error) {
      if (hasStopped(signal) || endsDevice(error)) throw error;
      if (wantsNewSession(error)) session.expire(token);
      if (renewed || !wantsNewSession(error)) {
        onError(error);
        return false;
      }
    }
  }
}

/** Asks where the device stands now and from time to time, until the connection is gone. */
async function listen(parts: ConnectionParts, signal: AbortSignal): Promise<void> {
  const { host, line, inbox, onStatus } = parts;
  await ask(parts, signal);
  onStatus('online');
  while (line.isOpen() && !hasStopped(signal)) {
    const before = host.clock.monotonicMs();
    const patienceMs = inbox.inHand ? busyCheckMs : quietCheckMs;
    await line.bell.wait(patienceMs, host.clock, signal);
    const hasWaited = host.clock.monotonicMs() - before >= patienceMs;
    if (hasWaited && line.isOpen() && !hasStopped(signal)) await ask(parts, signal);
  }
}

async function ask(parts: ConnectionParts, signal: AbortSignal): ReturnType<typeof checkIn> {
  const answer = await checkIn(parts, signal);
  if (answer.isIdle) await parts.onIdle();
  return answer;
}
