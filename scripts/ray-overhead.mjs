/**
 * What our adapter adds to a submission on Ray: `node scripts/ray-overhead.mjs PYTHON` (an interpreter with ray[default]),
 * after a build. Both submit a program that does nothing, in turns; times are from the call to Ray's answer.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { RayBackend } from '../server/dist/index.js';
import { prepareJob } from '../server/dist/training/job-directory.js';
import { RayJobs } from '../server/dist/training/ray/ray-jobs.js';
import { startRayHead } from './ray-head.mjs';

const [, , python = 'python3'] = process.argv;
const turns = 15;
const sources = fileURLToPath(new URL('../cluster/src', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'starling-overhead-'));
const head = await startRayHead(python);
const raw = new RayJobs(head);
const backend = new RayBackend({ ...head, sources, python: '/bin/true' });
const times = { raw: [], ours: [] };
const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

async function timed(into, submit, id) {
  const start = performance.now();
  await submit();
  into.push(performance.now() - start);
  while (['PENDING', 'RUNNING'].includes((await raw.job(id)).status))
    await new Promise((resolve) => setTimeout(resolve, 50));
}

try {
  for (let turn = -2; turn < turns; turn++) {
    if (turn === 0) times.raw = [];
    if (turn === 0) times.ours = [];
    const bare = {
      submission_id: `raw-${turn + 2}`,
      entrypoint: '/bin/true',
      entrypoint_num_cpus: 1,
      runtime_env: {},
    };
    await timed(times.raw, () => raw.submit(bare), bare.submission_id);
    const id = `ours-${turn + 2}`;
    const order = {
      ...{
        id,
        directory: join(directory, id),
        framework: 'torch',
        device: 'cpu',
        workers: 1,
        wallSeconds: 60,
      },
      perWorker: { cpus: 1, devices: 0 },
    };
    const work = { kind: 'evaluate', data: '/none', users: null, seed: 1, training: {} };
    const submit = async () => {
      await prepareJob(order, work, {}, undefined);
      await backend.submit(order);
    };
    await timed(times.ours, submit, id);
  }
  const [bare, ours] = [median(times.raw), median(times.ours)];
  const shown = (value) => value.toFixed(1);
  console.log(
    `submit, median of ${turns}: raw ${shown(bare)} ms, ours ${shown(ours)} ms, added ${shown(ours - bare)} ms`,
  );
} finally {
  raw.close();
  await backend.close();
  await head.stop();
  rmSync(directory, { recursive: true, force: true });
}
