import { createHash } from 'node:crypto';
import { realpath, rm, writeFile } from 'node:fs/promises';
import { createConnection, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Another process holds the data directory. */
export class DirectoryInUse extends Error {
  override readonly name = 'DirectoryInUse';
  readonly code = 'directory-in-use';
}

/**
 * Takes an exclusive lock on a directory for the life of this process: a local socket whose name is derived from
 * the directory's real path. The operating system closes it when the process dies, however it dies; a socket
 * file that nobody answers is a dead process's and is taken over. Returns the function that releases it.
 */
export async function lockDirectory(directory: string): Promise<() => Promise<void>> {
  const name = createHash('sha256')
    .update(await realpath(directory))
    .digest('hex')
    .slice(0, 32);
  const address =
    process.platform === 'win32' ? `\\\\.\\pipe\\starling-${name}` : join(tmpdir(), `starling-${name}.lock`);
  const guard = `${address}.takeover`;
  for (let attempt = 0; attempt < 50; attempt++) {
    const server = await listen(address);
    if (server) return () => release(server);
    if (await answers(address)) {
      throw new DirectoryInUse(
        `Another Starling server has the data directory ${directory} open. Stop it first, or start this one with another --data-dir.`,
      );
    }
    await takeOver(address, guard);
  }
  throw new DirectoryInUse(
    `The lock of ${directory} could not be taken: remove ${address} if no server runs.`,
  );
}

function listen(address: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      socket.end();
    });
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    server.listen(address, () => {
      server.unref();
      resolve(server);
    });
  });
}

function answers(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(address);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => {
      resolve(false);
    });
  });
}

/** Removes a dead process's socket file. Only who creates the guard file may: two starters cannot both remove. */
async function takeOver(address: string, guard: string): Promise<void> {
  try {
    await writeFile(guard, String(process.pid), { flag: 'wx' });
  } catch {
    await new Promise((resolve) => setTimeout(resolve, 20));
    return;
  }
  try {
    if (!(await answers(address))) await rm(address, { force: true });
  } finally {
    await rm(guard, { force: true });
  }
}

function release(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
  });
}
