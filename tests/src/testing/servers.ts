import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startServer, type ServerOptions, type StarlingServer } from '@starling/server';
import { copyEmptyDatabase } from './empty-database.ts';
import type { TestPostgres } from './postgres.ts';
import { Admin } from './project.ts';

export async function temporaryDirectory(): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'starling-tests-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

export interface TestServer {
  server: StarlingServer;
  admin: Admin;
  close: () => Promise<void>;
}

let postgres: TestPostgres | undefined;

/** Lets every {@link testServer} from here on work on a new database of this server, instead of an embedded one. */
export function useDatabasesOf(server: TestPostgres): void {
  postgres = server;
}

/** A server in this process, on an empty database and a data directory of its own. */
export async function testServer(options: Partial<ServerOptions> = {}): Promise<TestServer> {
  const directory = await temporaryDirectory();
  if (!postgres && options.dataDirectory === undefined && options.databaseUrl === undefined)
    await copyEmptyDatabase(directory.path);
  const server = await startServer({
    dataDirectory: directory.path,
    logLevel: 'silent',
    pollIntervalMs: 50,
    ...(postgres && { databaseUrl: await postgres.database() }),
    ...options,
  });
  const admin = new Admin(server.url, server.firstKey ?? '');
  return {
    server,
    admin,
    close: async () => {
      await server.close();
      await directory.remove();
    },
  };
}

/** A data directory with a database that has a key, to be copied. */
export async function databaseTemplate(): Promise<{
  path: string;
  key: string;
  remove: () => Promise<void>;
}> {
  const directory = await temporaryDirectory();
  await copyEmptyDatabase(directory.path);
  const server = await startServer({ dataDirectory: directory.path, logLevel: 'silent' });
  const key = server.firstKey ?? '';
  await server.close();
  return { path: directory.path, key, remove: directory.remove };
}

const main = fileURLToPath(new URL('../../../cli/dist/main.js', import.meta.url));

/** A server in a process of its own, as `npm start` runs it. */
export class ServerProcess {
  readonly directory: string;
  readonly #environment: Record<string, string>;
  url = '';
  /** What its processes wrote. */
  output = '';
  #child: ChildProcess | undefined;
  #port = 0;

  constructor(directory: string, environment: Record<string, string> = {}) {
    this.directory = directory;
    this.#environment = environment;
  }

  static async onCopyOf(template: string): Promise<ServerProcess & { remove: () => Promise<void> }> {
    const place = await temporaryDirectory();
    await cp(template, place.path, { recursive: true });
    return Object.assign(new ServerProcess(place.path), { remove: place.remove });
  }

  /** Starts it (again on the same port); `killAt` names the failpoint where it will end itself with SIGKILL; `flags` are added to its command. */
  async start(killAt?: string, flags: readonly string[] = []): Promise<void> {
    const child = spawn(
      process.execPath,
      [
        main,
        'serve',
        '--data-dir',
        this.directory,
        '--port',
        String(this.#port),
        '--log-level',
        'silent',
        ...flags,
      ],
      {
        env: {
          ...process.env,
          ...this.#environment,
          ...(killAt === undefined ? {} : { STARLING_KILL_AT: killAt }),
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    this.#child = child;
    const before = this.output.length;
    const announced = new Promise<void>((resolve, reject) => {
      child.stderr.on('data', (chunk: Buffer) => {
        this.output += chunk.toString();
      });
      child.stdout.on('data', (chunk: Buffer) => {
        this.output += chunk.toString();
        const url = /serves (http:\S+)/.exec(this.output.slice(before))?.[1];
        if (url === undefined) return;
        this.url = url;
        this.#port = Number(new URL(url).port);
        resolve();
      });
      child.once('exit', () => {
        reject(new Error(`The server did not start: ${this.output.slice(before)}`));
      });
    });
    await announced;
  }

  /** Resolves when the process has ended by itself or by a signal. */
  async ended(): Promise<NodeJS.Signals | number | null> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return child?.signalCode ?? null;
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    return signal ?? code;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  get running(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Asks it to end, as a supervisor does. */
  terminate(): void {
    this.#child?.kill('SIGTERM');
  }

  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  /** Ends it as an operator does: it lets what is under way end first. */
  stop(): Promise<void> {
    return this.#end('SIGTERM');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    if (!this.running) return;
    const ended = this.ended();
    this.#child?.kill(signal);
    await ended;
  }
}
