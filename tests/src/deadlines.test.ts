import { describe, expect, it } from 'vitest';
import { openPostgres } from '@starling/server/storage';
import { MortalServer } from './testing/kills/mortal-server.ts';
import { postgresFile } from './testing/postgres-file.ts';
import { Admin, eventually } from './testing/project.ts';

/** How late deadlines are fired is measured by `npm run bench -- coordinator`; here they are counted. */
const deadlines = 120;
const spreadMs = 3_000;
/** Before a deadline's transaction, in it, and after it; each node dies at the tenth that it has in hand. */
const deaths = ['deadline-due:10', 'round-abandoned:10', 'round-tidied:10'];

const postgres = await postgresFile();
const { cleanups } = postgres;

describe.skipIf(postgres.missing !== undefined)(
  postgres.missing ?? `${deadlines} deadlines over three nodes`,
  () => {
    it(
      'are each fired once when every node dies with one in hand and is started again',
      { timeout: 240_000 },
      async () => {
        const place = await postgres.place();
        const nodes = deaths.map(() => new MortalServer(place));
        for (const node of nodes) {
          cleanups.push(() => node.kill());
          await node.start();
        }
        const database = await openPostgres(place.databaseUrl);
        cleanups.push(() => database.close());
        const admin = new Admin(nodes[0]!.url, nodes[0]!.firstKey ?? '');
        const windows = { selectingMs: 3_600_000, trainingMs: 60_000, aggregatingMs: 60_000 };
        const first = await admin.tinyTask({ windows });
        const tasks = [first, ...(await inParallel(deadlines - 1, () => admin.tinyTask({ windows })))];
        await inParallel(tasks.length, (index) => admin.post(`/v1/tasks/${tasks[index]!.id}/start`));
        await Promise.all(nodes.map((node, index) => node.arm(deaths[index]!)));
        await database.query(
          `update rounds r set deadline = now() + (500 + s.place * $1 / $2) * interval '1 millisecond'
           from (select id, row_number() over (order by id) as place from rounds) s where s.id = r.id`,
          [spreadMs, deadlines],
        );
        const replaced = nodes.map(async (node) => {
          expect(await node.ended()).toBe('SIGKILL');
          await node.start();
        });
        await eventually(
          'all deadlines to be fired',
          async () => {
            const [row] = await database.query<{ count: number }>(
              'select count(*)::int as count from rounds where sequence = 1 and ended_at is not null',
            );
            return row?.count === deadlines || undefined;
          },
          120_000,
        );
        await Promise.all(replaced);
        // One change of the row, one next round: what had been fired twice would have left more.
        const fired = await database.query(
          `select state, version, (select count(*)::int from rounds n where n.task_id = r.task_id) as rounds, count(*)::int
           from rounds r where sequence = 1 group by 1, 2, 3`,
        );
        expect(fired).toEqual([{ state: 'abandoned', version: 1, rounds: 2, count: deadlines }]);
      },
    );
  },
);

/** Does `work` so many times, some at once. */
async function inParallel<T>(times: number, work: (index: number) => Promise<T>): Promise<T[]> {
  const done: T[] = [];
  let next = 0;
  const worker = async () => {
    while (next < times) {
      const index = next++;
      done[index] = await work(index);
    }
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  return done;
}
