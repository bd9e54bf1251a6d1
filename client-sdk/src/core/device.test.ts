import { ProblemError, readSafetensors, sha256 } from '@starling/protocol';
import type { Examples } from '@starling/model';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDevice, type Device, type DeviceEvents, type DeviceOptions } from './device.ts';
import { DeviceError } from './errors.ts';
import { fakeHost, type FakeHost } from './testing/fake-host.ts';
import { FakeServer } from './testing/fake-server.ts';
import { tinyAssignment } from './testing/tiny-assignment.ts';
import { tinyExamples } from './testing/tiny-model.ts';

let server: FakeServer;
let host: FakeHost;
let device: Device;
let contributions: DeviceEvents['contributed'][];
let errors: Error[];

function newDevice(options: Partial<DeviceOptions> = {}): Device {
  const made = createDevice({
    server: `${server.url}/`,
    enrolmentToken: 'the-token',
    examples: () => Promise.resolve(tinyExamples()),
    host,
    ...options,
  });
  made.on('contributed', (contribution) => contributions.push(contribution));
  made.on('error', (error) => errors.push(error));
  return made;
}

/** Ends the device as a crash does: nothing it does after this matters, its storage stays. */
async function restart(options: Partial<DeviceOptions> = {}): Promise<void> {
  await device.stop();
  host = fakeHost(server, { storage: host.storage });
  device = newDevice(options);
  await device.start();
}

const until = (condition: () => boolean, what: string) => host.clock.until(condition, what);
const online = () => until(() => device.state === 'online', 'online');
const contributed = () => until(() => contributions.length > 0, 'a contribution');
const codes = () => errors.map((error) => ('code' in error ? error.code : error.message));

beforeEach(() => {
  server = new FakeServer();
  host = fakeHost(server);
  contributions = [];
  errors = [];
  device = newDevice();
});
afterEach(() => device.stop());

const secure = { ring: 32, minimum: 3, largest: 12, groupId: null } as const;

describe('a secure task', () => {
  it('is told nothing of the update before it is masked', async () => {
    server.groupsAtOnce = false;
    await device.start();
    await online();
    server.offer(tinyAssignment({ secure }));
    await until(() => server.assignment?.state === 'ready', 'ready');
    expect(server.heard.at(-1)).toEqual({ action: 'ready' });
  });

  it('gets nothing when it asks for the update in the clear after all', async () => {
    server.groupsAtOnce = false;
    await device.start();
    await online();
    server.offer(tinyAssignment({ secure }));
    await until(() => server.assignment?.state === 'ready', 'ready');
    Reflect.deleteProperty(server.assignment!, 'secure');
    server.move('grouped');
    await until(() => server.said.includes('fail'), 'the refusal');
    expect(codes()).toEqual(['masks-withdrawn']);
    expect(server.calls).not.toContain('HEAD /v1/device/assignments/:id/update');
  });

  it('is the only one that an app takes part in which asks for company', async () => {
    device = newDevice({ secure: { minimumGroup: 3 } });
    await device.start();
    await online();
    server.offer();
    await until(() => server.said.includes('decline'), 'declining');
    server.offer(tinyAssignment({ secure }, 'b'));
    await until(() => server.said.includes('ready'), 'taking part');
  });
});

describe('a round without trouble', () => {
  it('passes every state once and uploads the announced file', async () => {
    const states: string[] = [];
    device.on('assignment', ({ state }) => states.push(state));
    await device.start();
    await online();
    server.offer();
    await contributed();
    expect(server.said).toEqual(['accept', 'begin', 'ready']);
    expect(states).toEqual(['offered', 'accepted', 'training', 'grouped', 'uploaded']);
    expect(contributions).toEqual([{ taskId: tinyAssignment().taskId, roundNumber: 3, kind: 'training' }]);
    expect([...readSafetensors(server.uploads.held).tensors.keys()].sort()).toEqual([
      'metrics',
      'parameters',
      'weight',
    ]);
    expect(errors).toEqual([]);
  });

  it('waits for its group when there is none yet', async () => {
    server.groupsAtOnce = false;
    await device.start();
    await online();
    server.offer();
    await until(() => server.assignment?.state === 'ready', 'ready');
    await host.clock.settle();
    expect(server.calls).not.toContain('HEAD /v1/device/assignments/:id/update');
    server.move('grouped');
    await contributed();
    expect(server.assignment?.state).toBe('uploaded');
  });

  it('takes one assignment after another, and an offer that comes twice only once', async () => {
    await device.start();
    await online();
    const first = server.offer();
    server.announce(first);
    await contributed();
    server.announce(first);
    await host.clock.settle();
    expect(server.said).toEqual(['accept', 'begin', 'ready']);
    server.uploads.held = new Uint8Array();
    server.offer(tinyAssignment({}, 'b'));
    await until(() => contributions.length === 2, 'the second contribution');
    expect(server.said).toEqual(['accept', 'begin', 'ready', 'accept', 'begin', 'ready']);
  });

  it('fetches a model once for several rounds', async () => {
    await device.start();
    await online();
    server.offer();
    await contributed();
    server.uploads.held = new Uint8Array();
    server.offer(tinyAssignment({}, 'b'));
    await until(() => contributions.length === 2, 'the second contribution');
    expect(server.calls.filter((call) => call === 'GET /v1/blobs/:sha256')).toHaveLength(2);
  });

  it('counts the bytes of HTTP bodies', async () => {
    await device.start();
    await online();
    server.offer();
    await contributed();
    expect(device.usage.bytesUp).toBeGreaterThan(server.uploads.held.length);
    expect(device.usage.bytesDown).toBeGreaterThan(0);
  });
});

describe('declining', () => {
  const declined = async (options: Partial<DeviceOptions>, changes = {}) => {
    device = newDevice(options);
    await device.start();
    await online();
    server.offer(tinyAssignment(changes));
    await until(() => server.assignment?.state === 'dropped', 'declined');
    return server.assignment?.reason;
  };

  it('declines without data', async () => {
    expect(await declined({ examples: () => Promise.resolve(null) })).toBe('no-data');
    expect(server.said).toEqual(['decline']);
  });

  it('declines, and tells the app, when the app cannot give its data', async () => {
    expect(await declined({ examples: () => Promise.reject(new Error('disk')) })).toBe('no-data');
    expect(codes()).toEqual(['no-examples']);
  });

  it('names the condition that it does not meet', async () => {
    expect(await declined({}, { eligibility: { minExamples: 25 } })).toBe('ineligible:minExamples');
  });

  it('keeps the separation between two contributions', async () => {
    await device.start();
    await online();
    server.offer();
    await contributed();
    server.offer(tinyAssignment({ eligibility: { minSeparationMs: 3_600_000 } }, 'b'));
    await until(() => server.assignment?.state === 'dropped', 'declined');
    expect(server.assignment?.reason).toBe('ineligible:minSeparationMs');
  });

  it('keeps it over a restart', async () => {
    await device.start();
    await online();
    server.offer();
    await contributed();
    await restart();
    await online();
    server.offer(tinyAssignment({ eligibility: { minSeparationMs: 3_600_000 } }, 'b'));
    await until(() => server.assignment?.state === 'dropped', 'declined');
    expect(server.assignment?.reason).toBe('ineligible:minSeparationMs');
  });

  it.each(['accepted', 'training', 'grouped'] as const)(
    'does nothing for an assignment that is said to be %s, and was never offered: no condition was asked',
    async (state) => {
      device = newDevice({ secure: { minimumGroup: 3 } });
      await device.start();
      await online();
      server.offer(tinyAssignment({ state }));
      await until(() => server.said.includes('fail'), 'the refusal');
      expect(codes()).toEqual(['not-agreed']);
      expect(host.trainer.jobs).toEqual([]);
    },
  );

  it('takes part in a round once, however often it is started and asked', async () => {
    await device.start();
    await online();
    server.offer();
    await contributed();
    await restart();
    await online();
    server.offer(tinyAssignment({ roundId: tinyAssignment().roundId }, 'b'));
    await until(() => server.assignment?.state === 'dropped', 'declined');
    expect(server.assignment?.reason).toBe('ineligible:second-in-round');
  });

  it.each([
    ['contributions', { contributionsADay: 0 }, 'ineligible:too-many-contributions'],
    ['groups that come to nothing', { abortedGroupsADay: 0 }, 'ineligible:too-many-aborts'],
  ])('keeps to the number of %s that the app allows', async (_what, secure, reason) => {
    expect(await declined({ secure })).toBe(reason);
  });
});

describe('a connection that breaks', () => {
  it('asks where it stands after it is back, and goes on from there', async () => {
    host.trainer.isHeld = true;
    await device.start();
    await online();
    server.offer();
    await until(() => device.state === 'training', 'training');
    server.acceptsConnections = false;
    server.dropConnections();
    await until(() => server.calls.filter((call) => call.endsWith('/assignment')).length > 1, 'asked again');
    host.trainer.release();
    await contributed();
    expect(host.trainer.jobs).toHaveLength(1);
    expect(server.said).toEqual(['accept', 'begin', 'ready']);
  });

  it('hears over HTTP what it missed: its group', async () => {
    server.groupsAtOnce = false;
    await device.start();
    await online();
    server.offer();
    await until(() => server.assignment?.state === 'ready', 'ready');
    server.dropConnections();
    server.move('grouped');
    await contributed();
    expect(server.connections).toBe(1);
  });

  it('comes back when the server that went wanted it back, not before', async () => {
    await device.start();
    await online();
    const leftAt = host.clock.monotonicMs();
    server.leave({ minDelayMs: 40_000, maxDelayMs: 50_000 });
    await until(() => server.connections === 1, 'a new connection');
    const awayMs = host.clock.monotonicMs() - leftAt;
    expect(awayMs).toBeGreaterThanOrEqual(40_000);
    expect(awayMs).toBeLessThan(50_000);
  });

  it('takes work without any socket, by asking', async () => {
    server.acceptsConnections = false;
    await device.start();
    await until(() => device.state === 'polling', 'polling');
    server.offer();
    await contributed();
    expect(server.calls.filter((call) => call.startsWith('SOCKET'))).toEqual([]);
  });

  it.each(['clear', 'secure'])(
    'without any socket hears soon of its group, however seldom it asks for work (%s)',
    async (kind) => {
      server.acceptsConnections = false;
      server.groupsAtOnce = false;
      server.retryAfterMs = 600_000;
      await device.start();
      await until(() => device.state === 'polling', 'polling');
      const secure = { ring: 32, minimum: 3, largest: 12, groupId: null } as const;
      server.offer(tinyAssignment(kind === 'secure' ? { secure } : {}));
      const heard: number[] = [];
      device.on('assignment', ({ state }) => {
        if (state === 'grouped') heard.push(host.clock.monotonicMs());
      });
      await until(() => server.assignment?.state === 'ready', 'ready');
      server.move('grouped');
      const movedMs = host.clock.monotonicMs();
      await until(() => heard.length > 0, 'its group');
      expect(heard[0]! - movedMs).toBeLessThanOrEqual(1_000);
    },
  );

  it('notices, while connected, an offer whose message was lost', async () => {
    await device.start();
    await online();
    server.assignment = tinyAssignment();
    await contributed();
    expect(host.clock.monotonicMs()).toBeGreaterThanOrEqual(60_000);
  });

  it.each([
    ['before the server did it', 'before'],
    ['after, so that only the reply is lost', 'after'],
  ] as const)('repeats each message that fails %s', async (_what, when) => {
    const offline = () => new DeviceError('offline', 'the line broke');
    for (const call of [/SOCKET accept/, /POST .*accept/, /begin/, /ready/, /blobs/, /HEAD/, /PATCH/]) {
      server.failNext(call, offline(), when);
    }
    await device.start();
    await online();
    server.offer();
    await contributed();
    expect(contributions).toHaveLength(1);
    expect(host.trainer.jobs).toHaveLength(1);
    expect(server.assignment?.state).toBe('uploaded');
  });

  it('waits out a server that is restarting', async () => {
    const unavailable = () => new ProblemError('unavailable', 'starting');
    for (let times = 0; times < 4; times++) server.failNext(/PATCH/, unavailable());
    await device.start();
    await online();
    server.offer();
    await contributed();
    expect(codes()).toEqual(['unavailable', 'unavailable', 'unavailable', 'unavailable']);
  });
});

describe('an assignment that the server drops', () => {
  it('gives up training at once', async () => {
    host.trainer.isHeld = true;
    await device.start();
    await online();
    server.offer();
    await until(() => device.state === 'training', 'training');
    server.move('dropped', 'goal-reached');
    await until(() => device.state === 'online', 'idle');
    expect(host.trainer.givenUp).toBe(1);
    expect(server.said).toEqual(['accept', 'begin']);
    expect(errors).toEqual([]);
  });

  it('gives up when it hears so only by asking', async () => {
    host.trainer.isHeld = true;
    await device.start();
    await online();
    server.offer();
    await until(() => device.state === 'training', 'training');
    server.assignment = undefined;
    server.dropConnections();
    await until(() => host.trainer.givenUp === 1, 'given up');
  });

  it('lets go of an update that is no longer wanted, and takes the next offer', async () => {
    server.groupsAtOnce = false;
    await device.start();
    await online();
    server.offer();
    await until(() => server.assignment?.state === 'ready', 'ready');
    server.move('dropped', 'no-group');
    await until(() => !host.storage.values.has('update'), 'the update forgotten');
    server.groupsAtOnce = true;
    server.offer(tinyAssignment({}, 'b'));
    await contributed();
    expect(contributions).toHaveLength(1);
  });
});

describe('training that fails', () => {
  it('says so by the code of the error, and tells the app', async () => {
    const wrong: Examples = { ...tinyExamples(), y: new Int32Array(24).fill(9) };
    device = newDevice({ examples: () => Promise.resolve(wrong) });
    await device.start();
    await online();
    server.offer();
    await until(() => server.assignment?.state === 'dropped', 'dropped');
    expect(server.assignment?.reason).toBe('examples-mismatch');
    expect(server.said).toEqual(['accept', 'begin', 'fail']);
    expect(codes()).toEqual(['examples-mismatch']);
  });

  it('refuses a model whose bytes are not those that were named', async () => {
    const { model } = tinyAssignment();
    server.blobs.set(model.weights, new Uint8Array(64));
    await device.start();
    await online();
    server.offer();
    await until(() => server.assignment?.state === 'dropped', 'dropped');
    expect(server.assignment?.reason).toBe('blob-corrupt');
    expect(host.trainer.jobs).toEqual([]);
  });
});

describe('a device that is stopped and started again', () => {
  it('stops while training, and trains again from the same seed', async () => {
    host.trainer.isHeld = true;
    await device.start();
    await online();
    server.offer();
    await until(() => device.state === 'training', 'training');
    await device.stop();
    expect(device.state).toBe('stopped');
    expect(host.trainer.givenUp).toBe(1);
    expect(server.connections).toBe(0);
    await restart();
    await contributed();
    expect(server.said).toEqual(['accept', 'begin', 'ready']);
    expect(server.enrolments).toBe(1);
  });

  it('sends a finished update again byte for byte, though its data have changed', async () => {
    server.groupsAtOnce = false;
    await device.start();
    await online();
    server.offer();
    await until(() => server.assignment?.state === 'ready', 'ready');
    const [job] = host.trainer.jobs;
    expect(job?.kind).toBe('contribute');
    await restart({ examples: () => Promise.resolve(tinyExamples(40)) });
    await online();
    server.move('grouped');
    await contributed();
    expect(host.trainer.jobs).toEqual([]);
    expect(server.assignment?.state).toBe('uploaded');
  });

  it('goes on with an upload where it broke', async () => {
    await device.start();
    await online();
    server.failNext(/PATCH/, new DeviceError('offline', 'lost'), 'after');
    server.offer();
    await until(() => server.uploads.held.length > 0, 'uploaded, unheard');
    const held = sha256(server.uploads.held);
    await contributed();
    expect(sha256(server.uploads.held)).toBe(held);
    expect(server.uploads.parts).toEqual([server.uploads.held.length, 0]);
  });

  it('does not hand in an update of other work than it agreed to', async () => {
    server.groupsAtOnce = false;
    await device.start();
    await online();
    const agreed = server.offer(tinyAssignment({ secure }));
    await until(() => server.assignment?.state === 'ready', 'ready');
    const { model } = agreed;
    server.assignment = { ...server.assignment!, model: { ...model, weights: '0'.repeat(64) } };
    await restart();
    await online();
    server.move('grouped');
    await until(() => server.said.includes('fail'), 'the refusal');
    expect(codes()).toEqual(['work-changed']);
    expect(server.assignment.reason).toBe('work-changed');
  });

  it('hands in nothing in the clear that was to be masked before it was stopped', async () => {
    server.groupsAtOnce = false;
    await device.start();
    await online();
    server.offer(tinyAssignment({ secure }));
    await until(() => server.assignment?.state === 'ready', 'ready');
    Reflect.deleteProperty(server.assignment!, 'secure');
    await restart();
    await online();
    server.move('grouped');
    await until(() => server.said.includes('fail'), 'the refusal');
    expect(codes()).toEqual(['work-changed']);
    expect(server.calls).not.toContain('HEAD /v1/device/assignments/:id/update');
  });

  it('forgets an update whose assignment ended while it was away', async () => {
    server.groupsAtOnce = false;
    await device.start();
    await online();
    server.offer();
    await until(() => server.assignment?.state === 'ready', 'ready');
    await device.stop();
    expect(host.storage.values.has('update')).toBe(true);
    server.assignment = undefined;
    await restart();
    await until(() => !host.storage.values.has('update'), 'the update forgotten');
    expect(contributions).toEqual([]);
  });
});

describe('sessions', () => {
  it('renews an expired session in the middle of a round', async () => {
    host.trainer.isHeld = true;
    await device.start();
    await online();
    server.offer();
    await until(() => device.state === 'training', 'training');
    server.expireSessions();
    host.trainer.release();
    await contributed();
    expect(errors).toEqual([]);
    await until(() => server.connections === 1, 'a new connection');
  });

  it('enrols again with a server that has forgotten it', async () => {
    await device.start();
    await online();
    server.knowsDevice = false;
    server.dropConnections();
    await until(() => server.enrolments === 2, 'enrolled again');
    server.offer();
    await contributed();
  });

  it('stops with a typed error when it is revoked', async () => {
    await device.start();
    await online();
    server.revoke();
    await until(() => device.state === 'stopped', 'stopped');
    expect(codes()).toEqual(['device-revoked']);
    expect(errors[0]).toBeInstanceOf(DeviceError);
  });

  it('stops while it trains when it is revoked', async () => {
    host.trainer.isHeld = true;
    await device.start();
    await online();
    server.offer();
    await until(() => device.state === 'training', 'training');
    server.revoke();
    await until(() => device.state === 'stopped', 'stopped');
    expect(host.trainer.givenUp).toBe(1);
    expect(codes()).toEqual(['device-revoked']);
  });

  it('stops when its enrolment is refused', async () => {
    device = newDevice({ enrolmentToken: 'another' });
    await device.start();
    await until(() => device.state === 'stopped', 'stopped');
    expect(codes()).toEqual(['enrolment-refused']);
  });

  it('keeps its key and its id', async () => {
    await device.start();
    await online();
    const { deviceId } = device;
    await restart();
    await online();
    expect(device.deviceId).toBe(deviceId);
    expect(server.enrolments).toBe(1);
  });
});

describe('one of several', () => {
  it('waits for its turn, and stops while it waits', async () => {
    const waiting: FakeHost = fakeHost(server, {
      exclusively: (_work, signal) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => {
            resolve();
          });
        }),
    });
    device = newDevice({ host: waiting });
    await device.start();
    expect(device.state).toBe('waiting');
    expect(server.calls).toEqual([]);
    await device.stop();
    expect(device.state).toBe('stopped');
    expect(errors).toEqual([]);
  });
});

describe('personalise', () => {
  it('adapts to the data as the plan says, without being started', async () => {
    const mine = await device.personalise(tinyAssignment().taskId);
    const examples = tinyExamples();
    expect(mine.steps).toBe(5);
    expect(mine.judge(examples).loss).toBeLessThan(mine.judgeShared(examples).loss);
    const [first, second] = mine.predict((examples.x as Float32Array).subarray(0, 4));
    expect(first?.classIndex).toBe(examples.y[0]);
    expect(second?.classIndex).toBe(examples.y[1]);
    expect(first!.probabilities[0]! + first!.probabilities[1]!).toBeCloseTo(1, 6);
  });

  it('sends nothing but requests for the model', async () => {
    await device.personalise(tinyAssignment().taskId, tinyExamples());
    expect(server.calls.filter((call) => !call.startsWith('GET'))).toEqual([
      'POST /v1/devices',
      'POST /v1/device/challenge',
      'POST /v1/device/session',
    ]);
  });

  it('tells with its session whether its network costs something, where it knows', async () => {
    for (const [unmetered, network] of [
      [true, 'unmetered'],
      [false, 'metered'],
      [undefined, undefined],
    ] as const) {
      host = fakeHost(server, { conditions: { now: () => Promise.resolve({ unmetered }) } });
      await newDevice().personalise(tinyAssignment().taskId, tinyExamples());
      expect(server.network).toBe(network);
    }
  });

  it('signs in without its conditions where the host never tells them, or fails', async () => {
    for (const now of [
      () => new Promise<never>(() => undefined),
      () => Promise.reject(new Error('no sensor')),
    ]) {
      host = fakeHost(server, { conditions: { now } });
      const calls = server.calls.length;
      let isThere = false;
      const personal = newDevice()
        .personalise(tinyAssignment().taskId, tinyExamples())
        .then(() => {
          isThere = true;
        });
      await host.clock.until(() => isThere, 'a personal model');
      await personal;
      expect(server.calls.slice(calls)).toContain('POST /v1/device/session');
      expect(server.network).toBeUndefined();
    }
  });

  it('refuses to adapt to nothing', async () => {
    device = newDevice({ examples: () => Promise.resolve(null) });
    await expect(device.personalise('tsk')).rejects.toMatchObject({ code: 'no-examples' });
  });
});
