/** So much memory for work of one kind: what would exceed it waits its turn. */
export class Budget {
  #left: number;
  readonly #all: number;
  readonly #waiting: { cost: number; start: () => void }[] = [];

  constructor(bytes: number) {
    this.#all = bytes;
    this.#left = bytes;
  }

  /**
   * Runs `work` when `bytes` of the budget are free, first come, first served; what needs more than all of it needs all.
   * They are free again when the work has ended, or says that it needs them no more.
   */
  async spend<T>(bytes: number, work: (giveBack: () => void) => Promise<T>): Promise<T> {
    const cost = Math.min(bytes, this.#all);
    if (this.#waiting.length > 0 || cost > this.#left) {
      await new Promise<void>((start) => this.#waiting.push({ cost, start }));
    } else {
      this.#left -= cost;
    }
    let isSpent = true;
    const giveBack = () => {
      if (!isSpent) return;
      isSpent = false;
      this.#left += cost;
      this.#next();
    };
    try {
      return await work(giveBack);
    } finally {
      giveBack();
    }
  }

  #next(): void {
    for (let first = this.#waiting[0]; first && first.cost <= this.#left; first = this.#waiting[0]) {
      this.#waiting.shift();
      this.#left -= first.cost;
      first.start();
    }
  }
}
