import { DatabaseUnavailable } from './database.ts';

/**
 * Work that costs about the same for one item as for hundreds: whatever comes while a batch is under way waits, and is the
 * next one. With little to do each item is a batch of its own; with much, the statements of a server do not grow with it.
 */
export class Batches<Item, Result> {
  readonly #work: (items: readonly Item[], key: string) => Promise<readonly Result[]>;
  readonly #keyOf: (item: Item) => string;
  readonly #waiting = new Map<string, Waiting<Item, Result>[]>();

  /** `work` gives a result for each item, in their order; where it rejects, each is tried alone, so it must bear that. Items of another key go apart. */
  constructor(
    work: (items: readonly Item[], key: string) => Promise<readonly Result[]>,
    keyOf: (item: Item) => string = () => '',
  ) {
    this.#work = work;
    this.#keyOf = keyOf;
  }

  add(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      const key = this.#keyOf(item);
      const waiting = this.#waiting.get(key);
      const entry = { item, resolve, reject };
      if (waiting) {
        waiting.push(entry);
        return;
      }
      this.#waiting.set(key, [entry]);
      setImmediate(() => void this.#run(key)); // after all that came in this turn of the loop
    });
  }

  async #run(key: string): Promise<void> {
    for (;;) {
      const batch = this.#waiting.get(key) ?? [];
      if (batch.length === 0) {
        this.#waiting.delete(key);
        return;
      }
      this.#waiting.set(key, []);
      await this.#take(batch, key);
    }
  }

  async #take(batch: readonly Waiting<Item, Result>[], key: string): Promise<void> {
    try {
      const results = await this.#work(
        batch.map(({ item }) => item),
        key,
      );
      for (const [index, { resolve }] of batch.entries()) resolve(results[index]!); // one for each, says the contract
    } catch (error) {
      if (batch.length === 1 || error instanceof DatabaseUnavailable) {
        for (const { reject } of batch) reject(error);
      } else {
        for (const waiting of batch) await this.#take([waiting], key); // what one of them spoils is its own alone
      }
    }
  }
}

interface Waiting<Item, Result> {
  item: Item;
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
}
