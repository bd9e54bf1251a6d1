import { createHash, webcrypto } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { access, mkdir, open, readdir, readFile, rename, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { ProblemError, toHex, type AssignmentId, type GroupId } from '@starling/protocol';

/** Of a file that is read some at a time. */
const chunkBytes = 256 * 1024;

/** Of an upload, gathered before it is written: what comes over a network comes in smaller pieces. */
const writtenBytes = 128 * 1024;

/** Runs work that writes an upload, when nobody else does; throws ProblemError `upload-busy` otherwise. */
type Guard = <T>(id: AssignmentId, work: () => Promise<T>) => Promise<T>;

/**
 * Updates on their way in. An upload grows as `<id>.part` and is renamed to `<id>.update` when it is complete and
 * verified; the complete file stays until its round is over, so that a sum can be rebuilt after a restart.
 */
export class Staging {
  readonly #directory: string;
  readonly #guard: Guard;
  /** Uploads that a request is writing: one writer at a time. */
  readonly #busy = new Set<AssignmentId>();

  /** `guard` keeps other processes from writing the same upload, where the directory is not this one's own. */
  constructor(directory: string, guard: Guard = (_id, work) => work()) {
    this.#directory = directory;
    this.#guard = guard;
  }

  async prepare(): Promise<void> {
    await mkdir(this.#directory, { recursive: true });
  }

  /** Rejects when uploads cannot be written. */
  async check(): Promise<void> {
    await access(this.#directory, constants.R_OK | constants.W_OK);
  }

  /** Bytes held so far. */
  async offset(id: AssignmentId): Promise<number> {
    return (await this.#held(id)).bytes;
  }

  /**
   * Appends a part at `offset`, as it streams in, never beyond `limit` bytes in all. What arrived before a
   * connection broke stays: the device asks for the offset and goes on from there. Returns the new length.
   */
  async append(
    id: AssignmentId,
    offset: number,
    limit: number,
    part: AsyncIterable<Uint8Array>,
  ): Promise<number> {
    return this.#exclusively(id, () => this.#guard(id, () => this.#append(id, offset, limit, part)));
  }

  async #append(
    id: AssignmentId,
    offset: number,
    limit: number,
    part: AsyncIterable<Uint8Array>,
  ): Promise<number> {
    const { bytes: held, isComplete } = await this.#held(id);
    if (offset !== held) {
      throw new ProblemError(
        'upload-offset-mismatch',
        `The part starts at byte ${offset}; the server holds ${held} bytes. Continue at ${held}.`,
        { offset: held },
      );
    }
    if (isComplete) {
      for await (const chunk of part) if (chunk.length > 0) throw tooLarge(limit);
      return held;
    }
    const file = await open(this.#part(id), 'a');
    let length = held;
    let gathered: Uint8Array[] = [];
    let gatheredBytes = 0;
    const write = async () => {
      if (gatheredBytes === 0) return;
      const bytes = Buffer.concat(gathered);
      gathered = [];
      gatheredBytes = 0;
      await file.writeFile(bytes);
      length += bytes.length;
    };
    try {
      try {
        for await (const chunk of part) {
          if (length + gatheredBytes + chunk.length > limit) throw tooLarge(limit);
          gathered.push(chunk);
          gatheredBytes += chunk.length;
          if (gatheredBytes >= writtenBytes) await write();
        }
      } finally {
        await write();
      }
      await file.sync();
    } finally {
      await file.close();
    }
    return length;
  }

  /** SHA-256 (hexadecimal) of the bytes held. */
  async digest(id: AssignmentId): Promise<string> {
    const hash = createHash('sha256');
    for await (const chunk of createReadStream(await this.#existing(id))) hash.update(chunk as Uint8Array);
    return hash.digest('hex');
  }

  async read(id: AssignmentId): Promise<Uint8Array> {
    return (await readIfAny(this.#complete(id))) ?? readFile(this.#part(id));
  }

  /** All bytes of an upload that is not yet {@link complete}, mostly, with their SHA-256 (hexadecimal), taken off this thread. */
  async readWithDigest(id: AssignmentId): Promise<{ bytes: Uint8Array; digest: string }> {
    const bytes = (await readIfAny(this.#part(id))) ?? (await readFile(this.#complete(id)));
    return { bytes, digest: toHex(new Uint8Array(await webcrypto.subtle.digest('SHA-256', bytes))) };
  }

  /** The same bytes, some at a time. */
  async *chunks(id: AssignmentId): AsyncGenerator<Uint8Array> {
    const file = createReadStream(await this.#existing(id), { highWaterMark: chunkBytes });
    yield* file as AsyncIterable<Buffer>; // no encoding, so buffers
  }

  /** Marks an upload as complete: from here it survives until it is discarded. */
  async complete(id: AssignmentId): Promise<void> {
    try {
      await rename(this.#part(id), this.#complete(id));
    } catch (error) {
      if (!isMissing(error) || (await sizeOf(this.#complete(id))) === undefined) throw error;
    }
  }

  async discard(id: AssignmentId): Promise<void> {
    await Promise.all([removeIfAny(this.#part(id)), removeIfAny(this.#complete(id))]);
  }

  /** Keeps the sum of a secure group until its round is over. */
  async keepSum(id: GroupId, sum: Uint8Array): Promise<void> {
    const draft = `${this.#sum(id)}.draft`;
    const file = await open(draft, 'w');
    try {
      await file.writeFile(sum);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, this.#sum(id));
  }

  async readSum(id: GroupId): Promise<Uint8Array> {
    return readFile(this.#sum(id));
  }

  async discardSum(id: GroupId): Promise<void> {
    await removeIfAny(`${this.#sum(id)}.draft`);
    await removeIfAny(this.#sum(id));
  }

  /** Groups of which sums are held, in whole or in part. */
  async listSums(): Promise<GroupId[]> {
    const names = await readdir(this.#directory);
    return names
      .filter((name) => name.includes('.sum'))
      .map((name) => name.replace(/\.sum.*$/, '') as GroupId);
  }

  /** Assignments of which bytes are held. */
  async list(): Promise<AssignmentId[]> {
    const names = await readdir(this.#directory);
    return names
      .filter((name) => !name.includes('.sum'))
      .map((name) => name.replace(/\.(part|update)$/, '') as AssignmentId);
  }

  async #held(id: AssignmentId): Promise<{ bytes: number; isComplete: boolean }> {
    const complete = await sizeOf(this.#complete(id));
    if (complete !== undefined) return { bytes: complete, isComplete: true };
    return { bytes: (await sizeOf(this.#part(id))) ?? 0, isComplete: false };
  }

  async #existing(id: AssignmentId): Promise<string> {
    return (await sizeOf(this.#complete(id))) === undefined ? this.#part(id) : this.#complete(id);
  }

  async #exclusively<T>(id: AssignmentId, work: () => Promise<T>): Promise<T> {
    if (this.#busy.has(id)) {
      throw new ProblemError(
        'upload-busy',
        'Another request is writing this upload. Wait for it, then ask for the offset.',
      );
    }
    this.#busy.add(id);
    try {
      return await work();
    } finally {
      this.#busy.delete(id);
    }
  }

  #part(id: AssignmentId): string {
    return join(this.#directory, `${id}.part`);
  }

  #sum(id: GroupId): string {
    return join(this.#directory, `${id}.sum`);
  }

  #complete(id: AssignmentId): string {
    return join(this.#directory, `${id}.update`);
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  return (await unlessMissing(stat(path)))?.size;
}

function readIfAny(path: string): Promise<Uint8Array | undefined> {
  return unlessMissing(readFile(path));
}

async function removeIfAny(path: string): Promise<void> {
  await unlessMissing(unlink(path));
}

async function unlessMissing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}

function tooLarge(limit: number): ProblemError {
  return new ProblemError(
    'upload-too-large',
    `The upload is longer than the ${limit} bytes announced with "ready". Announce the length of the file that is sent.`,
  );
}
