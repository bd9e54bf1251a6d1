/** What tests run as a job: does what `training` of its job.json says. */
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface ProgramOrder {
  /** Printed line by line. */
  say?: readonly string[];
  /** Goes on until it is ended. */
  forever?: boolean;
  /** Copies these bytes (base64) to the place of the weights. */
  weights?: string;
  exit?: number;
}

const config = process.argv[process.argv.indexOf('--config') + 1] ?? '';
const job = JSON.parse(readFileSync(config, 'utf8')) as {
  training: ProgramOrder;
  weightsOut: string;
  metricsOut: string;
};
const { say = [], forever = false, weights, exit = 0 } = job.training;

process.stdin.resume().once('end', () => process.exit(1)); // the parent is gone
appendFileSync(join(dirname(config), 'runs'), 'run\n');
for (const line of say) console.log(line);
if (forever) setInterval(() => undefined, 1000);
else {
  if (weights !== undefined) writeFileSync(job.weightsOut, Buffer.from(weights, 'base64'));
  writeFileSync(job.metricsOut, '{"loss":0.5}');
  process.exit(exit);
}
