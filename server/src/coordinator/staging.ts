import { createHash, webcrypto } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { access, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ProblemError, toHex, type AssignmentId, type GroupId } from '@starling/protocol';

/** Of a file that is read some at a time. */
const chunkBytes = 256 * 1024;

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
    return (await sizeOf(this.#complete(id))) ?? (await sizeOf(this.#part(id))) ?? 0;
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
    const held = await this.offset(id);
    if (offset !== held) {
      throw new ProblemError(
        'upload-offset-mismatch',
        `The part starts at byte ${offset}; the server holds ${held} bytes. Continue at ${held}.`,
        { offset: held },
      );
    }
    if (await sizeOf(this.#complete(id))) {
      for await (const chunk of part) if (chunk.length > 0) throw tooLarge(limit);
      return held;
    }
    const file = await open(this.#part(id), 'a');
    let length = held;
    try {
      for await (const chunk of part) {
        if (length + chunk.length > limit) throw tooLarge(limit);
        await file.writeFile(chunk);
        length += chunk.length;
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
    return readFile(await this.#existing(id));
  }

  /** All bytes, with their SHA-256 (hexadecimal), which is taken off this thread. */
  async readWithDigest(id: AssignmentId): Promise<{ bytes: Uint8Array; digest: string }> {
    const bytes = await readFile(await this.#existing(id));
    return { bytes, digest: toHex(new Uint8Array(await webcrypto.subtle.digest('SHA-256', bytes))) };
  }

  /** The same bytes, some at a time. */
  async *chunks(id: AssignmentId): AsyncGenerator<Uint8Array> {
    const file = createReadStream(await this.#existing(id), { highWaterMark: chunkBytes });
    yield* file as AsyncIterable<Buffer>; // no encoding, so buffers
  }

  /** Marks an upload as complete: from here it survives until it is discarded. */
  async complete(id: AssignmentId): Promise<void> {
    if ((await sizeOf(this.#complete(id))) !== undefined) return;
    await rename(this.#part(id), this.#complete(id));
  }

  async discard(id: AssignmentId): Promise<void> {
    await rm(this.#part(id), { force: true });
    await rm(this.#complete(id), { force: true });
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
    await rm(`${this.#sum(id)}.draft`, { force: true });
    await rm(this.#sum(id), { force: true });
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
  try {
    return (await stat(path)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function tooLarge(limit: number): ProblemError {
  return new ProblemError(
    'upload-too-large',
    `The upload is longer than the ${limit} bytes announced with "ready". Announce the length of the file that is sent.`,
  );
}
