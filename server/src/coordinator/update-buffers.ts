/** How long buffers are kept that nobody wants. */
const keptMs = 1_000;

/**
 * Buffers that updates are gathered in, used again: the updates of a round are of one length, and come by the thousand.
 * What one holds before it is written is an earlier update. One that is never given back is lost to nobody but the
 * garbage collector, so an error needs no care.
 */
export class UpdateBuffers {
  readonly #mostBytes: number;
  /** The one that was given back last comes last. */
  #free: Buffer[] = [];
  #freeBytes = 0;
  #timer: NodeJS.Timeout | undefined;

  /** Keeps `mostBytes` of buffers that are free, for a second after the last was given back. */
  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  take(length: number): Buffer {
    const at = this.#free.findLastIndex((buffer) => buffer.length === length);
    if (at < 0) return Buffer.allocUnsafeSlow(length);
    const [buffer] = this.#free.splice(at, 1);
    this.#freeBytes -= length;
    return buffer!; // it was found there
  }

  /** Nobody may read or write the buffer any more. */
  giveBack(buffer: Buffer): void {
    this.#free.push(buffer);
    this.#freeBytes += buffer.length;
    while (this.#freeBytes > this.#mostBytes) this.#freeBytes -= this.#free.shift()!.length; // above 0, so there is one
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#free = [];
      this.#freeBytes = 0;
    }, keptMs).unref();
    this.#timer.refresh();
  }
}
