import type { Plan } from '@starling/protocol';

const dayMs = 24 * 3_600_000;

interface Part {
  readonly atMs: number;
  readonly bytes: number;
}

/**
 * What the coordinator remembers of devices to decide whom it may ask again: for plans with a separation, a quota or turns, and of
 * those devices alone that took part.
 */
export class History {
  readonly #plan: Pick<Plan, 'eligibility' | 'quota' | 'cohort'>;
  readonly #accepted = new Map<number, readonly Part[]>();
  readonly #uploadedMs = new Map<number, number>();
  readonly #turns = new Map<number, number>();

  constructor(plan: Pick<Plan, 'eligibility' | 'quota' | 'cohort'>) {
    this.#plan = plan;
  }

  /** Training rounds that a device contributed to, where the plan counts them. */
  turnsOf(device: number): number {
    return this.#turns.get(device) ?? 0;
  }

  /** Whether a device may be asked for a round that could take `bytes` from it. */
  mayAsk(device: number, atMs: number, bytes: number, isTraining: boolean): boolean {
    const { eligibility, quota } = this.#plan;
    const separationMs = isTraining ? (eligibility?.minSeparationMs ?? 0) : 0;
    const uploadedMs = this.#uploadedMs.get(device) ?? -Infinity;
    if (separationMs > 0 && uploadedMs > atMs - separationMs) return false;
    if (!quota) return true;
    const day = (this.#accepted.get(device) ?? []).filter((part) => part.atMs > atMs - dayMs);
    const used = day.reduce((sum, part) => sum + part.bytes, 0);
    return day.length < (quota.roundsPerDay ?? Infinity) && used + bytes <= (quota.bytesPerDay ?? Infinity);
  }

  accept(device: number, atMs: number, bytes: number): void {
    if (!this.#plan.quota) return;
    const day = (this.#accepted.get(device) ?? []).filter((part) => part.atMs > atMs - dayMs);
    this.#accepted.set(device, [...day, { atMs, bytes }]);
  }

  upload(device: number, atMs: number, isTraining: boolean): void {
    if (this.#plan.eligibility?.minSeparationMs !== undefined) this.#uploadedMs.set(device, atMs);
    if (isTraining && this.#plan.cohort.withoutReplacement === true)
      this.#turns.set(device, this.turnsOf(device) + 1);
  }
}
