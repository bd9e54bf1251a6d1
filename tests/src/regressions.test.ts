/** What users of other platforms reported of their servers (docs/reliability.md), asked of ours over the wire. */
import { io } from 'socket.io-client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Assignment, ModelDetail, Task } from '@starling/protocol';
import { countsBetween, oneHot, versionsOf } from './testing/one-hot.ts';
import { eventually, tinyModel, tinyPlan } from './testing/project.ts';
import { RawDevice, sha256 } from './testing/raw-device.ts';
import { testServer, type TestServer } from './testing/servers.ts';
import { completed, devicesIn, runTask } from './testing/tasks.ts';

let server: TestServer;
beforeEach(async () => {
  server = await testServer();
});
afterEach(() => server.close());

async function enrolled(count: number): Promise<RawDevice[]> {
  const token = await server.admin.enrolmentToken();
  return Promise.all(Array.from({ length: count }, () => RawDevice.enrolled(server.admin.url, token)));
}

async function offered(device: RawDevice): Promise<Assignment> {
  return eventually('an offer', async () => (await device.assignment()) ?? undefined);
}

describe('regressions of others', { timeout: 120_000 }, () => {
  it('a device whose connection died while it trained goes on over another (flwrlabs/flower#775, #4844)', async () => {
    const [device] = await enrolled(1);
    const task = await runTask(server.admin, { cohort: { goal: 1, minimum: 1, overSelection: 1 } });
    const connect = async () => {
      const socket = io(`${server.admin.url}/device`, {
        ...{ transports: ['websocket'], forceNew: true, auth: { token: device!.token } },
      });
      await new Promise<void>((resolve) => socket.once('connect', resolve));
      return socket;
    };
    const first = await connect();
    const { id, blocks } = await offered(device!);
    await first.emitWithAck('control', { assignmentId: id, message: { action: 'accept' } });
    await first.emitWithAck('control', { assignmentId: id, message: { action: 'begin' } });
    first.disconnect();
    const second = await connect();
    const update = oneHot({ blocks }, 0);
    await second.emitWithAck('control', {
      ...{ assignmentId: id, message: { action: 'ready', digest: sha256(update), bytes: update.length } },
    });
    expect((await device!.upload(id, update)).body.state).toBe('uploaded');
    second.disconnect();
    expect(devicesIn((await completed(server.admin, task))[0])).toBe(1);
  });

  it('an update above every limit of a message arrives in parts and is counted (flwrlabs/flower#3006, FederatedAI/FATE#4944)', async () => {
    const features = 100_000;
    const wide = {
      ...tinyModel,
      name: 'wide',
      inputs: [{ id: 'x', shape: ['B', features] }, tinyModel.inputs[1]],
      params: [{ id: 'w', shape: [features, 3], init: { kind: 'zeros' } }, tinyModel.params[1]],
    };
    const [device] = await enrolled(1);
    const model = await server.admin.post<ModelDetail>('/v1/models', wide);
    const task = await server.admin.post<Task>('/v1/tasks', {
      ...{ name: 'wide', model: model.digest },
      plan: tinyPlan({ cohort: { goal: 1, minimum: 1, overSelection: 1 } }),
    });
    await server.admin.post(`/v1/tasks/${task.id}/start`);
    const assignment = await offered(device!);
    const update = oneHot(assignment, 0);
    expect(update.length).toBeGreaterThan(1_200_000); // messages of sockets end at 128 kB, bodies of REST at 256 kB
    await device!.reachUpload(assignment, update);
    const half = update.length >> 1;
    await device!.part(assignment.id, update, { start: 0, end: half, last: false });
    const answer = await device!.part(assignment.id, update, { start: half, end: update.length, last: true });
    expect(answer.body.state).toBe('uploaded');
    expect(devicesIn((await completed(server.admin, task))[0])).toBe(1);
  });

  it('sixty devices at once end their round (flwrlabs/flower#1183)', async () => {
    const devices = await enrolled(60);
    await Promise.all(devices.map((device) => device.assignment()));
    const task = await runTask(server.admin, { cohort: { goal: 60, minimum: 60, overSelection: 1 } });
    await Promise.all(
      devices.map(async (device, index) => {
        const assignment = await offered(device);
        await device.say(assignment.id, 'accept');
        await eventually('the round to train', async () => {
          const { state } = await device.say(assignment.id, 'begin');
          return state === 'training' || undefined;
        });
        const update = oneHot(assignment, index % 15);
        await device.say(assignment.id, 'ready', { digest: sha256(update), bytes: update.length });
        expect((await device.upload(assignment.id, update)).body.state).toBe('uploaded');
      }),
    );
    expect(devicesIn((await completed(server.admin, task))[0])).toBe(60);
    const [before, after] = await versionsOf(server.admin, task);
    expect(countsBetween(before!, after!, 60)).toEqual(Array(15).fill(4));
  });
});
