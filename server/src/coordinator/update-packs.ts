import { createHash } from 'node:crypto';
import { constants, createReadStream, type ReadStream } from 'node:fs';
import { open, readdir, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { AssignmentId } from '@starling/protocol';
import { Batches } from '../storage/batches.ts';

/** An update that came whole. */
interface Arrived {
  readonly id: AssignmentId;
  readonly bytes: Uint8Array;
  /** SHA-256, hexadecimal. */
  readonly digest: string;
}

interface Pack {
  readonly path: string;
  /** Where the next update goes. */
  end: number;
  /** Updates in it that are wanted, and writes under way: at 0 it goes, for good. */
  uses: number;
}

interface Place {
  readonly pack: Pack;
  readonly at: number;
  readonly length: number;
}

/** A pack that is longer gets no more updates, so that what is over can be let go of. */
const fullBytes = 16 * 2 ** 20;

/** Packs that are written at a time: while one waits for the disk, the next takes what comes. */
const lanes = ['a', 'b', 'c', 'd'];

const ending = '.pack';

/** In front of each update: mark, length (32 bits, little-endian), SHA-256, id, zeros. */
const header = { mark: Buffer.from('SUP1'), bytes: 104, lengthAt: 4, digestAt: 8, idAt: 40 };

/**
 * Updates one behind the other in few files, for a process that has the directory to itself. Those that come while
 * others are being written are written next, all of them at once, and share the wait for the disk: a file, its name and a
 * wait for each would cost more than what is in it. After a restart the packs tell what they hold; an update that was not
 * wholly written is not among it.
 */
export class UpdatePacks {
  readonly #directory: string;
  readonly #places = new Map<AssignmentId, Place>();
  readonly #writes = new Batches<Arrived, void>(
    (updates, lane) => this.#write(updates, lane),
    () => this.#laneOfNext(),
  );
  /** The packs that updates go to now, by lane. */
  readonly #current = new Map<string, Pack>();
  readonly #busy = new Set<string>();
  #turn = 0;
  #made = 0;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Finds what is there. Packs that were left behind get no more updates. */
  async open(): Promise<void> {
    for (const name of await readdir(this.#directory)) {
      if (!name.endsWith(ending)) continue;
      this.#made = Math.max(this.#made, Number.parseInt(name, 10));
      const pack: Pack = { path: join(this.#directory, name), end: 0, uses: 1 };
      for await (const { id, at, length } of updatesIn(pack.path)) {
        this.#places.set(id, { pack, at, length });
        pack.uses++;
      }
      await this.#release(pack);
    }
  }

  /** Resolves when the update is on the disk. */
  add(update: Arrived): Promise<void> {
    return this.#writes.add(update);
  }

  /** Bytes of an update; undefined where it is in no pack. */
  lengthOf(id: AssignmentId): number | undefined {
    return this.#places.get(id)?.length;
  }

  /** All bytes of an update, or some at a time; undefined where it is in no pack. */
  async read(id: AssignmentId): Promise<Uint8Array | undefined> {
    const place = this.#places.get(id);
    if (!place) return undefined;
    const file = await open(place.pack.path);
    try {
      return await readAt(file, place.at, place.length);
    } finally {
      await file.close();
    }
  }

  stream(id: AssignmentId, highWaterMark: number): ReadStream | undefined {
    const place = this.#places.get(id);
    if (!place) return undefined;
    const { pack, at, length } = place;
    return createReadStream(pack.path, { start: at, end: at + length - 1, highWaterMark });
  }

  /** Lets go of an update; false where it is in no pack. */
  async discard(id: AssignmentId): Promise<boolean> {
    const place = this.#places.get(id);
    if (!place) return false;
    this.#places.delete(id);
    await this.#release(place.pack);
    return true;
  }

  list(): AssignmentId[] {
    return [...this.#places.keys()];
  }

  async #write(updates: readonly Arrived[], lane: string): Promise<void[]> {
    const pack = this.#writable(lane);
    this.#busy.add(lane);
    pack.uses++;
    try {
      const file = await open(pack.path, constants.O_WRONLY | constants.O_CREAT);
      try {
        const parts = updates.flatMap((update) => [headerOf(update), update.bytes]);
        await writeAt(file, pack.end, parts);
        await file.datasync();
      } finally {
        await file.close();
      }
      for (const { id, bytes } of updates) {
        this.#places.set(id, { pack, at: pack.end + header.bytes, length: bytes.length });
        pack.end += header.bytes + bytes.length;
        pack.uses++;
      }
      return updates.map(() => undefined);
    } finally {
      this.#busy.delete(lane);
      await this.#release(pack);
    }
  }

  /** One that writes nothing now; when all do, each in turn. */
  #laneOfNext(): string {
    return lanes.find((lane) => !this.#busy.has(lane)) ?? lanes[this.#turn++ % lanes.length]!;
  }

  #writable(lane: string): Pack {
    const current = this.#current.get(lane);
    if (current && current.end < fullBytes && current.uses > 0) return current;
    const pack = { path: join(this.#directory, `${++this.#made}${ending}`), end: 0, uses: 0 };
    this.#current.set(lane, pack);
    return pack;
  }

  async #release(pack: Pack): Promise<void> {
    if (--pack.uses > 0) return;
    await rm(pack.path, { force: true }); // it may never have been made
  }
}

function headerOf({ id, bytes, digest }: Arrived): Buffer {
  const bytesOf = Buffer.alloc(header.bytes);
  header.mark.copy(bytesOf);
  bytesOf.writeUInt32LE(bytes.length, header.lengthAt);
  bytesOf.write(digest, header.digestAt, 'hex');
  bytesOf.write(id, header.idAt);
  return bytesOf;
}

async function writeAt(file: FileHandle, at: number, parts: readonly Uint8Array[]): Promise<void> {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const { bytesWritten } = await file.writev(parts, at);
  if (bytesWritten < length) throw new Error(`A pack of updates took ${bytesWritten} of ${length} bytes.`);
}

/** The updates of a file up to the first that is not whole. */
async function* updatesIn(path: string): AsyncGenerator<{ id: AssignmentId; at: number; length: number }> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    for (let at = 0; at + header.bytes <= size;) {
      const head = await readAt(file, at, header.bytes);
      const length = head.readUInt32LE(header.lengthAt);
      at += header.bytes;
      if (!head.subarray(0, header.mark.length).equals(header.mark) || at + length > size) return;
      const digest = createHash('sha256')
        .update(await readAt(file, at, length))
        .digest();
      if (!head.subarray(header.digestAt, header.idAt).equals(digest)) return;
      yield { id: idIn(head), at, length };
      at += length;
    }
  } finally {
    await file.close();
  }
}

function idIn(head: Buffer): AssignmentId {
  return head.toString('utf8', header.idAt).replace(/\0+$/, '') as AssignmentId; // it is what was written
}

async function readAt(file: FileHandle, at: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.allocUnsafeSlow(length), 0, length, at);
  if (bytesRead < length) throw new Error(`A pack of updates gave ${bytesRead} of ${length} bytes.`);
  return buffer;
}
