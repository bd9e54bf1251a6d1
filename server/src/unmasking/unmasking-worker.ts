/** A thread that applies masks to one range of coordinates at a time. */
import { parentPort } from 'node:worker_threads';
import { applyMasks, bestMasks, type MaskTerm } from '@starling/secure';

/** A range of a sum, and all masks that are to be applied to it. */
export interface RangeOfWork {
  /** Words of the range: handed over, and handed back. */
  readonly words: Uint16Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;
  /** Its first coordinate. */
  readonly from: number;
  readonly terms: readonly MaskTerm[];
}

const port = parentPort;
if (!port) throw new Error('unmasking-worker runs as a worker thread only.');
const masks = bestMasks();

port.on('message', ({ words, from, terms }: RangeOfWork) => {
  applyMasks(masks, terms, words, from);
  port.postMessage(words, [words.buffer]);
});
