import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { OptimiserState } from '@starling/aggregation';
import { readSafetensors, writeSafetensors } from '@starling/protocol';
import { writeWhole } from './write-whole.ts';

/** Where training stands after a number of rounds: everything that the next round depends on. */
export interface Checkpoint {
  readonly round: number;
  readonly values: Float32Array;
  readonly optimiser: OptimiserState;
}

/** Keeps a checkpoint in the place of older ones. A reader never sees half of one. */
export async function keepCheckpoint(
  directory: string,
  { round, values, optimiser }: Checkpoint,
): Promise<void> {
  const slots = Object.entries(optimiser.slots).map(([name, data]) => ({
    name: `slot:${name}`,
    dtype: 'F64' as const,
    shape: [data.length],
    data,
  }));
  const tensors = [{ name: 'values', dtype: 'F32' as const, shape: [values.length], data: values }, ...slots];
  await writeWhole(
    join(directory, nameOf(round)),
    writeSafetensors(tensors, { step: String(optimiser.step) }),
  );
  for (const { round: other } of await listed(directory))
    if (other < round) await rm(join(directory, nameOf(other)), { force: true });
}

/** The newest checkpoint of `size` values that can be read, if any. */
export async function newestCheckpoint(directory: string, size: number): Promise<Checkpoint | undefined> {
  for (const { round } of await listed(directory)) {
    try {
      const { tensors, metadata } = readSafetensors(await readFile(join(directory, nameOf(round))));
      const values = tensors.get('values')?.data;
      if (!(values instanceof Float32Array) || values.length !== size) continue;
      const slots: Record<string, Float64Array> = {};
      for (const [name, { data }] of tensors)
        if (name.startsWith('slot:') && data instanceof Float64Array) slots[name.slice(5)] = data;
      return { round, values, optimiser: { step: Number(metadata?.['step']), slots } };
    } catch {
      continue; // damaged: an older one may do
    }
  }
  return undefined;
}

const nameOf = (round: number) => `round-${String(round).padStart(8, '0')}.safetensors`;

/** Newest first. */
async function listed(directory: string): Promise<{ round: number }[]> {
  const names = await readdir(directory);
  return names
    .map((name) => ({ round: Number(/^round-(\d{8})\.safetensors$/.exec(name)?.[1] ?? -1) }))
    .filter(({ round }) => round >= 0)
    .sort((a, b) => b.round - a.round);
}
