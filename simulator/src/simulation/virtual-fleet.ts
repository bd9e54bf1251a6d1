import { randomStream, type RandomStream } from '../data/random-stream.ts';
import type { DeviceClass, FleetModel } from './fleet-model.ts';

const hourMs = 3_600_000;

/** What a virtual device is like. Drawn once; the same for each of its rounds. */
export interface DeviceTraits {
  readonly className: string;
  /** 10^9 floating-point operations a second. */
  readonly gigaflops: number;
  readonly downBytesPerSecond: number;
  readonly upBytesPerSecond: number;
  readonly dropOut: number;
  readonly declines: number;
}

/**
 * Devices that are drawn from a fleet model when they are asked about: nothing is kept for one, so a fleet of any size takes the same memory. The same seed
 * and number give the same device.
 */
export class VirtualFleet {
  readonly model: FleetModel;
  readonly #seed: number;
  readonly #wholeShare: number;

  constructor(model: FleetModel, seed: number) {
    this.model = model;
    this.#seed = seed;
    this.#wholeShare = model.classes.reduce((sum, { share }) => sum + share, 0);
  }

  /** Names a device in draws, as its public key names a real one. */
  keyOf(device: number): string {
    return `virtual/${this.#seed}/${device}`;
  }

  traitsOf(device: number): DeviceTraits {
    const random = this.#random(`device/${device}`);
    const kind = this.#classAt(random.uniform());
    const link = Math.exp(kind.linkSpread * random.normal());
    return {
      className: kind.name,
      gigaflops: kind.gigaflops * Math.exp(kind.speedSpread * random.normal()),
      downBytesPerSecond: kind.downBytesPerSecond * link,
      upBytesPerSecond: kind.upBytesPerSecond * link,
      dropOut: kind.dropOut,
      declines: kind.declines,
    };
  }

  /** Whether a device can be asked at a moment of virtual time: drawn anew for each hour. */
  isAvailable(device: number, atMs: number): boolean {
    const hour = this.hourAt(atMs);
    const share = this.model.availability[hour % 24]!;
    return share >= 1 || this.#random(`hour/${hour}/${device}`).uniform() < share;
  }

  /** Hours since the midnight before the start, whole. */
  hourAt(atMs: number): number {
    return Math.floor(atMs / hourMs + this.model.startHour);
  }

  /** When the next hour begins. */
  nextHourMs(atMs: number): number {
    return (this.hourAt(atMs) + 1 - this.model.startHour) * hourMs;
  }

  /** What chance does with a device in one round. */
  fateOf(
    device: number,
    sequence: number,
  ): { readonly declines: number; readonly dropsOut: number; readonly when: number } {
    const random = this.#random(`round/${sequence}/${device}`);
    return { declines: random.uniform(), dropsOut: random.uniform(), when: random.uniform() };
  }

  #random(name: string): RandomStream {
    return randomStream(this.#seed, `fleet/${name}`);
  }

  #classAt(place: number): DeviceClass {
    let left = place * this.#wholeShare;
    for (const kind of this.model.classes) {
      left -= kind.share;
      if (left < 0) return kind;
    }
    return this.model.classes.at(-1)!;
  }
}
