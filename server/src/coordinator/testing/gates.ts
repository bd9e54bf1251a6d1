/**
 * Where the nodes of a simulation wait before each call to what they share: the database, the blobs, the files. One gate
 * is opened at a time, and its call ends before another is: so the order of calls is the program's, and the same each time.
 */
interface Gate {
  readonly open: () => Promise<void>;
  readonly isOpenable: () => boolean;
}

export class Gates {
  #waiting: Gate[] = [];

  /** Waits for its turn, then does `work`; never comes back while `isOpenable` says no. */
  pass<T>(isOpenable: () => boolean, work: (settle: Settle<T>) => Promise<void>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ isOpenable, open: () => work({ resolve, reject }) });
    });
  }

  /** Opens one of the gates, `pick` (in [0, 1)) says which. False when nobody waits. */
  async open(pick: number): Promise<boolean> {
    await settled();
    this.#waiting = this.#waiting.filter((gate) => gate.isOpenable());
    const [gate] = this.#waiting.splice(Math.floor(pick * this.#waiting.length), 1);
    if (!gate) return false;
    await gate.open();
    await settled();
    return true;
  }
}

export interface Settle<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

/** Turns of the event loop within which everything comes to its next gate: a batch begins a turn after its first item. */
const turns = 3;

/** After everything that follows from what has happened, up to the next gates. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
}
