import { Workbench } from '../work.ts';
import type { Host, Trainer, TrainerJob, TrainerResult } from '../ports.ts';
import { DeviceError } from '../errors.ts';
import type { FakeServer } from './fake-server.ts';
import { ManualClock } from './manual-clock.ts';
import { MemoryStorage } from './memory-storage.ts';

/** Trains in place, with the real engine; can be held back. */
export class FakeTrainer implements Trainer {
  jobs: TrainerJob[] = [];
  /** Set to hold jobs back until it is called. */
  isHeld = false;
  givenUp = 0;
  #ticks = 0;
  readonly #workbench = new Workbench(() => this.#ticks++);
  #release: (() => void) | undefined;

  async run(job: TrainerJob, signal?: AbortSignal): Promise<TrainerResult> {
    this.jobs.push(job);
    if (this.isHeld) {
      await new Promise<void>((resolve, reject) => {
        this.#release = resolve;
        signal?.addEventListener('abort', () => {
          this.givenUp++;
          reject(new DeviceError('worker-failed', 'given up'));
        });
      });
    }
    return this.#workbench.run(job);
  }

  release(): void {
    this.isHeld = false;
    this.#release?.();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

export interface FakeHost extends Host {
  readonly clock: ManualClock;
  readonly storage: MemoryStorage;
  readonly trainer: FakeTrainer;
}

/** A host in memory; storage handed in is that of an earlier life of the same device. */
export function fakeHost(server: FakeServer, changes: Partial<FakeHost> = {}): FakeHost {
  let drawn = 0;
  return {
    platform: 'test',
    storage: new MemoryStorage(),
    http: server.http,
    channel: server.channel,
    trainer: new FakeTrainer(),
    clock: new ManualClock(),
    random: { bytes: (length) => Uint8Array.from({ length }, () => (drawn += 37) % 256) },
    conditions: { now: () => Promise.resolve({}) },
    exclusively: (work) => work(),
    ...changes,
  };
}
