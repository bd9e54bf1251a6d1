import { PGlite } from '@electric-sql/pglite';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { Statements } from './pglite-statements.ts';

const database = await PGlite.create();
let now = 0;
let statements: Statements;

const kept = async () => {
  const { rows } = await database.query<{ statement: string }>(
    'select statement from pg_prepared_statements order by prepare_time, name',
  );
  return rows.map(({ statement }) => statement);
};

beforeEach(async () => {
  await database.exec('deallocate all; drop table if exists things');
  await database.exec(
    `create table things (id text primary key, counts int[], facts jsonb, seen timestamptz, size bigint, raw bytea)`,
  );
  now = 0;
  statements = new Statements(database, () => now);
});
afterAll(() => database.close());

describe('prepared statements of PGlite', () => {
  it('take and give what query does', async () => {
    const seen = new Date('2026-03-01T12:00:00Z');
    const insert = 'insert into things values ($1, $2, $3, $4, $5, $6) returning *';
    const [row] = await statements.run(insert, ['a', [1, 2], { b: [3] }, seen, 7, new Uint8Array([0, 255])]);
    expect(row).toEqual((await database.query('select * from things')).rows[0]);
    expect(row).toMatchObject({ id: 'a', counts: [1, 2], facts: { b: [3] }, seen, size: 7 });
    expect(await statements.run(insert, ['b', null, null, null, undefined, null])).toEqual([
      { id: 'b', counts: null, facts: null, seen: null, size: null, raw: null },
    ]);
    expect(
      await statements.run('select id from things where id = any($1) order by id', [['a', 'b']]),
    ).toEqual([{ id: 'a' }, { id: 'b' }]);
  });

  it('are prepared once', async () => {
    for (const id of ['a', 'b', 'c']) await statements.run('select * from things where id = $1', [id]);
    expect(await kept()).toEqual(['select * from things where id = $1']);
  });

  it('say what went wrong, and leave a clean connection', async () => {
    const insert = 'insert into things (id) values ($1)';
    await statements.run(insert, ['a']);
    await expect(statements.run(insert, ['a'])).rejects.toMatchObject({ code: '23505' });
    await expect(statements.run('selec $1', ['a'])).rejects.toMatchObject({ code: '42601' });
    await statements.run(insert, ['b']);
    expect(await statements.run('select count(*)::int as n from things', [])).toEqual([{ n: 2 }]);
  });

  it('can end a transaction in which one of them failed', async () => {
    const insert = 'insert into things (id) values ($1)';
    await statements.run('begin', []);
    await statements.run(insert, ['a']);
    await expect(statements.run(insert, ['a'])).rejects.toMatchObject({ code: '23505' });
    await expect(statements.run('select 1', [])).rejects.toMatchObject({ code: '25P02' });
    await statements.run('rollback', []);
    expect(await statements.run('select id from things', [])).toEqual([]);
  });

  it('follow a change of the schema', async () => {
    await statements.run("insert into things (id) values ('a')", []);
    await statements.run('select id, counts from things', []);
    await statements.run('alter table things alter column counts type text', []);
    await statements.run('select * from things', []);
    await statements.run('alter table things add column colour text', []);
    expect(await statements.run('select id, counts from things', [])).toEqual([{ id: 'a', counts: null }]);
    expect(await statements.run('select * from things', [])).toMatchObject([{ id: 'a', colour: null }]);
  });

  it('are planned anew when a minute is over: tables grow', async () => {
    await statements.run('select 1 as one', []);
    now = 59_999;
    await statements.run('select 2 as two', []);
    expect(await kept()).toEqual(['select 1 as one', 'select 2 as two']);
    now = 60_000;
    await statements.run('select 2 as two', []);
    expect(await kept()).toEqual(['select 2 as two']);
  });

  it('are no more than five hundred', async () => {
    for (let n = 0; n < 510; n++) await statements.run(`select ${n} as n`, []);
    expect((await kept()).length).toBe(10);
  });
});
