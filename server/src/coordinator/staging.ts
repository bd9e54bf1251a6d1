import { createHash } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import {
  access,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  stat,
  unlink,
  type FileHandle,
} from 'node:fs/promises';
import { join } from 'node:path';
import { ProblemError, type AssignmentId, type GroupId } from '@starling/protocol';

/** Of a file that is read some at a time. */
const chunkBytes = 256 * 1024;

/** Of an upload, gathered before it is written: what comes over a network comes in smaller pieces. */
const writtenBytes = 64 * 1024;

/** Runs work that writes an upload, when nobody else does; throws ProblemError `upload-busy` otherwise. */
type Guard = <T>(id: AssignmentId, work: () => Promise<T>) => Promise<T>;

/** All bytes of an update, and their SHA-256 (hexadecimal). */
export interface WholeUpdate {
  readonly bytes: Uint8Array;
  readonly digest: string;
}

/** A part that was appended. */
export interface Appended {
  /** Bytes held now. */
  readonly length: number;
  /** All of them, where they were kept at hand. */
  readonly whole: WholeUpdate | undefined;
}

/** Where all of an upload is gathered, unless it takes too long to come. */
export interface Gathering {
  /** As long as the upload may be. */
  readonly buffer: Buffer;
  /** Resolves when it takes too long, if it does: what came is written at once, and what comes as it comes. */
  readonly tookTooLong: Promise<void>;
  /** Nothing of the upload is in the buffer any more. */
  onLetGo: () => void;
}

/**
 * Updates on their way in, a file `<id>.update` each. It stays until its round is over, so that a sum can be rebuilt after
 * a restart. Which of them are complete and verified is in the database.
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
    return (await unlessMissing(stat(this.#update(id))))?.size ?? 0;
  }

  /**
   * Appends a part at `offset`, as it streams in, never beyond `limit` bytes in all. What arrived before a connection
   * broke stays: the device asks for the offset and goes on from there. With `gathering`, the part must be all of the
   * upload: it is gathered whole, written in one go and given back as bytes of that buffer, unless it takes too long to come.
   */
  async append(
    id: AssignmentId,
    offset: number,
    limit: number,
    part: AsyncIterable<Uint8Array>,
    gathering?: Gathering,
  ): Promise<Appended> {
    return this.#exclusively(id, () =>
      this.#guard(id, async () => {
        const file = await this.#open(id, offset);
        try {
          return await append(file, offset, limit, part, gathering);
        } finally {
          await file.close();
        }
      }),
    );
  }

  /** SHA-256 (hexadecimal) of the bytes held. */
  async digest(id: AssignmentId): Promise<string> {
    const hash = createHash('sha256');
    for await (const chunk of createReadStream(this.#update(id))) hash.update(chunk as Uint8Array);
    return hash.digest('hex');
  }

  read(id: AssignmentId): Promise<Uint8Array> {
    return readFile(this.#update(id));
  }

  /** Takes the digest of a long one in turns that others wait for no longer than for a part that comes in. */
  async readWhole(id: AssignmentId): Promise<WholeUpdate> {
    const file = await open(this.#update(id));
    try {
      const { size } = await file.stat();
      const bytes = Buffer.allocUnsafeSlow(size);
      const hash = createHash('sha256');
      for (let at = 0; at < size;) {
        const { bytesRead } = await file.read(bytes, at, Math.min(chunkBytes, size - at), at);
        if (bytesRead === 0) throw new Error(`The upload ${id} became shorter while it was read.`);
        hash.update(bytes.subarray(at, at + bytesRead));
        at += bytesRead;
      }
      return { bytes, digest: hash.digest('hex') };
    } finally {
      await file.close();
    }
  }

  /** The same bytes, some at a time. */
  async *chunks(id: AssignmentId): AsyncGenerator<Uint8Array> {
    const file = createReadStream(this.#update(id), { highWaterMark: chunkBytes });
    yield* file as AsyncIterable<Buffer>; // no encoding, so buffers
  }

  async discard(id: AssignmentId): Promise<void> {
    await removeIfAny(this.#update(id));
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
      .map((name) => name.replace(/\.update$/, '') as AssignmentId);
  }

  /** The file, where it holds just the `offset` bytes that the part goes on from. */
  async #open(id: AssignmentId, offset: number): Promise<FileHandle> {
    const path = this.#update(id);
    const made = offset === 0 ? await unless('EEXIST', open(path, 'ax')) : undefined;
    if (made) return made;
    const held = await this.offset(id);
    if (offset === held) return open(path, 'a');
    throw new ProblemError(
      'upload-offset-mismatch',
      `The part starts at byte ${offset}; the server holds ${held} bytes. Continue at ${held}.`,
      { offset: held },
    );
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

  #sum(id: GroupId): string {
    return join(this.#directory, `${id}.sum`);
  }

  #update(id: AssignmentId): string {
    return join(this.#directory, `${id}.update`);
  }
}

async function append(
  file: FileHandle,
  offset: number,
  limit: number,
  part: AsyncIterable<Uint8Array>,
  gathering: Gathering | undefined,
): Promise<Appended> {
  let gathered = gathering;
  let buffer = gathered?.buffer ?? Buffer.allocUnsafeSlow(writtenBytes);
  let [length, filled] = [offset, 0];
  const write = async () => {
    const bytes = buffer.subarray(0, filled);
    filled = 0;
    if (bytes.length > 0) await file.writeFile(bytes);
  };
  const letGo = async () => {
    await write();
    buffer = Buffer.allocUnsafeSlow(writtenBytes);
    gathered?.onLetGo();
    gathered = undefined;
  };
  const chunks = part[Symbol.asyncIterator]();
  const tooLong = gathering?.tookTooLong.then(() => undefined);
  try {
    for (;;) {
      const coming = chunks.next();
      if (gathered && (await Promise.race([coming, tooLong])) === undefined) await letGo();
      const next = await coming;
      if (next.done === true) break;
      const chunk = next.value;
      if (length + chunk.length > limit) throw tooLarge(limit);
      length += chunk.length;
      for (let at = 0; at < chunk.length;) {
        if (filled === buffer.length) await write();
        const fitting = chunk.subarray(at, at + buffer.length - filled);
        buffer.set(fitting, filled);
        filled += fitting.length;
        at += fitting.length;
      }
    }
  } catch (error) {
    const ended = chunks.return?.(); // nobody waits for what a device may never send
    ended?.catch(() => undefined);
    await write();
    throw error;
  }
  const bytes = buffer.subarray(0, filled);
  await write();
  await file.sync();
  return { length, whole: gathered && { bytes, digest: sha256Of(bytes) } };
}

function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

async function removeIfAny(path: string): Promise<void> {
  await unlessMissing(unlink(path));
}

function unlessMissing<T>(work: Promise<T>): Promise<T | undefined> {
  return unless('ENOENT', work);
}

async function unless<T>(code: 'ENOENT' | 'EEXIST', work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === code) return undefined;
    throw error;
  }
}

function tooLarge(limit: number): ProblemError {
  return new ProblemError(
    'upload-too-large',
    `The upload is longer than the ${limit} bytes announced with "ready". Announce the length of the file that is sent.`,
  );
}
