/**
 * Messages between the processes of a simulation on a cluster: a byte that names their kind, a worker's number and the body's length
 * (uint32, little-endian), the body. The same in cluster/src/starling_cluster/frames.py.
 */
import type { Readable, Writable } from 'node:stream';

/**
 * Between the coordinator and the driver (cluster/src/starling_cluster/simulation.py), and between a worker and the actor that has it.
 *
 * | kind | from        | to          | body                                                        |
 * | ---- | ----------- | ----------- | ----------------------------------------------------------- |
 * | `s`  | coordinator | all workers | what the crew is opened with                                |
 * | `r`  | coordinator | all workers | a round begins: its order, and the parameters               |
 * | `q`  | coordinator | a worker    | a question                                                  |
 * | `a`  | worker      | coordinator | the answer                                                  |
 * | `h`  | worker      | coordinator | it is there, and by which engine it runs: in answer to `s`  |
 * | `g`  | driver      | coordinator | the worker that was asked is gone; `h` when another is there |
 * | `l`  | coordinator | driver      | a line for the job's log                                    |
 * | `f`  | coordinator | driver      | why it failed: `{code, message, status}`                    |
 */
export type FrameKind = 's' | 'r' | 'q' | 'a' | 'h' | 'g' | 'l' | 'f';

export interface Frame {
  readonly kind: FrameKind;
  readonly worker: number;
  readonly body: Uint8Array;
}

const headerBytes = 9;

export function writeFrame(stream: Writable, { kind, worker, body }: Frame): void {
  const header = Buffer.alloc(headerBytes);
  header.write(kind, 0, 'latin1');
  header.writeUInt32LE(worker, 1);
  header.writeUInt32LE(body.length, 5); // throws from 4 GiB
  stream.write(header);
  stream.write(body);
}

/** The frames of a stream, as they come. What an unfinished one had is dropped with the stream's end. */
export async function* framesFrom(stream: Readable): AsyncGenerator<Frame> {
  let chunks: Buffer[] = [];
  let [held, needed] = [0, headerBytes];
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    held += chunk.length;
    if (held < needed) continue;
    let rest = chunks.length === 1 ? chunk : Buffer.concat(chunks);
    for (;;) {
      needed = rest.length < headerBytes ? headerBytes : headerBytes + rest.readUInt32LE(5);
      if (rest.length < needed) break;
      yield {
        kind: rest.toString('latin1', 0, 1) as FrameKind, // both ends are of one version
        worker: rest.readUInt32LE(1),
        body: rest.subarray(headerBytes, needed),
      };
      rest = rest.subarray(needed);
    }
    chunks = [rest];
    held = rest.length;
  }
}
