import { rowCountOf } from './rows.ts';
import type { Batch, Judgement } from './program.ts';

/** Adds up a judgement over passes. */
export class JudgementSum {
  readonly #batch: Batch;
  #loss = 0;
  #correct = 0;
  #count = 0;
  #predictions = new Set<number>();
  #labels = new Set<number>();

  constructor(batch: Batch) {
    this.#batch = batch;
  }

  /** The next rows of the batch: their logits [rows, classes] and losses [rows]. */
  add(logits: Float32Array, losses: Float32Array, rows: number): void {
    const classes = logits.length / losses.length;
    const { y, rows: order } = this.#batch;
    for (let i = 0; i < rows; i++, this.#count++) {
      const label = y[order ? order[this.#count] : this.#count];
      const predicted = largestAt(logits, i * classes, classes);
      this.#loss += losses[i];
      if (predicted === label) this.#correct++;
      this.#predictions.add(predicted);
      this.#labels.add(label);
    }
  }

  total(): Judgement {
    return {
      loss: this.#loss,
      correct: this.#correct,
      count: rowCountOf(this.#batch),
      constantPredictor: this.#predictions.size === 1 && this.#labels.size > 1,
    };
  }
}

function largestAt(values: Float32Array, from: number, many: number): number {
  let best = 0;
  for (let i = 1; i < many; i++) if (values[from + i] > values[from + best]) best = i;
  return best;
}
