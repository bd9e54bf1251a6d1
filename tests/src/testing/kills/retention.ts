import { randomInt } from 'node:crypto';
import { expect } from 'vitest';
import type { ModelVersion } from '@starling/protocol';
import { eventually } from '../project.ts';
import { sha256, type RawDevice } from '../raw-device.ts';
import { clearRounds } from './clear.ts';
import { patienceMs, resumedAfter } from './death.ts';
import type { KillWorld } from './worlds.ts';

export const retentionPoints = ['strays-discarded', 'versions-pruned', 'blob-removed'] as const;

/** The first pass is an interval after the start: there is time to say where it is to die. */
const rules = { keepVersions: 1, graceMs: 100, intervalMs: 2_000 };

/** A pass of retention that dies at `point`: the current weights are there, and those of old versions go in the end. */
export async function diesInRetention(
  world: KillWorld,
  devices: readonly RawDevice[],
  point: string,
): Promise<number> {
  await world.revive();
  const seed = randomInt(1, 2 ** 31); // weights that no other task has
  const task = await clearRounds(world, devices, { rounds: 2, seed });
  await world.revive({ retention: rules });
  await world.victim.arm(point);
  const resumedMs = await resumedAfter(world, world.victim.ended(), () =>
    world.admin.get(`/v1/tasks/${task.id}`),
  );
  await world.revive({ retention: rules });
  const { items } = await world.admin.get<{ items: ModelVersion[] }>(`/v1/tasks/${task.id}/versions`);
  const [current, ...old] = items.map(({ weights }) => weights);
  await eventually(
    'the old weights to go',
    async () => {
      const answers = await Promise.all(old.map((name) => blob(world, name)));
      return answers.every(({ status }) => status === 404) || undefined;
    },
    patienceMs,
  );
  const kept = await blob(world, current!);
  expect(sha256(new Uint8Array(await kept.arrayBuffer()))).toBe(current);
  await world.revive({});
  return resumedMs;
}

function blob({ admin }: KillWorld, name: string): Promise<Response> {
  return fetch(`${admin.url}/v1/blobs/${name}`, { headers: { authorization: `Bearer ${admin.key}` } });
}
