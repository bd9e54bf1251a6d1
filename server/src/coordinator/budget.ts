/** So much memory for work of one kind: what would exceed it waits its turn. */
export class Budget {
  #left: number;
  readonly #all: number;
  readonly #waiting: { cost: number; start: () => void }[] = [];

  constructor(bytes: number) {
    this.#all = bytes;
    this.#left = bytes;
  }

  /** Runs `work` when `bytes` of the budget are free, first come, first served; what needs more than all of it needs all. */
  async spend<T>(bytes: number, work: () => Promise<T>): Promise<T> {
    const cost = Math.min(bytes, this.#all);
    if (this.#waiting.length > 0 || cost > this.#left) {
      await new Promise<void>((start) => this.#waiting.push({ cost, start }));
    } else {
      this.#left -= cost;
    }
    try {
      return await work();
    } finally {
      this.#left += cost;
      this.#next();
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
