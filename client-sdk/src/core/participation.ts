import type { Examples } from '@starling/model';
import { ProblemError, sha256, type Assignment, type AssignmentId, type GroupId } from '@starling/protocol';
import { nextStep, type Step } from './assignment-steps.ts';
import { backoffMs } from './backoff.ts';
import { untilRungMs } from './bell.ts';
import type { BlobCache } from './blob-cache.ts';
import { checkIn } from './check-in.ts';
import { say } from './control.ts';
import { tooFewTogether, unmetCondition } from './eligibility.ts';
import { DeviceError, endsDevice, isTransient } from './errors.ts';
import { hasStopped } from './has-stopped.ts';
import type { Inbox } from './inbox.ts';
import type { KeptBytes } from './kept-bytes.ts';
import type { Line } from './line.ts';
import type { Logbook } from './logbook.ts';
import type { Membership, SecureOptions } from './membership.ts';
import { fetchModel } from './models.ts';
import type { FetchedModel, Host } from './ports.ts';
import type { SecureLoader } from './secure-loader.ts';
import type { Session } from './session.ts';
import { uploadUpdate } from './upload.ts';

/** How often a device without a live connection asks whether its group has started: the first phase is short. */
const groupMs = 1_000;
/** How often a device looks into its group's mailbox: with a live connection, which tells it to, and without. */
const hintedMailMs = 5_000;
const mailMs = 500;

export interface ParticipationParts {
  readonly host: Pick<Host, 'trainer' | 'clock' | 'random' | 'conditions' | 'storage'>;
  readonly session: Session;
  readonly line: Line;
  readonly inbox: Inbox;
  readonly blobs: BlobCache;
  readonly keptUpdate: KeptBytes<AssignmentId>;
  readonly keptGroup: KeptBytes<GroupId>;
  readonly logbook: Logbook;
  readonly loadSecure: SecureLoader;
  readonly secure: SecureOptions;
  readonly examples: (taskId: string) => Promise<Examples | null>;
  readonly onActivity: (activity: 'training' | 'uploading' | undefined) => void;
  readonly onContributed: (assignment: Assignment) => void;
  readonly onError: (error: unknown) => void;
}

/**
 * The device's part in one assignment, from the offer (or wherever a restart found it) to its end. What to do next
 * follows from the state that the server reports and from whether the update is computed (assignment-steps.ts).
 */
export class Participation {
  readonly #parts: ParticipationParts;
  readonly #signal: AbortSignal;
  #model: FetchedModel | undefined;
  #update: Uint8Array | undefined;
  #membership: Membership | undefined;
  /** Whether the assignment ever was to be masked: from then on nothing of it leaves in the clear. */
  #isSecure = false;

  constructor(parts: ParticipationParts, signal: AbortSignal) {
    this.#parts = parts;
    this.#signal = signal;
  }

  /**
   * Resolves when the assignment in hand is over, or when the device is told to stop; rejects when the server ends the
   * device. A step that fails for want of a connection is repeated: every message to the server may be.
   */
  async run(assignment: Assignment): Promise<void> {
    const { host, inbox, keptUpdate, keptGroup, onActivity, onError } = this.#parts;
    this.#update = await keptUpdate.of(assignment.id);
    for (let failures = 0; !hasStopped(this.#signal);) {
      const standing = inbox.inHand ?? assignment;
      const step = nextStep(standing.state, this.#update !== undefined);
      this.#isSecure ||= standing.secure !== undefined;
      if (step === 'finish' && this.#isSecure) await this.#contributed(standing);
      if (step === 'finish' || step === 'let-go') break;
      try {
        this.#requireMasks(standing);
        if (step !== 'decide') await this.#parts.logbook.check(standing);
        await this.#perform(step, standing);
        failures = 0;
      } catch (error) {
        if (hasStopped(this.#signal)) return;
        if (endsDevice(error)) throw error;
        if (inbox.inHand?.state === 'dropped') break;
        if (!isTransient(error)) {
          await this.#giveUp(standing, error);
          break;
        }
        onError(error);
        await inbox.bell.wait(backoffMs(failures++, host.random), host.clock, this.#signal);
      } finally {
        onActivity(undefined);
      }
    }
    if (hasStopped(this.#signal)) return;
    await keptUpdate.forget();
    await keptGroup.forget();
  }

  async #perform(step: Exclude<Step, 'finish' | 'let-go'>, standing: Assignment): Promise<void> {
    const { session, inbox, line, onActivity, host } = this.#parts;
    switch (step) {
      case 'decide':
        await this.#decide(standing);
        break;
      case 'begin':
        this.#model = await fetchModel(this.#parts.blobs, standing.model, this.#signal);
        await this.#say(standing, { action: 'begin' });
        break;
      case 'train':
        onActivity('training');
        await this.#train(standing);
        break;
      case 'announce':
        await this.#say(standing, {
          action: 'ready',
          ...(!standing.secure && { digest: sha256(this.#finished()), bytes: this.#finished().length }),
        });
        break;
      case 'await-group':
        await inbox.bell.wait(line.isOpen() ? untilRungMs : groupMs, host.clock, this.#signal);
        if (!line.isOpen() && inbox.inHand?.state === 'ready') await checkIn(this.#parts, this.#signal);
        break;
      case 'upload': {
        onActivity('uploading');
        if (standing.secure) return this.#aggregate(standing);
        const { state } = await uploadUpdate(session, standing.id, this.#finished(), this.#signal);
        await this.#contributed(standing);
        inbox.hear({ ...standing, state });
        break;
      }
    }
  }

  /** What the group says is answered; then the next hint is awaited, or the time to look without one. */
  async #aggregate(standing: Assignment): Promise<void> {
    const { inbox, host, line } = this.#parts;
    const looked = new AbortController();
    const stop = () => {
      looked.abort();
    };
    this.#signal.addEventListener('abort', stop, { once: true });
    // Before the mailbox is read, so that what comes meanwhile is not missed.
    const hinted = inbox.bell.wait(line.isOpen() ? hintedMailMs : mailMs, host.clock, looked.signal);
    try {
      if (this.#membership?.id !== standing.secure?.groupId) this.#membership = undefined;
      this.#membership ??= (await this.#parts.loadSecure())(this.#parts, standing, this.#finished());
      const after = await this.#membership.advance(this.#signal);
      inbox.hear(after);
      if (after.state === 'grouped') await hinted;
    } finally {
      looked.abort();
      await hinted;
      this.#signal.removeEventListener('abort', stop);
    }
  }

  async #contributed(standing: Assignment): Promise<void> {
    await this.#parts.logbook.contributed(standing.id);
    this.#parts.onContributed(standing);
  }

  #requireMasks({ secure }: Assignment): void {
    if (!this.#isSecure || secure) return;
    throw new DeviceError(
      'masks-withdrawn',
      'The assignment was to be handed in masked, and is now asked for in the clear. Nothing was sent.',
    );
  }

  async #decide(offer: Assignment): Promise<void> {
    const { host, logbook, secure } = this.#parts;
    const examples = await this.#examples(offer);
    if (!examples) return this.#say(offer, { action: 'decline', reason: 'no-data' });
    if (tooFewTogether(offer, secure))
      return this.#say(offer, { action: 'decline', reason: 'ineligible:minimumGroup' });
    const limit = await logbook.limitReached(offer, secure);
    if (limit !== undefined) return this.#say(offer, { action: 'decline', reason: `ineligible:${limit}` });
    if (offer.secure && !(await this.#canMask()))
      return this.#say(offer, { action: 'decline', reason: 'ineligible:secure-not-loaded' });
    const situation = { ...(await host.conditions.now()), examples: examples.count };
    const unmet = unmetCondition(offer.eligibility, {
      ...situation,
      sinceContributionMs: await logbook.sinceContributionMs(),
    });
    if (unmet !== undefined) return this.#say(offer, { action: 'decline', reason: `ineligible:${unmet}` });
    await logbook.agree(offer);
    return this.#say(offer, { action: 'accept' });
  }

  /** Whether the code for masking is there; loads it before anything is promised. */
  async #canMask(): Promise<boolean> {
    try {
      await this.#parts.loadSecure();
      return true;
    } catch (error) {
      this.#parts.onError(error);
      return false;
    }
  }

  /** Computes the update, unless the server drops the assignment meanwhile. */
  async #train(standing: Assignment): Promise<void> {
    const { keptUpdate, blobs } = this.#parts;
    this.#model ??= await fetchModel(blobs, standing.model, this.#signal);
    const examples = await this.#examples(standing);
    if (!examples)
      throw new DeviceError('no-examples', 'The data of this task were gone when training began.');
    const update = await this.#compute(standing, this.#model, examples);
    if (!update) return;
    await keptUpdate.keep(standing.id, update);
    this.#update = update;
  }

  /**
   * Tells the server that nothing more comes, with the code of the error and no word of its text. When that does not
   * get through either, the round's window closes the assignment.
   */
  async #giveUp(standing: Assignment, error: unknown): Promise<void> {
    const { inbox, onError } = this.#parts;
    if (error instanceof ProblemError && error.code === 'assignment-closed') return;
    onError(error);
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'training-failed';
    try {
      inbox.hear(await say(this.#parts, standing.id, { action: 'fail', reason: code }, this.#signal));
    } catch (refused) {
      if (endsDevice(refused)) throw refused;
    }
  }

  async #compute(
    standing: Assignment,
    model: FetchedModel,
    examples: Examples,
  ): Promise<Uint8Array | undefined> {
    const { host, inbox } = this.#parts;
    const halt = new AbortController();
    const stop = () => {
      halt.abort();
    };
    this.#signal.addEventListener('abort', stop, { once: true });
    const dropped = (async () => {
      while (!halt.signal.aborted && inbox.inHand?.state !== 'dropped') {
        await inbox.bell.wait(untilRungMs, host.clock, halt.signal);
      }
      halt.abort();
    })();
    try {
      const job = { kind: 'contribute', model, assignment: standing, examples } as const;
      return (await host.trainer.run(job, halt.signal)).bytes;
    } catch (error) {
      if (halt.signal.aborted) return undefined;
      throw error;
    } finally {
      halt.abort();
      await dropped;
      this.#signal.removeEventListener('abort', stop);
    }
  }

  async #say(standing: Assignment, message: Parameters<typeof say>[2]): Promise<void> {
    this.#parts.inbox.hear(await say(this.#parts, standing.id, message, this.#signal));
  }

  /** The app's data for the task, or `null` when there are none. */
  async #examples({ taskId }: Assignment): Promise<Examples | null> {
    try {
      const examples = await this.#parts.examples(taskId);
      return examples && examples.count > 0 ? examples : null;
    } catch (error) {
      this.#parts.onError(
        new DeviceError('no-examples', `The app's function "examples" failed for task ${taskId}.`, {
          cause: error,
        }),
      );
      return null;
    }
  }

  #finished(): Uint8Array {
    if (!this.#update) throw new TypeError('The update is computed before it is announced.');
    return this.#update;
  }
}
