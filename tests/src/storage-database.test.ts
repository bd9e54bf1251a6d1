import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  DatabaseError,
  DatabaseUnavailable,
  migrate,
  openPglite,
  openPostgres,
  UnknownSchema,
  type Database,
} from '@starling/server/storage';
import { eventually } from './testing/project.ts';
import { TestPostgres } from './testing/postgres.ts';
import { temporaryDirectory } from './testing/servers.ts';

/** One contract for every engine behind the database port. */
const postgres = await TestPostgres.start();
const missing = typeof postgres === 'string' ? postgres : undefined;
afterAll(async () => {
  if (typeof postgres !== 'string') await postgres.remove();
});

function running(): TestPostgres {
  if (typeof postgres === 'string') throw new Error(postgres);
  return postgres;
}

interface Engine {
  name: string;
  skip: string | undefined;
  open: () => Promise<{ database: Database; remove: () => Promise<void> }>;
}

const engines: Engine[] = [
  {
    name: 'PGlite',
    skip: undefined,
    open: async () => {
      const directory = await temporaryDirectory();
      return { database: await openPglite(directory.path), remove: directory.remove };
    },
  },
  {
    name: 'PostgreSQL',
    skip: missing,
    open: async () => ({
      database: await openPostgres(await running().database()),
      remove: () => Promise.resolve(),
    }),
  },
];

describe.each(engines)('the database port on $name', ({ skip, open }) => {
  describe.skipIf(skip)(skip ?? 'keeps its contract', () => {
    let database: Database;
    let remove: () => Promise<void>;
    beforeAll(async () => {
      ({ database, remove } = await open());
      await database.query('create table counters (name text primary key, value bigint not null default 0)');
      await database.query('create table entries (id int primary key, body jsonb)');
    });
    afterAll(async () => {
      await database.close();
      await remove();
    });

    it('gives the same types for the same columns', async () => {
      const [row] = await database.query(
        `select 7::int2 as a, 8::int4 as b, 9007199254740991::int8 as c, 1.5::numeric as d, 0.1::float8 as e,
                'text' as f, true as g, '2026-01-02 03:04:05.678+00'::timestamptz as h, '{"x": [1, "é"]}'::jsonb as i,
                '\\x00ff10'::bytea as j, array['a', 'b,"c'] as k, array[1, 2] as l, null as m, count(*) as n
           from (values (1), (2)) as v(x)`,
      );
      expect(row).toEqual({
        ...{ a: 7, b: 8, c: Number.MAX_SAFE_INTEGER, d: 1.5, e: 0.1, f: 'text', g: true },
        ...{ h: new Date('2026-01-02T03:04:05.678Z'), i: { x: [1, 'é'] }, j: new Uint8Array([0, 255, 16]) },
        ...{ k: ['a', 'b,"c'], l: [1, 2], m: null, n: 2 },
      });
      expect(Object.getPrototypeOf(row!['j'])).toBe(Uint8Array.prototype);
    });

    it('takes the same values as parameters', async () => {
      const date = new Date('2026-05-06T07:08:09.123Z');
      const [row] = await database.query(
        `select $1::int8 as a, $2::text as b, $3::bool as c, $4::timestamptz as d, $5::jsonb as e, $6::bytea as f,
                $7::text[] as g, $8::int8[]::text[] as h, $9::text as i, $10::jsonb as j, $11::float8 as k`,
        [
          ...[2 ** 40, "o'clock; --", false, date, { 'a"b': [1, { c: null }] }, new Uint8Array([1, 0, 2])],
          ...[['', 'NULL', '{}', 'a\\b'], [1, 2 ** 33], null, JSON.stringify([1, 'x']), -1e-300],
        ],
      );
      expect(row).toEqual({
        ...{ a: 2 ** 40, b: "o'clock; --", c: false, d: date, e: { 'a"b': [1, { c: null }] } },
        ...{ f: new Uint8Array([1, 0, 2]), g: ['', 'NULL', '{}', 'a\\b'], h: ['1', '8589934592'] },
        ...{ i: null, j: [1, 'x'], k: -1e-300 },
      });
    });

    it('tells what the database refused by its SQLSTATE', async () => {
      await database.query('insert into entries (id) values (1)');
      const refused = database.query('insert into entries (id) values (1)');
      await expect(refused).rejects.toMatchObject({ name: 'DatabaseError', sqlState: '23505' });
      await expect(database.query('select nothing')).rejects.toMatchObject({ sqlState: '42703' });
      await expect(database.query('selec 1')).rejects.toBeInstanceOf(DatabaseError);
      expect(await database.query('select 1 as one')).toEqual([{ one: 1 }]);
    });

    it('does all of a transaction, or none', async () => {
      const failed = database.tx(async (tx) => {
        await tx.query('insert into entries (id) values (10)');
        throw new Error('changed my mind');
      });
      await expect(failed).rejects.toThrow('changed my mind');
      expect(await database.query('select id from entries where id = 10')).toEqual([]);
      const answer = await database.tx(async (tx) => {
        await tx.query('insert into entries (id) values (10)');
        return tx.query('select count(*) as n from entries where id = 10');
      });
      expect(answer).toEqual([{ n: 1 }]);
      expect(await database.query('select id from entries where id = 10')).toEqual([{ id: 10 }]);
    });

    it('does none of a transaction that hides a refused statement', async () => {
      const hiding = database.tx(async (tx) => {
        await tx.query('insert into entries (id) values (20)');
        await tx.query('insert into entries (id) values (20)').catch(() => undefined);
      });
      await expect(hiding).rejects.toMatchObject({ sqlState: '23505' });
      expect(await database.query('select id from entries where id = 20')).toEqual([]);
    });

    it('lets one of many win a conditional update', async () => {
      await database.query("insert into counters (name) values ('lease')");
      const tries = Array.from({ length: 24 }, (_, node) =>
        database.query("update counters set value = $1 where name = 'lease' and value = 0 returning value", [
          node + 1,
        ]),
      );
      const winners = (await Promise.all(tries)).filter((rows) => rows.length === 1);
      expect(winners).toHaveLength(1);
      expect(await database.query("select value from counters where name = 'lease'")).toEqual(winners[0]);
    });

    it('loses nothing when transactions lock, read and write the same row', async () => {
      await database.query("insert into counters (name) values ('sum')");
      const add = () =>
        database.tx(async (tx) => {
          const [row] = await tx.query<{ value: number }>(
            "select value from counters where name = 'sum' for update",
          );
          await tx.query("update counters set value = $1 where name = 'sum'", [row!.value + 1]);
        });
      await Promise.all(Array.from({ length: 40 }, add));
      expect(await database.query("select value from counters where name = 'sum'")).toEqual([{ value: 40 }]);
    });

    it('runs again who was ended by a deadlock', { timeout: 60_000 }, async () => {
      await database.query("insert into counters (name) values ('left'), ('right')");
      const both = (first: string, second: string) =>
        database.tx(async (tx) => {
          for (const row of [first, second]) {
            await tx.query('update counters set value = value + 1 where name = $1', [row]);
            await tx.query('select pg_sleep(0.05)');
          }
        });
      await Promise.all(
        Array.from({ length: 2 }, (_, turn) => (turn % 2 ? both('left', 'right') : both('right', 'left'))),
      );
      const rows = await database.query("select value from counters where name in ('left', 'right')");
      expect(rows).toEqual([{ value: 2 }, { value: 2 }]);
    });

    it('is migrated once by many that start together, and refuses what it does not know', async () => {
      const fresh = await open();
      try {
        await Promise.all(Array.from({ length: 5 }, () => migrate(fresh.database)));
        const [applied] = await fresh.database.query<{ count: number; last: string }>(
          'select count(*) as count, max(name) as last from schema_migrations',
        );
        expect(applied!.count).toBeGreaterThanOrEqual(2);
        const before = await fresh.database.query('select * from schema_migrations order by name');
        await migrate(fresh.database);
        expect(await fresh.database.query('select * from schema_migrations order by name')).toEqual(before);

        await fresh.database.query(
          "insert into schema_migrations (name, sha256) values ('999-later.sql', '')",
        );
        await expect(migrate(fresh.database)).rejects.toBeInstanceOf(UnknownSchema);
        await fresh.database.query("delete from schema_migrations where name = '999-later.sql'");
        await fresh.database.query(
          "update schema_migrations set sha256 = 'other' where name = '001-initial.sql'",
        );
        await expect(migrate(fresh.database)).rejects.toThrow(/other text/);
        await fresh.database.close();
        await expect(fresh.database.query('select 1')).rejects.toBeInstanceOf(DatabaseUnavailable);
      } finally {
        await fresh.remove();
      }
    });
  });
});

describe.skipIf(missing)(missing ?? 'the pool of PostgreSQL connections', () => {
  it('lets statements wait for a connection, and says so when none comes', async () => {
    const database = await openPostgres(await running().database(), { maxConnections: 2, patienceMs: 1_500 });
    try {
      const many = Array.from({ length: 20 }, () => database.query('select pg_sleep(0.01)'));
      await expect(Promise.all(many)).resolves.toHaveLength(20);

      let free = () => {};
      const held = new Promise<void>((resolve) => {
        free = resolve;
      });
      const hogs = [1, 2].map(() => database.tx(() => held));
      await expect(database.query('select 1')).rejects.toBeInstanceOf(DatabaseUnavailable);
      free();
      await Promise.all(hogs);
      expect(await database.query('select 1 as one')).toEqual([{ one: 1 }]);
    } finally {
      await database.close();
    }
  });

  it('says that the server is gone, and works again once it is back', { timeout: 60_000 }, async () => {
    const database = await openPostgres(await running().database(), { patienceMs: 5_000 });
    try {
      await database.query('create table kept (id int primary key)');
      await database.query('insert into kept values (1)');
      const broken = database.tx(async (tx) => {
        await tx.query('insert into kept values (2)');
        await running().crash();
        await tx.query('insert into kept values (3)');
      });
      await expect(broken).rejects.toBeInstanceOf(DatabaseUnavailable);
      await expect(database.query('select 1')).rejects.toThrow(/cannot be reached/);
      await running().resume();
      const rows = await eventually('the database to answer', () =>
        database.query('select id from kept').catch(() => undefined),
      );
      expect(rows).toEqual([{ id: 1 }]);
    } finally {
      await database.close();
    }
  });

  it('never tells the password', async () => {
    const secret = 'correct-horse';
    const errors = await Promise.all(
      [`postgres://someone:${secret}@127.0.0.1:1/nothing`, `postgre://${secret}@x/y`].map((url) =>
        openPostgres(url).then(
          () => new Error('It opened.'),
          (error: unknown) => error as Error,
        ),
      ),
    );
    expect(errors[0]).toBeInstanceOf(DatabaseUnavailable);
    expect(errors[0]!.message).toContain('127.0.0.1:1/nothing');
    expect(errors[1]).toBeInstanceOf(TypeError);
    for (const error of errors) {
      expect(`${error.message} ${JSON.stringify(error)} ${error.stack ?? ''}`).not.toContain(secret);
    }
  });
});
