import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startRayHead, type RealRayHead } from '../../../../scripts/ray-head.mjs';
import type { TrainingBackend } from '../backend.ts';
import { ended, holdContract, program, submitTo, until, type Bed } from '../testing/contract.ts';
import { examineCluster } from './doctor.ts';
import { RayBackend } from './ray-backend.ts';

/** The contract of backends, and the traps that the stand-in for a head imitates, on a real Ray. */
const python = process.env['STARLING_TEST_PYTHON'] ?? 'python3';
const frameworks = (process.env['STARLING_TEST_FRAMEWORKS'] ?? '').split(',').filter(Boolean);
const sources = fileURLToPath(new URL('../../../../cluster/src', import.meta.url));
const timeout = 120_000;

let root: string;
let head: RealRayHead;
/** Stands for the interpreter: runs the program of the contract, whose input must stay open. */
let interpreter: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'starling-ray-'));
  interpreter = join(root, 'interpreter');
  await writeFile(
    interpreter,
    `#!/bin/bash\nexec ${process.execPath} ${program} "$@" < <(exec tail -f /dev/null --pid=$$)\n`,
    { mode: 0o755 },
  );
  head = await startRayHead(python);
}, 180_000);
afterAll(async () => {
  await head.stop();
  await rm(root, { recursive: true, force: true });
});

const onHead = (options: { python?: string } = {}) =>
  new RayBackend({ url: head.url, token: head.token, sources, python: interpreter, ...options });

function open(): Promise<Bed> {
  const backend = onHead();
  return Promise.resolve({
    backend,
    hold: async () => {
      const all = { perWorker: { cpus: 4, devices: 0 } };
      const blocker = await submitTo(backend, root, { forever: true }, all);
      await until(backend, blocker, 'running');
      return async () => {
        await backend.cancel(blocker.id);
        await ended(backend, blocker);
      };
    },
    close: () => backend.close(),
  });
}

holdContract('a real Ray head', open, timeout);

describe('a job on a real Ray', { timeout }, () => {
  it('is placed with the devices that it asks for, and sees those alone', async () => {
    const shows = join(root, 'shows');
    await writeFile(shows, '#!/bin/bash\necho "npu=$ASCEND_RT_VISIBLE_DEVICES gpu=$CUDA_VISIBLE_DEVICES"\n', {
      mode: 0o755,
    });
    const backend = onHead({ python: shows });
    const shown = async (device: 'gpu' | 'npu', devices: number) =>
      lastLine(backend, await submitTo(backend, root, {}, { device, perWorker: { cpus: 1, devices } }));
    expect(await shown('npu', 2)).toMatch(/^npu=(0,1|1,0) /);
    expect(await shown('npu', 1)).toMatch(/^npu=[01] /);
    expect(await shown('gpu', 1)).toMatch(/ gpu=[01]$/);
    await expect(shown('gpu', 3)).rejects.toThrow('at most');
    await backend.close();
  });

  it('knows nobody without the token', async () => {
    const wrong = new RayBackend({ url: head.url, token: 'f'.repeat(64), sources });
    await expect(wrong.capabilities()).rejects.toThrow('refused the token');
    await wrong.close();
  });
});

describe('the examination of a real Ray cluster', { timeout }, () => {
  it('finds the frameworks, and that the devices are only declared', async () => {
    const { url, token } = head;
    const report = await examineCluster({ url, token, sources, python, directory: dirname(root) });
    expect(report.machines).toEqual([{ cpu: 4, gpu: 2, npu: 2 }]);
    expect(report.findings.filter(({ state }) => state === 'failed')).toEqual([]);
    expect(report.healthy).toBe(frameworks.length > 0);
    expect(report.runs.filter(({ device }) => device === 'cpu').map(({ framework }) => framework)).toEqual(
      frameworks,
    );
    expect(report.runs.some(({ device }) => device === 'npu')).toBe(false);
  });
});

async function lastLine(backend: TrainingBackend, order: { id: string }): Promise<string | undefined> {
  for (;;) {
    const { state } = await backend.status(order.id);
    if (state !== 'queued' && state !== 'running') break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return (await backend.logs(order.id, 0)).text.trim().split('\n').at(-1);
}
