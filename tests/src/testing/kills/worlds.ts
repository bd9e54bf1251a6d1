import { fileURLToPath } from 'node:url';
import { LocalBackend, startServer } from '@starling/server';
import type { ArmedOptions } from './armed-server.ts';
import { MortalServer } from './mortal-server.ts';
import type { TestPostgres } from '../postgres.ts';
import { copyEmptyDatabase } from '../empty-database.ts';
import { Admin } from '../project.ts';
import { temporaryDirectory } from '../servers.ts';
import { wheelPack } from '../wheel-pack.ts';

/** Servers of which one is killed, over and over, and what goes on without it. */
export interface KillWorld {
  /** At who goes on: it answers while the victim is dead, or as soon as it has been started again. */
  readonly admin: Admin;
  /** Ends itself at the point that it is told. */
  readonly victim: MortalServer;
  /** Where a device's next request goes: mostly to the victim, while it lives. */
  node(): string;
  /** Where every other request goes to another node, while the victim lives. */
  anyNode(): string;
  /** What an operator's machine does when the victim has died: starts it again, or nothing where another node lives. */
  recover(): Promise<void>;
  /** Makes the victim ready for the next death. */
  revive(changes?: Partial<ArmedOptions>): Promise<void>;
  close(): Promise<void>;
}

/** How often nodes look at deadlines; the one that lives looks less often, so that the victim comes to its point first. */
const victimPollMs = 100;
const survivorPollMs = 500;

/** One server on PGlite, which is started again. */
export async function onPglite(): Promise<KillWorld> {
  const { options, close } = await place();
  await copyEmptyDatabase(options.dataDirectory);
  const { victim, revive } = await startVictim(options);
  return {
    admin: new Admin(victim.url, victim.firstKey ?? ''),
    victim,
    node: () => victim.url,
    anyNode: () => victim.url,
    recover: () => victim.start(),
    revive,
    close: async () => {
      await victim.kill();
      await close();
    },
  };
}

/** Two nodes on PostgreSQL; one of them lives on. */
export async function onTwoNodes(postgres: TestPostgres): Promise<KillWorld> {
  const { options, close } = await place(await postgres.database());
  const { jobs, ...common } = options;
  const survivor = await startServer({
    ...common,
    pollIntervalMs: survivorPollMs,
    logLevel: 'silent',
    cloud: {
      backends: [new LocalBackend({ programs: { embedded: jobs.program } })],
      dataSets: jobs.dataSets,
    },
  });
  const { victim, revive } = await startVictim(options);
  let turn = 0;
  return {
    admin: new Admin(survivor.url, survivor.firstKey ?? ''),
    victim,
    node: () => (victim.running ? victim.url : survivor.url),
    anyNode: () => (victim.running && turn++ % 2 === 0 ? victim.url : survivor.url),
    recover: () => Promise.resolve(),
    revive,
    close: async () => {
      await victim.kill();
      await survivor.close();
      await close();
    },
  };
}

async function startVictim(
  options: Omit<ArmedOptions, 'pollIntervalMs'>,
): Promise<Pick<KillWorld, 'victim' | 'revive'>> {
  const victim = new MortalServer({ ...options, pollIntervalMs: victimPollMs });
  await victim.start();
  return {
    victim,
    revive: async (changes) => {
      if (victim.running && changes === undefined) return;
      await victim.kill();
      await victim.start(changes);
    },
  };
}

async function place(databaseUrl?: string) {
  const directory = await temporaryDirectory();
  const wheel = `${directory.path}/wheel`;
  await wheelPack(wheel);
  const program = [process.execPath, fileURLToPath(import.meta.resolve('@starling/simulator/job-process'))];
  return {
    options: {
      dataDirectory: `${directory.path}/server`,
      ...(databaseUrl !== undefined && { databaseUrl }),
      jobs: { program, dataSets: { wheel } },
    },
    close: directory.remove,
  };
}
