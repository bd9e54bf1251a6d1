/**
 * The coordinator of a simulation on a cluster: `--config job.json`. Standard input and output carry frames to and from the driver
 * that started it; whatever else it has to say goes to standard error.
 */
import { readFile } from 'node:fs/promises';
import { configPath, failureOf } from '../jobs/job-failure.ts';
import { readJob } from '../jobs/job.ts';
import { runSimulation } from '../jobs/simulate-job.ts';
import { writeFrame, type FrameKind } from './frames.ts';
import { PipedCrew } from './piped-crew.ts';

function send(kind: FrameKind, content: object): void {
  writeFrame(process.stdout, { kind, worker: 0, body: Buffer.from(JSON.stringify(content)) });
}

try {
  const job = readJob(JSON.parse(await readFile(configPath(process.argv), 'utf8')));
  await runSimulation(
    job,
    (line) => {
      send('l', line);
    },
    (order) => new PipedCrew(job.workers, order, process.stdin, process.stdout),
  );
  process.exit(0);
} catch (error) {
  const failure = failureOf(error);
  send('f', failure);
  process.exit(failure.status);
}
