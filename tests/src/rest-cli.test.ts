import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Task } from '@starling/protocol';
import type { AuditVerification, Caller, Member } from '@starling/protocol/api';
import { clientOf } from './testing/client.ts';
import { startServer } from '@starling/server';
import { forecastThreads } from '@starling/simulator/simulation';
import { Admin, tinyModel, tinyPlan } from './testing/project.ts';
import { temporaryDirectory, testServer, type TestServer } from './testing/servers.ts';

/** The command line does what REST does, and says it to people and to scripts. */

const main = fileURLToPath(new URL('../../cli/dist/main.js', import.meta.url));

let world: TestServer;
let place: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeAll(async () => {
  world = await testServer({ forecaster: forecastThreads() });
  place = await temporaryDirectory();
});
afterAll(async () => {
  await world.close();
  await place.remove();
});

interface Run {
  status: number | null;
  out: string;
  err: string;
}

async function starling(args: string[], key = world.admin.key): Promise<Run> {
  const child = spawn(process.execPath, [main, ...args], {
    cwd: place.path,
    env: { ...process.env, STARLING_URL: world.server.url, STARLING_KEY: key },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const run: Run = { status: null, out: '', err: '' };
  child.stdout.on('data', (chunk: Buffer) => (run.out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (run.err += chunk.toString()));
  [run.status] = (await once(child, 'close')) as [number | null];
  return run;
}

async function json<T>(...args: string[]): Promise<T> {
  const { status, out, err } = await starling([...args, '--json']);
  expect(status, err).toBe(0);
  return JSON.parse(out) as T;
}

async function file(name: string, content: unknown): Promise<string> {
  const path = join(place.path, name);
  await writeFile(path, JSON.stringify(content));
  return path;
}

describe('starling, the command', { timeout: 300_000 }, () => {
  it('takes a task from its file through its life to a downloaded model', async () => {
    const { digest } = await json<{ digest: string }>('models', 'upload', await file('ir.json', tinyModel));
    const request = { name: 'by hand', model: digest, plan: tinyPlan() };
    const path = await file('task.json', request);
    const bad = await file('bad.json', { ...request, plan: { ...request.plan, rounds: 0 } });
    const refused = await starling(['tasks', 'validate', bad]);
    expect(refused).toMatchObject({ status: 1 });
    expect(refused.out).toContain('/plan/rounds');
    expect(await starling(['tasks', 'validate', path])).toMatchObject({ status: 0 });
    const forecast = await starling(['tasks', 'forecast', path, '--devices', '30', '--fleet', 'ideal']);
    expect(forecast).toMatchObject({ status: 0 });
    expect(forecast.out).toMatch(/assumed +30 devices with 100 examples each; fleet "ideal"/);
    const task = await json<Task>('tasks', 'create', path);
    const started = await starling(['tasks', 'start', task.id]);
    expect(started.out).toMatch(/state +running/);
    const list = await starling(['tasks', 'list']);
    expect(list.out.split('\n')[0]).toMatch(/^id +name +state/);
    expect(list.out).toContain(task.id);
    const rounds = await json<{ items: { id: string }[] }>('tasks', 'rounds', task.id);
    const round = rounds.items[0]?.id ?? '';
    expect((await starling(['rounds', 'anatomy', round])).out).toMatch(/selected +0/);
    await json('rounds', 'extend', round, '60');
    await json('rounds', 'abort', round);
    expect(await json<Task>('tasks', 'cancel', task.id)).toMatchObject({ state: 'cancelled' });
    await json('versions', 'promote', task.currentVersion, '--note', 'first');
    const out = join(place.path, 'w.safetensors');
    await json('versions', 'download', task.currentVersion, '--out', out);
    const bytes = await clientOf(world.admin).download(task.currentVersion, 'safetensors');
    expect(new Uint8Array(await readFile(out))).toEqual(bytes);
  });

  it('makes keys that can do less, and says what they cannot', async () => {
    const made = await json<{ id: string; secret: string }>('keys', 'create', 'reader', '--role', 'viewer');
    const who = await starling(['whoami', '--json'], made.secret);
    expect((JSON.parse(who.out) as Caller).key).toMatchObject({ id: made.id, role: 'viewer' });
    const refused = await starling(['keys', 'list'], made.secret);
    expect(refused.status).toBe(1);
    expect(refused.err).toContain('[forbidden]');
    const byFile = join(place.path, 'key');
    await writeFile(byFile, `${made.secret}\n`);
    expect((await starling(['whoami', '--key-file', byFile], '')).out).toContain('viewer');
    const without = await starling(['whoami'], '');
    expect(without).toMatchObject({ status: 1 });
    expect(without.err).toContain('STARLING_KEY');
  });

  it('verifies the audit log, and ends with status 1 when it does not hold what was kept', async () => {
    const { head } = await json<AuditVerification>('audit', 'verify');
    const kept = await starling(['audit', 'verify', '--head', `${head.sequence}:${head.hash}`]);
    expect(kept).toMatchObject({ status: 0 });
    const other = await starling(['audit', 'verify', '--head', `${head.sequence}:${'0'.repeat(64)}`]);
    expect(other).toMatchObject({ status: 1 });
    expect(other.out).toContain('written anew');
  });

  it('invites people, changes what they may do, and removes them', async () => {
    const invited = await json<Member>('members', 'invite', 'ada@example.com', '--role', 'operator');
    expect(invited).toMatchObject({ email: 'ada@example.com', role: 'operator', joinedAt: null });
    expect(await json<Member>('members', 'role', invited.id, 'viewer')).toMatchObject({ role: 'viewer' });
    const removed = await json<Member>('members', 'remove', invited.id);
    expect(Date.parse(removed.removedAt ?? '')).not.toBeNaN();
    expect((await starling(['members', 'list'])).out).toContain('ada@example.com');
    const refused = await starling(['members', 'invite', 'ada@example.com', '--role', 'server']);
    expect(refused).toMatchObject({ status: 1, out: '' });
    expect(refused.err).toContain('[invalid-request]');
  });

  it('says what is wrong with a cluster, and ends with status 1', async () => {
    const told = await starling(['cluster', 'doctor', 'http://127.0.0.1:9']);
    expect(told).toMatchObject({ status: 1, err: '' });
    expect(told.out).toMatch(/^FAILED {3}answers {4}Ray at http:\/\/127\.0\.0\.1:9 does not answer/);
    const { status, out } = await starling(['cluster', 'doctor', 'http://127.0.0.1:9', '--json']);
    expect(status).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ healthy: false, ray: null, runs: [] });
    const shell = await starling(['cluster', 'doctor', 'http://127.0.0.1:9', '--python', 'python; id']);
    expect(shell).toMatchObject({ status: 1, out: '' });
    expect(shell.err).toContain('letters, digits');
  });

  it('makes a new server key of a stopped server only, and the audit log says so', async () => {
    const directory = await temporaryDirectory();
    const options = { dataDirectory: directory.path, logLevel: 'silent' as const };
    const recover = () => starling(['keys', 'recover', '--data-dir', directory.path]);
    const nothing = await recover();
    expect(nothing).toMatchObject({ status: 1, out: '' });
    expect(nothing.err).toContain('There is no server in');
    const first = await startServer(options);
    const running = await recover();
    expect(running).toMatchObject({ status: 1, out: '' });
    await first.close();
    const { status, out, err } = await recover();
    expect(status, err).toBe(0);
    const secret = /sk_[\w-]{43}/.exec(out)?.[0] ?? '';
    const again = await startServer(options);
    const client = clientOf(new Admin(again.url, secret));
    const { key } = await client.call('getCaller');
    expect(key).toMatchObject({ name: 'recovered key', role: 'server' });
    const { items } = await client.call('listAudit', { query: { action: 'recoverKey' } });
    expect(items).toMatchObject([{ keyId: key?.id, object: key?.id, outcome: { status: 200 } }]);
    expect(await client.call('verifyAudit')).toMatchObject({ intact: true });
    await again.close();
    await directory.remove();
  });
});
