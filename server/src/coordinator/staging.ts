import { createHash, webcrypto } from 'node:crypto';
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
import { UpdatePacks } from './update-packs.ts';

/** Of a file that is read some at a time. */
const chunkBytes = 256 * 1024;

/** Of an upload, gathered before it is written: what comes over a network comes in smaller pieces. */
const writtenBytes = 64 * 1024;

const updateEnding = '.update';

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

/** Where all of an upload is gathered, unless it takes too long. */
export interface Gathering {
  /** As long as the upload may be. */
  readonly buffer: Buffer;
  /** It took too long: what comes from now on is written as it comes. */
  isOver: boolean;
}

/**
 * Updates on their way in: in packs where they come whole and the directory is this process' own, else a file
 * `<id>.update` each. They stay until their round is over, so that a sum can be rebuilt after a restart. Which of them
 * are complete and verified is in the database.
 */
export class Staging {
  readonly #directory: string;
  readonly #guard: Guard;
  readonly #isAlone: () => boolean;
  readonly #packs: UpdatePacks;
  /** Uploads that a request is writing: one writer at a time. */
  readonly #busy = new Set<AssignmentId>();

  /**
   * `guard` keeps other processes from writing the same upload, where the directory is not this one's own; `isAlone`
   * tells whether it is.
   */
  constructor(directory: string, guard: Guard = (_id, work) => work(), isAlone: () => boolean = () => false) {
    this.#directory = directory;
    this.#guard = guard;
    this.#isAlone = isAlone;
    this.#packs = new UpdatePacks(directory);
  }

  async prepare(): Promise<void> {
    await mkdir(this.#directory, { recursive: true });
    await this.find();
  }

  /** Finds what earlier packs hold. */
  find(): Promise<void> {
    return this.#packs.open();
  }

  /** Rejects when uploads cannot be written. */
  async check(): Promise<void> {
    await access(this.#directory, constants.R_OK | constants.W_OK);
  }

  /** Bytes held so far. */
  async offset(id: AssignmentId): Promise<number> {
    return this.#packs.lengthOf(id) ?? (await unlessMissing(stat(this.#update(id))))?.size ?? 0;
  }

  /**
   * Appends a part at `offset`, as it streams in, never beyond `limit` bytes in all. What arrived before a connection
   * broke stays: the device asks for the offset and goes on from there. With `gathering`, the part must be all of the
   * upload: it is gathered whole, written in one go and given back as bytes of that buffer, unless it takes too long.
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
        await this.#requireNext(id, offset);
        const file = new UpdateFile(this.#update(id));
        const pack = (whole: WholeUpdate) => this.#packs.add({ id, ...whole });
        try {
          return await append(file, offset, limit, part, gathering, this.#isAlone() ? pack : undefined);
        } finally {
          await file.close();
        }
      }),
    );
  }

  /** SHA-256 (hexadecimal) of the bytes held. */
  async digest(id: AssignmentId): Promise<string> {
    const hash = createHash('sha256');
    for await (const chunk of this.chunks(id)) hash.update(chunk);
    return hash.digest('hex');
  }

  async read(id: AssignmentId): Promise<Uint8Array> {
    return (await this.#packs.read(id)) ?? readFile(this.#update(id));
  }

  async readWhole(id: AssignmentId): Promise<WholeUpdate> {
    const bytes = await this.read(id);
    const digest = await webcrypto.subtle.digest('SHA-256', bytes); // on another thread: it may be long
    return { bytes, digest: Buffer.from(digest).toString('hex') };
  }

  /** The same bytes, some at a time. */
  async *chunks(id: AssignmentId): AsyncGenerator<Uint8Array> {
    const stream =
      this.#packs.stream(id, chunkBytes) ?? createReadStream(this.#update(id), { highWaterMark: chunkBytes });
    yield* stream as AsyncIterable<Buffer>; // no encoding, so buffers
  }

  async discard(id: AssignmentId): Promise<void> {
    if (!(await this.#packs.discard(id))) await removeIfAny(this.#update(id));
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
    const ofFiles = names
      .filter((name) => name.endsWith(updateEnding))
      .map((name) => name.slice(0, -updateEnding.length) as AssignmentId);
    return [...ofFiles, ...this.#packs.list()];
  }

  /** The part must go on from what is held. */
  async #requireNext(id: AssignmentId, offset: number): Promise<void> {
    const held = await this.offset(id);
    if (offset === held) return;
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
    return join(this.#directory, `${id}${updateEnding}`);
  }
}

/** A file that is opened with its first bytes. */
class UpdateFile {
  readonly #path: string;
  #file: FileHandle | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (bytes.length === 0) return;
    this.#file ??= await open(this.#path, 'a');
    await this.#file.writeFile(bytes);
  }

  async sync(): Promise<void> {
    await this.#file?.sync();
  }

  async close(): Promise<void> {
    await this.#file?.close();
  }
}

/** All of an update that was gathered goes to `pack`, where there is one; anything else into the file. */
async function append(
  file: UpdateFile,
  offset: number,
  limit: number,
  part: AsyncIterable<Uint8Array>,
  gathering: Gathering | undefined,
  pack: ((whole: WholeUpdate) => Promise<void>) | undefined,
): Promise<Appended> {
  let isGathered = gathering?.isOver === false;
  let buffer = gathering?.buffer ?? Buffer.allocUnsafeSlow(writtenBytes);
  let [length, filled] = [offset, 0];
  const write = async () => {
    const bytes = buffer.subarray(0, filled);
    filled = 0;
    await file.write(bytes);
  };
  try {
    for await (const chunk of part) {
      if (length + chunk.length > limit) throw tooLarge(limit);
      if (isGathered && gathering?.isOver === true) {
        isGathered = false;
        await write();
        buffer = Buffer.allocUnsafeSlow(writtenBytes);
      }
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
    await write();
    throw error;
  }
  const bytes = buffer.subarray(0, filled);
  const whole = isGathered ? { bytes, digest: sha256Of(bytes) } : undefined;
  if (whole && length === limit && pack) {
    await pack(whole);
  } else {
    await write();
    await file.sync();
  }
  return { length, whole: gathering?.isOver === false ? whole : undefined };
}

function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

async function removeIfAny(path: string): Promise<void> {
  await unlessMissing(unlink(path));
}

async function unlessMissing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
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
