/** Gives out places in one linear memory, sizes in floats. */
export interface Arena {
  take(size: number): number;
  giveBack(offset: number, size: number): void;
  /** Floats in use at most so far. */
  readonly peak: number;
}

/** Every place starts on 16 bytes, as SIMD kernels like it. */
const alignment = 4;

/** First fit over a list of gaps, neighbours joined. */
export class FirstFitArena implements Arena {
  /** In order of offset; the last gap has no end. */
  readonly #gaps = [{ offset: 0, end: Infinity }];
  #peak = 0;

  get peak(): number {
    return this.#peak;
  }

  take(size: number): number {
    const wanted = aligned(size);
    const place = this.#gaps.findIndex((gap) => gap.end - gap.offset >= wanted);
    const gap = this.#gaps[place];
    const { offset } = gap;
    gap.offset += wanted;
    if (gap.offset === gap.end) this.#gaps.splice(place, 1);
    this.#peak = Math.max(this.#peak, offset + wanted);
    return offset;
  }

  giveBack(offset: number, size: number): void {
    const end = offset + aligned(size);
    const place = this.#gaps.findIndex((gap) => gap.offset >= end);
    const next = this.#gaps[place];
    const previous = this.#gaps.at(place - 1);
    const joinsPrevious = place > 0 && previous?.end === offset;
    if (next.offset === end) {
      next.offset = joinsPrevious ? previous.offset : offset;
      if (joinsPrevious) this.#gaps.splice(place - 1, 1);
    } else if (joinsPrevious) previous.end = end;
    else this.#gaps.splice(place, 0, { offset, end });
  }
}

function aligned(size: number): number {
  return Math.ceil(size / alignment) * alignment;
}
