import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { startServer } from '@starling/server';
import { openPostgres, type Database } from '@starling/server/storage';
import { median, minimum } from '../statistics.ts';

const main = fileURLToPath(new URL('../../../cli/dist/main.js', import.meta.url));

const name = 'deadlines-240';
const deadlines = 240;
const spreadMs = 6_000;
/** Before a deadline's transaction, in it, and after it: each node dies with the twentieth that it has in hand. */
const deaths = ['deadline-due:20', 'round-abandoned:20', 'round-tidied:20'];
const aheadMs = 3_000;
const missedAfterMs = 20_000;

/** A figure of the case, or whether one keeps what was set out for it. */
export type DeadlineLine =
  | {
      readonly bench: 'coordinator';
      readonly case: string;
      readonly contender: string;
      readonly metric: string;
      readonly unit: string;
      readonly min: number;
      readonly median: number;
      readonly runs: number;
    }
  | {
      readonly bench: 'coordinator';
      readonly case: string;
      readonly target: string;
      readonly measured: number;
      readonly pass: boolean;
    };

/**
 * 240 deadlines within 6 s over three nodes, each of which dies by SIGKILL with one in hand and is started again.
 * `databaseUrl` names an empty PostgreSQL database. The rounds' windows close below their minimum, so each deadline is one
 * transaction that abandons a round and opens the next.
 */
export async function measureDeadlines(databaseUrl: string): Promise<DeadlineLine[]> {
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
    return linesOf(await countsOf(database));
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
    const { digest } = await post('/v1/models', model);
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

function linesOf({ lateMs, missed, doubled }: Counts): DeadlineLine[] {
  const of = { bench: 'coordinator', case: name } as const;
  const worst = Math.round(lateMs.at(-1) ?? Infinity);
  return [
    {
      ...{ ...of, contender: 'starling', metric: 'late', unit: 'ms', runs: lateMs.length },
      ...{ min: Math.round(minimum(lateMs)), median: Math.round(median(lateMs)) },
    },
    { ...of, target: 'missed <= 0', measured: missed, pass: missed === 0 },
    { ...of, target: 'doubled <= 0', measured: doubled, pass: doubled === 0 },
    { ...of, target: 'latest <= 500 ms', measured: worst, pass: worst <= 500 },
  ];
}

const model = {
  ...{ umir: 1, opset: 1, name: 'tiny', metrics: ['accuracy'] },
  inputs: [
    { id: 'x', shape: ['B', 4] },
    { id: 'y', shape: ['B'], dtype: 'i32', role: 'label', classes: 3 },
  ],
  params: [
    { id: 'w', shape: [4, 3], init: { kind: 'uniform', fan: 4 } },
    { id: 'b', shape: [3], init: { kind: 'zeros' } },
  ],
  nodes: [{ op: 'dense', in: ['x', 'w', 'b'], out: 'logits' }],
  loss: { op: 'softmaxCrossEntropy', in: ['logits', 'y'] },
};

const plan = {
  learning: { algorithm: 'fedavg', epochs: 1, batchSize: 8, rate: 0.1 },
  optimiser: { kind: 'sgd', rate: 1 },
  ...{ rounds: 1, maxWeight: 4096, seed: 1 },
  cohort: { goal: 3, minimum: 3, overSelection: 1 },
  windows: { selectingMs: 3_600_000, trainingMs: 60_000, aggregatingMs: 60_000 },
  adaptation: { steps: 1, rate: 0.1 },
};
