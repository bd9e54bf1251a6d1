import { cp, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProjectId, Task } from '@starling/protocol';
import type { ServerOptions } from '@starling/server';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { OtlpReceiver, type ReceivedSpan } from './testing/otlp-receiver.ts';
import { Admin, eventually } from './testing/project.ts';
import { RawDevice, sha256, updateFile } from './testing/raw-device.ts';
import {
  databaseTemplate,
  ServerProcess,
  temporaryDirectory,
  testServer,
  type TestServer,
} from './testing/servers.ts';
import { slowPart } from './testing/slow-part.ts';
import { completed, runTask } from './testing/tasks.ts';

let template: Awaited<ReturnType<typeof databaseTemplate>>;
beforeAll(async () => {
  template = await databaseTemplate();
}, 240_000);
afterAll(() => template.remove());

/** A server on a copy of the template: creating a database takes seconds. */
async function start(options: Partial<ServerOptions> = {}): Promise<TestServer & { data: string }> {
  const directory = await temporaryDirectory();
  await cp(template.path, directory.path, { recursive: true });
  const { server, close } = await testServer({ ...options, dataDirectory: directory.path });
  return {
    server,
    data: directory.path,
    admin: new Admin(server.url, template.key),
    close: async () => {
      await close();
      await directory.remove();
    },
  };
}

const metrics = { host: '127.0.0.1', port: 0 };

async function scrape({ server }: TestServer): Promise<string> {
  const answer = await fetch(server.metricsUrl ?? '');
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-type')).toContain('text/plain');
  return answer.text();
}

/** The value of a series, by its name and labels as they are written. */
function valueOf(text: string, series: string): number | undefined {
  const line = text.split('\n').find((each) => each.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

/** A round of three devices that goes well; a fourth says no. */
async function wholeRound(world: TestServer): Promise<{ task: Task; devices: RawDevice[] }> {
  const token = await world.admin.enrolmentToken();
  const enrolled = await Promise.all(
    Array.from({ length: 4 }, () => RawDevice.enrolled(world.server.url, token)),
  );
  for (const device of enrolled) await device.assignment(); // present from here
  const task = await runTask(world.admin, { cohort: { goal: 3, minimum: 3, overSelection: 4 / 3 } });
  const offers = await Promise.all(
    enrolled.map((device) => eventually('an offer', async () => (await device.assignment()) ?? undefined)),
  );
  const [refusing, ...training] = enrolled;
  await refusing!.say(offers[0]!.id, 'accept');
  for (const [index, device] of training.entries()) await device.say(offers[index + 1]!.id, 'accept');
  await refusing!.say(offers[0]!.id, 'fail', { reason: 'diverged' });
  await Promise.all(
    training.map(async (device, index) => {
      const offer = offers[index + 1]!;
      const update = updateFile(offer);
      await device.say(offer.id, 'begin');
      await device.say(offer.id, 'ready', { digest: sha256(update), bytes: update.length });
      const uploads = await device.upload(offer.id, update);
      expect(uploads.status).toBe(200);
    }),
  );
  await completed(world.admin, task);
  return { task, devices: enrolled };
}

describe('metrics', { timeout: 120_000 }, () => {
  it('do not take an upload that a device breaks off for a failure of the server', async () => {
    const world = await start({ metrics });
    try {
      const device = await RawDevice.enrolled(world.server.url, await world.admin.enrolmentToken());
      await device.assignment();
      await runTask(world.admin, { cohort: { goal: 1, minimum: 1, overSelection: 1 } });
      const offer = await eventually('an offer', async () => (await device.assignment()) ?? undefined);
      const update = updateFile(offer, { parameters: { 0: 1 } });
      await device.reachUpload(offer, update);
      const part = slowPart(world.server.url, device, offer.id, update);
      await eventually('the upload', async () => {
        return valueOf(await scrape(world), 'starling_uploads_in_progress') === 1 || undefined;
      });
      await part.breakOff();
      const text = await eventually('its end', async () => {
        const now = await scrape(world);
        return now.includes('starling_uploads_total{') ? now : undefined;
      });
      expect(valueOf(text, 'starling_uploads_total{outcome="broken-off"}')).toBe(1);
      expect(text).not.toContain('outcome="failed"');
    } finally {
      await world.close();
    }
  });

  it('tell what a round came to, by names that are the same for every tenant', async () => {
    const world = await start({ metrics });
    try {
      const { task, devices } = await wholeRound(world);
      const text = await eventually('the round to be counted', async () => {
        const now = await scrape(world);
        return now.includes('starling_rounds_ended_total{') ? now : undefined;
      });
      const expected: [string, number][] = [
        ['starling_rounds_ended_total{kind="training",outcome="published",reason=""}', 1],
        ['starling_assignments_ended_total{kind="training",end="counted",reason=""}', 3],
        ['starling_assignments_ended_total{kind="training",end="dropped",reason="training-failed"}', 1],
        ['starling_round_duration_seconds_count{kind="training",outcome="published"}', 1],
        ['starling_uploads_total{outcome="received"}', 3],
        ['starling_uploads_in_progress', 0],
        ['starling_cluster_read_success', 1],
        ['starling_nodes_alive', 1],
        ['starling_round_overdue_seconds', 0],
        ['starling_ready{check="database"}', 1],
        [
          'starling_http_requests_total{method="PATCH",route="/v1/device/assignments/:id/update",status="200"}',
          3,
        ],
      ];
      for (const [series, value] of expected) expect(valueOf(text, series), series).toBe(value);
      for (const phase of ['selecting', 'training', 'aggregating', 'publishing']) {
        const series = `starling_round_phase_duration_seconds_count{kind="training",phase="${phase}"}`;
        expect(valueOf(text, series), series).toBe(1);
      }
      expect(valueOf(text, 'starling_upload_bytes_total')).toBeGreaterThan(3 * 15 * 4);
      expect(valueOf(text, 'nodejs_eventloop_lag_seconds')).toBeGreaterThanOrEqual(0);
      for (const id of [task.id, task.model, ...devices.map(({ deviceId }) => deviceId)])
        expect(text).not.toContain(id);
      for (const secret of [world.admin.key, ...devices.map(({ token }) => token)])
        expect(text).not.toContain(secret);
    } finally {
      await world.close();
    }
  });

  it('of rounds under way and tasks come from the database, so a node that did nothing knows them', async () => {
    const world = await start({ metrics });
    try {
      const task = await runTask(world.admin, {});
      const text = await scrape(world);
      expect(valueOf(text, 'starling_tasks{state="running"}')).toBe(1);
      expect(valueOf(text, 'starling_rounds_under_way{kind="training",state="selecting"}')).toBe(1);
      expect(valueOf(text, 'starling_rounds_ended_total')).toBeUndefined();
      await world.admin.post(`/v1/tasks/${task.id}/cancel`);
      const after = await eventually('the abandoned round to be counted', async () => {
        const now = await scrape(world);
        return now.includes('starling_rounds_ended_total{') ? now : undefined;
      });
      expect(
        valueOf(
          after,
          'starling_rounds_ended_total{kind="training",outcome="abandoned",reason="task-cancelled"}',
        ),
      ).toBe(1);
    } finally {
      await world.close();
    }
  });

  it('are on a port of their own, and nowhere else', async () => {
    const world = await start({ metrics });
    const silent = await start();
    try {
      const { status } = await world.admin.call('GET', '/metrics');
      expect(status).toBe(404);
      const elsewhere = new URL('/v1/tasks', world.server.metricsUrl);
      expect((await fetch(elsewhere)).status).toBe(404);
      expect((await fetch(world.server.metricsUrl ?? '', { method: 'POST' })).status).toBe(404);
      expect(silent.server.metricsUrl).toBeUndefined();
    } finally {
      await world.close();
      await silent.close();
    }
  });

  it('have a route pattern for every request, also for those that no route takes', async () => {
    const world = await start({ metrics });
    try {
      await world.admin.call('GET', '/nowhere/at/all');
      const nobody = 'prj_' as ProjectId;
      await world.admin.call('GET', `/v1/projects/${nobody}${'A'.repeat(22)}`);
      const text = await scrape(world);
      expect(valueOf(text, 'starling_http_requests_total{method="GET",route="none",status="404"}')).toBe(1);
      expect(text).toContain('route="/v1/projects/:id"');
      expect(text).not.toContain('nowhere');
      expect(text).not.toContain('A'.repeat(22));
    } finally {
      await world.close();
    }
  });
});

describe('readiness', { timeout: 120_000 }, () => {
  it('says what is missing, and liveness does not care', async () => {
    const world = await start();
    const ready = async () => (await fetch(`${world.server.url}/readyz`)).status;
    const uploads = join(world.data, 'uploads');
    try {
      expect(await ready()).toBe(200);
      await rename(uploads, `${uploads}-gone`);
      await eventually('the loss to be noticed', async () => ((await ready()) === 503 ? true : undefined));
      const { body } = await world.admin.call('GET', '/readyz');
      expect(body).toMatchObject({ ready: false, reasons: ['uploads: no good answer within 2000 ms'] });
      expect((await fetch(`${world.server.url}/healthz`)).status).toBe(200);
      await rename(`${uploads}-gone`, uploads);
      await eventually('the return to be noticed', async () => ((await ready()) === 200 ? true : undefined));
    } finally {
      await world.close();
    }
  });

  it('ends before the server does, which serves on until then', async () => {
    const world = await start();
    const ready = async () => (await fetch(`${world.server.url}/readyz`)).status;
    expect(await ready()).toBe(200);
    vi.useFakeTimers({ toFake: ['setTimeout'] });
    const closing = world.server.close({ drainMs: 3_600_000 });
    expect(await ready()).toBe(503);
    expect((await world.admin.call('GET', '/v1/tasks')).status).toBe(200);
    await vi.advanceTimersByTimeAsync(3_600_000);
    vi.useRealTimers();
    await closing;
    await expect(ready()).rejects.toThrow();
    await world.close().catch(() => undefined); // removes its directory; the server is closed
  });
});

describe('a server process that is told to end', () => {
  it(
    'says that it is not ready, serves on while it drains, and ends by itself',
    { timeout: 120_000 },
    async () => {
      const process = await ServerProcess.onCopyOf(template.path);
      try {
        await process.start(undefined, ['--drain-seconds', '8']);
        const status = async (path: string) => (await fetch(`${process.url}${path}`)).status;
        expect(await status('/readyz')).toBe(200);
        process.terminate();
        await eventually('the drain', async () => ((await status('/readyz')) === 503 ? true : undefined));
        expect(await status('/healthz')).toBe(200);
        expect(await process.ended()).toBe(0);
      } finally {
        await process.kill();
        await process.remove();
      }
    },
  );
});

describe('traces', { timeout: 120_000 }, () => {
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  const traceId = '0af7651916cd43dd8448eb211c80319c';
  const caller = 'b7ad6b7169203331';

  it('follow a request into its round and the database, under the trace of a caller that is trusted', async () => {
    const receiver = await OtlpReceiver.start();
    for (const [name, value] of Object.entries(receiver.environment)) vi.stubEnv(name, value);
    const world = await start({ trustTraceparent: true });
    let devices: RawDevice[];
    try {
      await world.admin.call('GET', '/v1/tasks', undefined, { traceparent: `00-${traceId}-${caller}-01` });
      ({ devices } = await wholeRound(world));
    } finally {
      await world.close(); // exports the rest
      receiver.close();
    }
    const { spans } = receiver;
    const byId = new Map(spans.map((span) => [span.spanId, span]));
    const above = (span: ReceivedSpan): string[] => {
      const parent = byId.get(span.parentSpanId ?? '');
      return parent ? [parent.name, ...above(parent)] : [];
    };
    const called = spans.filter((span) => span.traceId === traceId);
    const [request] = called.filter(({ name }) => name === 'GET /v1/tasks');
    expect(request?.parentSpanId).toBe(caller);
    expect(
      called.some((span) => span.name === 'database query' && above(span).includes('GET /v1/tasks')),
    ).toBe(true);
    const upload = 'PATCH /v1/device/assignments/:id/update';
    const find = (name: string) => spans.filter((span) => span.name === name);
    expect(find('update fold').map((span) => above(span))).toEqual([[upload], [upload], [upload]]);
    expect(find('round select').some((span) => above(span).includes('POST /v1/tasks/:id/start'))).toBe(true);
    expect(find('round group').length).toBeGreaterThan(0);
    const [publish] = find('round publish');
    expect(publish && above(publish)).toContain('round close');
    const inPublish = find('database transaction').filter((span) => above(span).includes('round publish'));
    expect(inPublish.length).toBeGreaterThan(0);
    for (const secret of [world.admin.key, ...devices.map(({ token }) => token)])
      expect(receiver.text).not.toContain(secret);
    for (const { deviceId } of devices) expect(receiver.text).not.toContain(deviceId);
  });

  it('take no trace from a stranger', async () => {
    const receiver = await OtlpReceiver.start();
    for (const [name, value] of Object.entries(receiver.environment)) vi.stubEnv(name, value);
    const world = await start();
    await world.admin.call('GET', '/v1/tasks', undefined, { traceparent: `00-${traceId}-${caller}-01` });
    await world.close();
    receiver.close();
    const [request] = receiver.spans.filter(({ name }) => name === 'GET /v1/tasks');
    expect(request?.traceId).not.toBe(traceId);
    expect(request?.parentSpanId ?? '').toBe('');
  });

  it('are refused by a name of an exporter that there is none for', async () => {
    vi.stubEnv('OTEL_TRACES_EXPORTER', 'zipkin');
    await expect(start()).rejects.toThrow('expected otlp or none');
  });
});
