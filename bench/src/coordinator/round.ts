import { createHash } from 'node:crypto';
import {
  writeUpdateFile,
  type Assignment,
  type ModelDetail,
  type Round,
  type RoundDetail,
  type Task,
  type TrainingMetrics,
  type UploadAnswer,
} from '@starling/protocol';
import { denseModel } from '../dense-model.ts';
import type { ServerProcess } from '../server-process.ts';
import type { LiveDevice } from './live-device.ts';

const hour = 3_600_000;

/** A started task of `rounds` rounds, each of all `size` devices, over (inputs + 1) * outputs parameters in the clear. */
export async function startTask(
  server: ServerProcess,
  { size, inputs, outputs, rounds = 1 }: { size: number; inputs: number; outputs: number; rounds?: number },
): Promise<Task> {
  const model = await server.admin<ModelDetail>('POST', '/v1/models', denseModel(inputs, outputs));
  const task = await server.admin<Task>('POST', '/v1/tasks', {
    name: 'bench',
    model: model.digest,
    plan: {
      learning: { algorithm: 'fedavg', epochs: 1, batchSize: 8, rate: 0.1 },
      optimiser: { kind: 'sgd', rate: 1 },
      ...{ rounds, maxWeight: 256 }, // the sum of ten thousand stays exact
      cohort: { goal: size, minimum: size, overSelection: 1 },
      windows: { selectingMs: hour, trainingMs: hour, aggregatingMs: hour },
      adaptation: { steps: 1, rate: 0.1 },
    },
  });
  return server.admin<Task>('POST', `/v1/tasks/${task.id}/start`);
}

/** The update that every device of a bench hands in: it trains nothing. */
export class Update {
  readonly bytes: Uint8Array;
  readonly digest: Buffer;

  constructor({ blocks }: Pick<Assignment, 'blocks'>) {
    const parameters = new Float32Array(blocks[0]!.size).map((_, index) => (index % 7) / 8);
    this.bytes = writeUpdateFile(blocks, { parameters }, 1);
    this.digest = createHash('sha256').update(this.bytes).digest();
  }
}

/** One device, from its offer to the acknowledgement of its update. Gives the round that it was in. */
export async function takePart(
  device: LiveDevice,
  updateFor: (assignment: Assignment) => Update,
  after: string | undefined,
): Promise<string> {
  const offer = await device.assignment(({ state, roundId }) => state === 'offered' && roundId !== after);
  const update = updateFor(offer);
  await device.control(offer.id, { action: 'accept' });
  await device.download(offer.model.weights);
  await device.control(offer.id, { action: 'begin' });
  const { state } = await device.control(offer.id, {
    action: 'ready',
    digest: update.digest.toString('hex'),
    bytes: update.bytes.length,
  });
  if (state !== 'grouped') await device.assignment(({ id, state }) => id === offer.id && state === 'grouped');
  await upload(device, offer.id, update);
  return offer.roundId;
}

export async function upload(device: LiveDevice, assignment: string, update: Update): Promise<void> {
  const answer = await device.send<UploadAnswer>(
    'PATCH',
    `/v1/device/assignments/${assignment}/update`,
    update.bytes,
    {
      ...{ 'content-type': 'application/offset+octet-stream', 'upload-offset': '0', 'upload-complete': '?1' },
      'repr-digest': `sha-256=:${update.digest.toString('base64')}:`,
    },
  );
  if (answer.state !== 'uploaded') throw new Error(`The update was answered with "${answer.state}".`);
}

/** Makes the update once for all devices of a task. */
export function oneUpdate(): (assignment: Assignment) => Update {
  let made: Update | undefined;
  return (assignment) => (made ??= new Update(assignment));
}

/** Resolves when the newest round with this number of rounds before it is published, with every device in it. */
export async function published(
  server: ServerProcess,
  { id }: Pick<Task, 'id'>,
  size: number,
  rounds = 1,
): Promise<void> {
  for (;;) {
    const { items } = await server.admin<{ items: Round[] }>('GET', `/v1/tasks/${id}/rounds`);
    const round = items.find(({ sequence }) => sequence === rounds);
    if (round && round.endedAt !== null) {
      const detail = await server.admin<RoundDetail>('GET', `/v1/rounds/${round.id}`);
      const metrics = detail.metrics as TrainingMetrics | null; // a training round's
      if (metrics?.devices === size) return;
      throw new Error(`The round is "${detail.state}" with ${metrics?.devices ?? 0} of ${size} devices.`);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
