import { WeightedSum } from '@starling/aggregation';
import { WorkerLost, type Crew, type RoundOrder, type Share } from './crew.ts';
import { ShareQueue } from './share-queue.ts';

/** Shares of a round that each worker takes, about: few enough to cost nothing, enough to end together. */
const sharesPerWorker = 8;
/** So many losses in a round for each worker, and the work is to blame. */
const mostLosses = 3;

/**
 * Shares out the work of devices among a crew. Sums are exact integers, so that the result is the same bits whatever the number of
 * workers, and whoever of them did what: what a worker had done that is lost is done again by others.
 */
export class Workforce {
  readonly #crew: Crew;
  readonly #workers: readonly number[];
  #order: RoundOrder | undefined;
  /** What each worker has in its sum. */
  #done: Share[][] = [];
  #losses = 0;
  /** Lost workers, until others have their places. */
  readonly #away = new Map<number, Promise<void>>();

  constructor(crew: Crew) {
    this.#crew = crew;
    this.#workers = Array.from({ length: crew.size }, (_, worker) => worker);
  }

  /** Begins a round with the parameters as they are now. */
  begin(order: RoundOrder): void {
    this.#order = order;
    this.#done = this.#workers.map(() => []);
    this.#losses = 0;
    this.#crew.begin(order);
  }

  /** Does the work of devices, and gives those that failed, with the codes of their errors. What the others gave is in the sum. */
  async work(devices: Share['devices']): Promise<ReadonlyMap<number, string>> {
    await this.#crew.ready;
    const size = Math.max(1, Math.ceil(devices.length / (this.#workers.length * sharesPerWorker)));
    const shares = Array.from({ length: Math.ceil(devices.length / size) }, (_, place) => ({
      devices: devices.slice(place * size, (place + 1) * size),
    }));
    return this.#shareOut(shares);
  }

  /** The sum of the round so far. */
  async sum(): Promise<WeightedSum> {
    if (!this.#order) throw new TypeError('A sum belongs to a round.');
    const { blocks, maxWeight } = this.#order;
    for (;;) {
      const again: Share[] = [];
      const sums = await Promise.all(
        this.#workers.map(async (worker) => {
          if (this.#done[worker]!.length === 0) return [];
          try {
            const parts = await this.#crew.ask(worker, { kind: 'sum' });
            return [WeightedSum.ofLanes(blocks, { maxWeight }, parts)];
          } catch (error) {
            again.push(...this.#lose(worker, error));
            return [];
          }
        }),
      );
      if (again.length === 0) {
        const total = new WeightedSum(blocks, { maxWeight });
        for (const sum of sums.flat()) total.merge(sum);
        return total;
      }
      await this.#shareOut(again); // the sums of those who do it grow: all are asked anew
    }
  }

  async close(): Promise<void> {
    await this.#crew.close();
  }

  async #shareOut(shares: readonly Share[]): Promise<Map<number, string>> {
    const queue = new ShareQueue(shares);
    const failed = new Map<number, string>();
    await Promise.all(
      this.#workers.map(async (worker) => {
        for (;;) {
          await Promise.race([this.#away.get(worker), queue.done]);
          const share = this.#away.has(worker) ? undefined : await queue.take();
          if (!share) return;
          try {
            const answer = await this.#crew.ask(worker, { kind: 'share', share });
            for (const [device, code] of answer.failed) failed.set(device, code);
            this.#done[worker]!.push(share);
            queue.finish();
          } catch (error) {
            queue.reopen(share, this.#lose(worker, error));
          }
        }
      }),
    );
    return failed;
  }

  /** What a worker had done that is lost. @throws What is no loss of a worker. */
  #lose(worker: number, error: unknown): readonly Share[] {
    if (!(error instanceof WorkerLost) || ++this.#losses >= mostLosses * this.#workers.length) throw error;
    const back = error.replaced.then(() => {
      this.#away.delete(worker);
    });
    back.catch(() => undefined); // whoever waits for it is told
    this.#away.set(worker, back);
    return this.#done[worker]!.splice(0);
  }
}
