import type { RoundDetail, TrainingMetrics } from '@starling/protocol';

/** Where progress is written. */
export interface Screen {
  write(text: string): void;
  /** Whether lines can be drawn over. */
  live: boolean;
}

const header = `  ${'method'.padEnd(10)}${'round'.padStart(10)}${'devices'.padStart(9)}${'loss'.padStart(16)}${'accuracy'.padStart(18)}${'kB up'.padStart(9)}${'ms'.padStart(8)}`;

/** A live table of training: one line a method, drawn over as its rounds are published. */
export class ProgressTable {
  readonly #screen: Screen;
  readonly #rounds: number;
  readonly #method: string;
  #last = performance.now();
  #started = false;

  constructor(screen: Screen, method: string, rounds: number) {
    this.#screen = screen;
    this.#method = method;
    this.#rounds = rounds;
  }

  /** A published training round; where lines cannot be drawn over, about twenty are written in all. */
  show(round: RoundDetail): void {
    const metrics = round.metrics as TrainingMetrics;
    const now = performance.now();
    const last = round.number === this.#rounds;
    const every = Math.max(1, Math.floor(this.#rounds / 20));
    const elapsed = now - this.#last;
    this.#last = now;
    if (!this.#screen.live && !last && round.number % every !== 0) return;
    if (!this.#started) this.#screen.write(`${header}\n`);
    const line = [
      `  ${this.#method.padEnd(10)}`,
      `${round.number}/${this.#rounds}`.padStart(10),
      String(metrics.devices).padStart(9),
      `${metrics.lossBefore.toFixed(2)} > ${metrics.lossAfter.toFixed(2)}`.padStart(16),
      `${percent(metrics.accuracyBefore)} > ${percent(metrics.accuracyAfter)}`.padStart(18),
      (round.bytesUp / 1000).toFixed(0).padStart(9),
      elapsed.toFixed(0).padStart(8),
    ].join('');
    const again = this.#screen.live && this.#started;
    this.#screen.write(again ? `\u001b[1A\u001b[2K${line}\n` : `${line}\n`);
    this.#started = true;
  }
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)}%`;
}
