/**
 * The embedded program of jobs: `--config job.json`. One JSON object a line tells how far it is; exit status 0 for
 * success, 2 for what can never be done as it was asked, 1 for the rest (docs/cloud.md).
 */
import { readFile } from 'node:fs/promises';
import { parseModel, type Examples, type Model } from '@starling/model';
import { writeWeights } from '@starling/protocol';
import { examplesOf, openPack } from '../data/index.ts';
import { keepCheckpoint, newestCheckpoint } from './checkpoints.ts';
import { configPath, failureOf } from './job-failure.ts';
import { startOf } from './job-start.ts';
import { JobRefused, readJob, readJudging, readWarmStart, type Job } from './job.ts';
import { judgePeople } from './judge-people.ts';
import { warmStart } from './warm-start.ts';
import { writeWhole } from './write-whole.ts';

async function run(job: Job): Promise<void> {
  if (job.kind === 'simulate') {
    const { runSimulation } = await import('./simulate-job.ts'); // it brings the server's rules along
    await runSimulation(job, say);
    return;
  }
  if (job.workers !== 1 || job.device !== 'cpu')
    throw new JobRefused(
      'job-unsupported',
      'The embedded program has one worker, on a processor. Use torch or mindspore.',
    );
  const model = parseModel(JSON.parse(await readFile(job.model, 'utf8')));
  const people = await peopleOf(job);
  if (job.kind === 'evaluate') {
    const judging = readJudging(job.training);
    const results = judgePeople(model, await startOf(job, model), people, judging);
    await writeWhole(job.metricsOut, JSON.stringify({ people: people.size, results }));
  } else {
    await trainFor(job, model, people);
  }
}

async function trainFor(job: Job, model: Model, people: ReadonlyMap<string, Examples>): Promise<void> {
  const settings = readWarmStart(job.training);
  const start = await startOf(job, model, settings.learning);
  const from = await newestCheckpoint(job.checkpoints, start.values.length);
  if (from) say({ resumedAt: from.round });
  let last: object = {};
  const { layout, values } = await warmStart(
    model,
    start,
    people,
    settings,
    {
      seed: job.seed,
      onRound: (report) => {
        say((last = report));
      },
      keep: (checkpoint) => keepCheckpoint(job.checkpoints, checkpoint),
    },
    from,
  );
  await writeWhole(job.weightsOut, writeWeights(layout, values));
  await writeWhole(job.metricsOut, JSON.stringify({ ...last, people: people.size }));
}

async function peopleOf({ data, users }: Job): Promise<Map<string, Examples>> {
  const pack = await openPack(data);
  const names = users ?? pack.users.map(({ id }) => id);
  return new Map(names.map((name) => [name, examplesOf(pack, name)]));
}

function say(line: object): void {
  console.log(JSON.stringify(line));
}

process.stdin.once('end', () => process.exit(1)).resume(); // who started this is gone

try {
  await run(readJob(JSON.parse(await readFile(configPath(process.argv), 'utf8'))));
  process.exit(0);
} catch (error) {
  const { status, ...failure } = failureOf(error);
  say(failure);
  process.exit(status);
}
