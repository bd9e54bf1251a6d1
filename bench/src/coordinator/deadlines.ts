import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { startServer } from '@starling/server';
import { openPostgres, type Database } from '@starling/server/storage';
import type { CaseOptions } from '../benches.ts';
import { denseModel } from '../dense-model.ts';
import { row, verdict, type Report } from './rows.ts';

const main = fileURLToPath(new URL('../../../cli/dist/main.js', import.meta.url));

const name = 'deadlines-240';
const deadlines = 240;
const spreadMs = 6_000;
/** Before a deadline's transaction, in it, and after it; one after the other, so that the next has been started again. */
const deaths = ['deadline-due:15', 'round-abandoned:40', 'round-tidied:100'];
const aheadMs = 3_000;
const missedAfterMs = 20_000;

/**
 * 240 deadlines within 6 s over three nodes, each of which dies by SIGKILL with one in hand and is started again.
 * `databaseUrl` names an empty PostgreSQL database. The rounds' windows close below their minimum, so each deadline is one
 * transaction that abandons a round and opens the next.
 */
export async function benchDeadlines(report: Report, { postgres: databaseUrl }: CaseOptions): Promise<void> {
  if (databaseUrl === undefined) {
    console.error(`${name} is left out: name an empty PostgreSQL database with --postgres.`);
    return;
  }
  const directory = mkdtempSync(join(tmpdir(), 'starling-bench-'));
  const nodes: ChildProcess[] = [];
  let database: Database | undefined;
  try {
    await fillTasks({ dataDirectory: directory, databaseUrl });
    database = await openPostgres(databaseUrl);
    const place = { directory, databaseUrl };
    for (const death of deaths) nodes.push(await startNode(place, death));
    await database.query(
      `update rounds r set deadline = now() + ($3 + s.place * $1::float8 / $2) * interval '1 millisecond'
         from (select id, row_number() over (order by id) as place from rounds) s where s.id = r.id`,
      [spreadMs, deadlines, aheadMs],
    );
    const replaced = nodes.map(async (node) => {
      if (node.signalCode === null) await once(node, 'exit');
      nodes.push(await startNode(place));
    });
    await allFired(database);
    await Promise.all(replaced);
    tell(report, await countsOf(database));
  } finally {
    for (const node of nodes) node.kill('SIGKILL');
    await database?.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Tasks with a round each that waits for devices. */
async function fillTasks(place: { dataDirectory: string; databaseUrl: string }): Promise<void> {
  const server = await startServer({ ...place, logLevel: 'error' });
  const post = async (path: string, body?: object): Promise<Record<string, string>> => {
    const answer = await fetch(`${server.url}${path}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${server.firstKey ?? ''}`,
        ...(body && { 'content-type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${path} was answered ${answer.status}: ${await answer.text()}`);
    return (await answer.json()) as Record<string, string>; // the server is ours, and of this build
  };
  try {
    const { digest } = await post('/v1/models', denseModel(4, 3));
    for (let index = 0; index < deadlines; index++) {
      const { id } = await post('/v1/tasks', { name: `task ${index}`, model: digest, plan });
      await post(`/v1/tasks/${id}/start`);
    }
  } finally {
    await server.close();
  }
}

async function startNode(
  { directory, databaseUrl }: { directory: string; databaseUrl: string },
  killAt?: string,
): Promise<ChildProcess> {
  const child = spawn(
    process.execPath,
    [main, 'serve', '--data-dir', directory, '--port', '0', '--log-level', 'error'],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        ...process.env,
        STARLING_DATABASE_URL: databaseUrl,
        ...(killAt !== undefined && { STARLING_KILL_AT: killAt }),
      },
    },
  );
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.includes('serves http')) return child;
  }
  throw new Error('A node ended before it served.');
}

async function allFired(database: Database): Promise<void> {
  const until = performance.now() + aheadMs + spreadMs + missedAfterMs;
  while (performance.now() < until) {
    const [row] = await database.query<{ open: number }>(
      'select count(*)::int as open from rounds where sequence = 1 and ended_at is null',
    );
    if (row?.open === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

interface Counts {
  readonly lateMs: readonly number[];
  readonly missed: number;
  readonly doubled: number;
}

/** What fired a deadline changed the row once, and opened one other round. */
async function countsOf(database: Database): Promise<Counts> {
  const rows = await database.query<{ late: number | null; version: number; next: number }>(
    `select extract(epoch from ended_at - deadline)::float8 * 1000 as late, version,
            (select count(*)::int from rounds n where n.task_id = r.task_id and n.sequence > 1) as next
       from rounds r where sequence = 1`,
  );
  const fired = rows.flatMap(({ late }) => (late === null ? [] : [late]));
  return {
    lateMs: fired.sort((one, other) => one - other),
    missed: rows.length - fired.length,
    doubled: rows.filter(({ version, next }) => version > 1 || next > 1).length,
  };
}

function tell(report: Report, { lateMs, missed, doubled }: Counts): void {
  report(row(name, 'starling', 'late', 'ms', lateMs));
  report(verdict(name, 'missed', missed, 0, ''));
  report(verdict(name, 'doubled', doubled, 0, ''));
  report(verdict(name, 'latest', lateMs.at(-1) ?? Infinity, 500, 'ms'));
}

const plan = {
  learning: { algorithm: 'fedavg', epochs: 1, batchSize: 8, rate: 0.1 },
  optimiser: { kind: 'sgd', rate: 1 },
  ...{ rounds: 1, maxWeight: 4096, seed: 1 },
  cohort: { goal: 3, minimum: 3, overSelection: 1 },
  windows: { selectingMs: 3_600_000, trainingMs: 60_000, aggregatingMs: 60_000 },
  adaptation: { steps: 1, rate: 0.1 },
};
