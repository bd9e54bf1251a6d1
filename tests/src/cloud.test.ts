import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Plan, Round, Task } from '@starling/protocol';
import type { Job, JobLog } from '@starling/protocol/api';
import { LocalBackend } from '@starling/server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, finished, judged, versionsOf, warmStart } from './testing/jobs.ts';
import { Admin, eventually, tinyPlan } from './testing/project.ts';
import { RawDevice, updateFile } from './testing/raw-device.ts';
import {
  databaseTemplate,
  ServerProcess,
  temporaryDirectory,
  testServer,
  type TestServer,
} from './testing/servers.ts';
import { wheelPack } from './testing/wheel-pack.ts';

/** Training in the cloud as an operator sees it: a server, its jobs with our own engine, a task that goes on from them. */
const program = fileURLToPath(import.meta.resolve('@starling/simulator/job-process'));
const work = warmStart;

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let server: TestServer;
let admin: Admin;
/** Programs that tests write: run for `torch`, and for `mindspore`. */
let careless: string;
let moody: string;
beforeAll(async () => {
  directory = await temporaryDirectory();
  careless = join(directory.path, 'careless.mjs');
  moody = join(directory.path, 'moody.mjs');
  await wheelPack(join(directory.path, 'wheel'));
  const programs = {
    embedded: [process.execPath, program],
    torch: [process.execPath, careless],
    mindspore: [process.execPath, moody],
  };
  const dataSets = { wheel: join(directory.path, 'wheel') };
  server = await testServer({ cloud: { backends: [new LocalBackend({ programs })], dataSets } });
  admin = server.admin;
}, 60_000);
afterAll(async () => {
  await server.close();
  await directory.remove();
});

describe('a job of training in the cloud', { timeout: 60_000 }, () => {
  it('gives a task a warm start: its weights become the next version, with the job in their lineage', async () => {
    const task = await admin.tinyTask();
    const before = await judged(admin, task);
    const job = await finished(admin, await ask(admin, task, work));
    expect(job).toMatchObject({
      state: 'succeeded',
      backend: 'local',
      attempts: 1,
      baseVersion: task.currentVersion,
    });
    const [version] = await versionsOf(admin, task);
    expect(version).toMatchObject({
      id: job.publishedVersion,
      number: 1,
      parent: task.currentVersion,
      job: job.id,
      round: null,
    });
    expect((await admin.get<Task>(`/v1/tasks/${task.id}`)).currentVersion).toBe(version!.id);
    expect(before).toBeLessThan(0.7);
    expect(await judged(admin, task)).toBeGreaterThan(0.95);
    const log = await admin.get<JobLog>(`/v1/jobs/${job.id}/log?from=0`);
    expect(log.text.trim().split('\n')).toHaveLength(30);
    expect((await admin.get<JobLog>(`/v1/jobs/${job.id}/log?from=${log.next}`)).text).toBe('');
  });

  it('learns the same from the same seed', async () => {
    const digests: string[] = [];
    for (const seed of [5, 5, 6]) {
      const task = await admin.tinyTask();
      await finished(
        admin,
        await ask(admin, task, {
          ...work,
          seed,
          training: { ...work.training, cohort: { goal: 2 } },
        }),
      );
      digests.push((await versionsOf(admin, task))[0]!.digest);
    }
    expect(digests[1]).toBe(digests[0]);
    expect(digests[2]).not.toBe(digests[0]);
  });

  it('simulates a plan on virtual devices from the weights of the task, and leaves the report as its metrics', async () => {
    const task = await admin.tinyTask();
    const plan = { ...task.plan, rounds: 5 };
    const simulation = {
      kind: 'simulate',
      data: 'wheel',
      training: { plan, fleet: 'ideal', fold: 0 },
    } as const;
    const job = await finished(admin, await ask(admin, task, { ...work, ...simulation }));
    expect(job).toMatchObject({ state: 'succeeded', publishedVersion: null });
    expect(job.metrics).toMatchObject({
      ...{ outcome: 'completed', devices: 3, heldOut: 3, fleet: 'ideal' },
      forecast: { rounds: { published: 5, abandoned: 0 }, counted: 15 },
      final: { devices: 3 },
    });
    expect(await versionsOf(admin, task)).toHaveLength(1);
    const hybridOn = (data: string) => ({
      ...{ ...work, ...simulation },
      training: {
        ...simulation.training,
        plan: { ...plan, hybrid: { everyRounds: 2, work: { ...work, data } } },
      },
    });
    const hybrid = await finished(admin, await ask(admin, task, hybridOn('wheel')));
    expect(hybrid).toMatchObject({ state: 'succeeded', metrics: { steps: [{ after: 2 }, { after: 4 }] } });
    const secret = await admin.call('POST', `/v1/tasks/${task.id}/jobs`, { work: hybridOn('secrets') });
    expect(secret.body).toMatchObject({ code: 'not-found' });
    const wanting = { plan: { ...plan, cohort: { ...plan.cohort, goal: 9, minimum: 9 } } };
    const refused = await finished(
      admin,
      await ask(admin, task, { ...work, ...simulation, training: wanting }),
    );
    expect(refused.message).toContain('simulation-too-few-devices');
  });

  it('refuses what the operator does not offer, and what cannot run', async () => {
    const task = await admin.tinyTask();
    const refused = async (changes: object) =>
      (await admin.call('POST', `/v1/tasks/${task.id}/jobs`, { work: { ...work, ...changes } })).body;
    expect(await refused({ data: 'secrets' })).toMatchObject({ code: 'not-found' });
    expect(await refused({ data: '../etc' })).toMatchObject({ code: 'invalid-request' });
    expect(await refused({ workers: 4096 })).toMatchObject({ code: 'job-not-feasible' });
    expect(await refused({ device: 'npu', devicesPerWorker: 1 })).toMatchObject({ code: 'job-not-feasible' });
    expect(await refused({ backend: 'moon' })).toMatchObject({ code: 'not-found' });
    const job = await finished(admin, await ask(admin, task, { ...work, users: ['nobody'] }));
    expect(job.state).toBe('failed');
    expect(job.message).toContain('pack-unknown-user');
    const odd = await finished(admin, await ask(admin, task, { ...work, training: { rounds: 0 } }));
    expect(odd.message).toContain('job-invalid: training');
    expect(await versionsOf(admin, task)).toHaveLength(1);
  });

  it('changes nothing when what it left is not of the model, or is not finite', async () => {
    const leave = (weights: string) =>
      writeFile(
        careless,
        `import { readFileSync, writeFileSync } from 'node:fs';
         const job = JSON.parse(readFileSync(process.argv[process.argv.indexOf('--config') + 1], 'utf8'));
         const file = readFileSync(job.weightsIn);
         ${weights}
         writeFileSync(job.metricsOut, '{}'); process.exit(0);`,
      );
    const task = await admin.tinyTask();
    for (const [weights, why] of [
      ['file.writeFloatLE(NaN, file.length - 4); writeFileSync(job.weightsOut, file);', 'NaN'],
      ['writeFileSync(job.weightsOut, file.subarray(0, -4));', 'not those of the model'],
      ['', 'cannot be read'],
    ] as const) {
      await leave(weights);
      const job = await finished(admin, await ask(admin, task, { ...work, framework: 'torch' }));
      expect(job.state).toBe('failed');
      expect(job.message).toContain(why);
    }
    expect((await admin.get<Task>(`/v1/tasks/${task.id}`)).currentVersion).toBe(task.currentVersion);
    expect(await versionsOf(admin, task)).toHaveLength(1);
  });

  it('learns from a teacher of the project, and from nobody else', async () => {
    await writeFile(
      careless,
      `import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
       const job = JSON.parse(readFileSync(process.argv[process.argv.indexOf('--config') + 1], 'utf8'));
       copyFileSync(job.teacher.weights, job.weightsOut);
       const { name } = JSON.parse(readFileSync(job.teacher.model, 'utf8'));
       writeFileSync(job.metricsOut, JSON.stringify({ kind: job.kind, teacher: name })); process.exit(0);`,
    );
    const master = await admin.tinyTask({}, 'master');
    const teacher = (await finished(admin, await ask(admin, master, work))).publishedVersion!;
    const student = await admin.tinyTask({ seed: 9 });
    const lesson = { ...work, kind: 'distil', framework: 'torch', teacher } as Job['work'];
    const job = await finished(admin, await ask(admin, student, lesson));
    expect(job).toMatchObject({ state: 'succeeded', metrics: { kind: 'distil', teacher: 'master' } });
    const [taught] = await versionsOf(admin, student);
    expect(taught).toMatchObject({ id: job.publishedVersion, job: job.id, parent: student.currentVersion });
    expect(taught!.digest).toBe((await versionsOf(admin, master))[0]!.digest);
    const refusal = async (changes: object) =>
      (await admin.call('POST', `/v1/tasks/${student.id}/jobs`, { work: { ...lesson, ...changes } })).body;
    expect(await refusal({ teacher: undefined })).toMatchObject({ code: 'invalid-request' });
    expect(await refusal({ kind: 'warm-start' })).toMatchObject({ code: 'invalid-request' });
    expect(await refusal({ framework: 'embedded' })).toMatchObject({ code: 'job-not-feasible' });
    const project = await admin.post<{ id: string }>('/v1/projects', { name: 'strangers' });
    const stranger = new Admin(admin.url, admin.key, project.id);
    const foreign = (await stranger.tinyTask()).currentVersion;
    expect(await refusal({ teacher: foreign })).toMatchObject({ code: 'not-found' });
    const plan = tinyPlan({ hybrid: { everyRounds: 1, work: { ...lesson, teacher: foreign } } });
    const task = await admin.call('POST', '/v1/tasks', { name: 'spy', model: student.model, plan });
    expect(task.body).toMatchObject({ code: 'not-found' });
  });

  it('does not train a task that is in the middle of its rounds', async () => {
    const task = await admin.tinyTask();
    const job = await ask(admin, task, {
      ...work,
      training: { ...work.training, rounds: 3000 },
    });
    await admin.post(`/v1/tasks/${task.id}/start`);
    const refused = await admin.call('POST', `/v1/tasks/${task.id}/jobs`, { work });
    expect(refused.body).toMatchObject({ code: 'illegal-transition' });
    const late = await finished(admin, job);
    expect(late.state).toBe('failed');
    expect(late.message).toContain('A round of the task is under way');
    expect(await versionsOf(admin, task)).toHaveLength(1);
    await admin.post(`/v1/tasks/${task.id}/cancel`);
  });

  it('is cancelled by whoever asks, and with its task', async () => {
    const long = { ...work, training: { ...work.training, rounds: 1_000_000 } } as Job['work'];
    const one = await ask(admin, await admin.tinyTask(), long);
    const task = await admin.tinyTask();
    const other = await ask(admin, task, long);
    await admin.post(`/v1/tasks/${task.id}/cancel`);
    expect((await finished(admin, other)).state).toBe('cancelled');
    await eventually('the job to run', async () => (await read(admin, one)).state === 'running' || undefined);
    await admin.post(`/v1/jobs/${one.id}/cancel`);
    expect((await finished(admin, one)).state).toBe('cancelled');
  });
});

describe('a hybrid plan', { timeout: 60_000 }, () => {
  /** One for all of these tests: another that is not there any more would be offered their rounds, too. */
  let device: RawDevice;
  beforeAll(async () => {
    device = await RawDevice.enrolled(admin.url, await admin.enrolmentToken());
  });
  const hybrid = {
    everyRounds: 1,
    work: { ...work, training: { ...work.training, rounds: 3 } },
  } as Plan['hybrid'];

  it('takes a step in the cloud between two rounds of devices', async () => {
    const plan: Partial<Plan> = {
      rounds: 2,
      cohort: { goal: 1, minimum: 1, overSelection: 1 },
      hybrid: hybrid!,
    };
    const task = await admin.tinyTask(plan);
    await admin.post(`/v1/tasks/${task.id}/start`);
    await contribute(device, () => ended(admin, task));
    const versions = await versionsOf(admin, task);
    expect(versions.map(({ round, job }) => (round ? 'round' : job ? 'job' : 'start'))).toEqual([
      'round',
      'job',
      'round',
      'start',
    ]);
    for (const [index, version] of versions.slice(0, -1).entries())
      expect(version.parent).toBe(versions[index + 1]!.id);
    const { items: rounds } = await admin.get<Page<Round>>(`/v1/tasks/${task.id}/rounds`);
    expect(rounds[0]!.baseVersion).toBe(versions[1]!.id);
  });

  it('pauses its task when a step fails, and takes it again when the task is resumed', async () => {
    const onMoody = { ...hybrid!, work: { ...hybrid!.work, framework: 'mindspore' } } as Plan['hybrid'];
    await writeFile(moody, `console.log('{"code":"no-mood","message":"Not today."}'); process.exit(1);`);
    const plan: Partial<Plan> = {
      rounds: 2,
      cohort: { goal: 1, minimum: 1, overSelection: 1 },
      hybrid: onMoody!,
    };
    const task = await admin.tinyTask(plan);
    await admin.post(`/v1/tasks/${task.id}/start`);
    const paused = await contribute(device, async () => {
      const seen = await admin.get<Task>(`/v1/tasks/${task.id}`);
      return seen.state === 'paused' ? seen : undefined;
    });
    expect(paused.reason).toContain('no-mood: Not today.');
    await writeFile(moody, `import ${JSON.stringify(program)};`);
    await admin.post(`/v1/tasks/${task.id}/resume`);
    await contribute(device, () => ended(admin, task));
    const { items: jobs } = await admin.get<Page<Job>>(`/v1/tasks/${task.id}/jobs`);
    expect(jobs.map(({ state, step }) => [state, step])).toEqual([
      ['succeeded', 1],
      ['failed', 1],
    ]);
  });
});

describe('a server killed with SIGKILL while a job runs', () => {
  it(
    'takes the job up again from its checkpoint, and comes to the same weights',
    { timeout: 120_000 },
    async () => {
      const template = await databaseTemplate();
      const training = { ...work.training, rounds: 1200, checkpointEvery: 50 };
      const digests: string[] = [];
      for (const kill of [false, true]) {
        const one = await ServerProcess.onCopyOf(template.path);
        const flags = ['--data-set', `wheel=${join(directory.path, 'wheel')}`];
        try {
          await one.start(undefined, flags);
          const admin = new Admin(one.url, template.key);
          const task = await admin.tinyTask();
          const job = await ask(admin, task, { ...work, training });
          if (kill) {
            const log = join(one.directory, 'jobs', job.id, 'output.log');
            await eventually(
              'a third of the rounds',
              async () => (await readFile(log, 'utf8').catch(() => '')).includes('"round":400') || undefined,
            );
            await one.kill();
            await one.start(undefined, flags);
          }
          const done = await finished(admin, job);
          expect(done).toMatchObject({ state: 'succeeded', attempts: kill ? 2 : 1 });
          if (kill)
            expect((await admin.get<JobLog>(`/v1/jobs/${job.id}/log`)).text).toContain('{"resumedAt":');
          digests.push((await versionsOf(admin, task))[0]!.digest);
        } finally {
          await one.kill();
          await one.remove();
        }
      }
      await template.remove();
      expect(digests[1]).toBe(digests[0]);
    },
  );
});

const read = (admin: Admin, { id }: Job) => admin.get<Job>(`/v1/jobs/${id}`);

async function ended(admin: Admin, task: Task): Promise<Task | undefined> {
  const seen = await admin.get<Task>(`/v1/tasks/${task.id}`);
  return seen.state === 'completed' ? seen : undefined;
}

/** Lets a device hand in zeros, round after round, until there is an answer. */
function contribute<T>(device: RawDevice, until: () => Promise<T | undefined>): Promise<T> {
  return eventually(
    'the rounds to go on',
    async () => {
      const assignment = await device.assignment();
      if (assignment?.state === 'offered') {
        const update = updateFile(assignment);
        await device.reachUpload(assignment, update);
        await device.upload(assignment.id, update);
      }
      return until();
    },
    50_000,
  );
}

interface Page<T> {
  items: T[];
}
