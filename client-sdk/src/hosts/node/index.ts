import { randomBytes, webcrypto } from 'node:crypto';
import type { Host } from '../../core/ports.ts';
import { fetchHttp } from '../shared/fetch-http.ts';
import { socketChannel } from '../shared/socket-channel.ts';
import { timerClock } from '../shared/timer-clock.ts';
import { fileStorage } from './file-storage.ts';
import { workerTrainer } from './worker-trainer.ts';

export interface NodeHostOptions {
  /** Where the device keeps its key and its state; made when it is missing. One running device a directory. */
  readonly directory: string;
}

/** A device in Node: state in files, training in a worker thread. Of battery, mains and network it knows nothing. */
export function nodeHost({ directory }: NodeHostOptions): Host {
  return {
    platform: 'node',
    storage: fileStorage(directory),
    http: fetchHttp,
    channel: socketChannel,
    trainer: workerTrainer(),
    clock: timerClock,
    subtle: webcrypto.subtle,
    random: { bytes: (length) => new Uint8Array(randomBytes(length)) },
    conditions: { now: () => Promise.resolve({}) },
    exclusively: (work) => work(),
  };
}
