/**
 * The embedded program of jobs: `--config job.json`. One JSON object a line tells how far it is; exit status 0 for
 * success, 2 for what can never be done as it was asked, 1 for the rest (docs/cloud.md).
 */
import { readFile } from 'node:fs/promises';
import { initialise, layoutOf, parseModel, type Examples, type Model, type Params } from '@starling/model';
import { readSafetensors, readWeights, writeWeights } from '@starling/protocol';
import { examplesOf, openPack, PackError } from '../data/index.ts';
import { keepCheckpoint, newestCheckpoint } from './checkpoints.ts';
import { JobRefused, readJob, readJudging, readWarmStart, type Job } from './job.ts';
import { judgePeople } from './judge-people.ts';
import { warmStart } from './warm-start.ts';
import { writeWhole } from './write-whole.ts';

async function run(job: Job): Promise<void> {
  if (job.workers !== 1 || job.device !== 'cpu')
    throw new JobRefused(
      'job-unsupported',
      'The embedded program has one worker, on a processor. Use torch or mindspore.',
    );
  const model = parseModel(JSON.parse(await readFile(job.model, 'utf8')));
  if (job.kind === 'simulate') {
    const { simulateFor } = await import('./simulate-job.ts'); // it brings the server's rules along
    const start = await startOf(job, model);
    const report = await simulateFor(job, model, start, await openPack(job.data), say);
    await writeWhole(job.metricsOut, JSON.stringify(report));
    return;
  }
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

/** The weights to begin with: those given, with learned rates when they have them, or fresh ones. */
async function startOf(
  job: Job,
  model: Model,
  learning?: { algorithm: string; initialRate?: number },
): Promise<Params> {
  if (job.weightsIn === null)
    return initialise(
      model,
      job.seed,
      learning?.algorithm === 'meta-sgd' ? { learnedRates: learning.initialRate! } : {},
    );
  const file = await readFile(job.weightsIn);
  const plain = layoutOf(model);
  const hasRates = readSafetensors(file).tensors.size > plain.entries.length;
  const layout = hasRates ? layoutOf(model, { learnedRates: true }) : plain;
  return { layout, values: readWeights(layout, file) };
}

function say(line: object): void {
  console.log(JSON.stringify(line));
}

process.stdin.once('end', () => process.exit(1)).resume(); // who started this is gone

const place = process.argv.indexOf('--config') + 1;
try {
  const path = place > 0 ? process.argv[place] : undefined;
  if (path === undefined) throw new JobRefused('job-invalid', 'Expected --config <job.json>.');
  await run(readJob(JSON.parse(await readFile(path, 'utf8'))));
  process.exit(0);
} catch (error) {
  const { code, message } = error as Error & { code?: string };
  say({ code: code ?? 'internal', message });
  const isRefused = error instanceof JobRefused || error instanceof PackError;
  process.exit(isRefused || code?.startsWith('simulation-') === true ? 2 : 1);
}
