import { mkdir, mkdtemp, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeWeights, type TensorTable } from '@starling/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readResult } from './job-directory.ts';

const table: TensorTable = { size: 3, entries: [{ name: 'w', shape: [3], offset: 0, size: 3 }] };

describe('what a job left', () => {
  let root: string;
  let weights: string;
  let metrics: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'starling-result-'));
    weights = join(root, 'weights-out.safetensors');
    metrics = join(root, 'metrics.json');
    await writeFile(weights, writeWeights(table, new Float32Array([1, 2, 3])));
    await writeFile(metrics, '{"loss":0.5}');
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  it('is read when it is what was asked for', async () => {
    const result = await readResult(root, table);
    expect(result.metrics).toEqual({ loss: 0.5 });
    expect([...(result.weights?.values ?? [])]).toEqual([1, 2, 3]);
  });

  it('is refused unread when it is larger than it can be', async () => {
    await truncate(weights, 2 ** 31); // a file with a hole: it takes no room
    await expect(readResult(root, table)).rejects.toThrow(
      `2147483648 bytes; at most ${12 + 2 ** 20} are read`,
    );
    await truncate(metrics, 2 ** 31);
    await expect(readResult(root, undefined)).rejects.toThrow(`at most ${4 * 2 ** 20} are read`);
  });

  it('is refused when it is a link, or no file', async () => {
    await rename(weights, join(root, 'elsewhere'));
    await symlink(join(root, 'elsewhere'), weights);
    await expect(readResult(root, table)).rejects.toMatchObject({ code: 'job-result-refused' });
    await rm(weights);
    await mkdir(weights);
    await expect(readResult(root, table)).rejects.toThrow('no regular file');
  });
});
