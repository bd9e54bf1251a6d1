/** One secure round of one group: a server process, and devices that reach it over loopback HTTP. */
import { randomBytes, webcrypto } from 'node:crypto';
import {
  fromHex,
  ProblemError,
  digestOfWork,
  type Assignment,
  type ModelDetail,
  type Round,
  type Task,
} from '@starling/protocol';
import type { EnrolmentToken, RoundDetail, TrainingMetrics } from '@starling/protocol';
import {
  bestMasks,
  decodeTerms,
  joinGroup,
  kindOf,
  lastMessages,
  mixedProvider,
  newVector,
  stepClient,
  type ClientEnvironment,
  type ClientMessage,
  type ClientState,
} from '@starling/secure';
import { unmaskingThreads, type Unmasking } from '@starling/server';
import { denseModel } from '../dense-model.ts';
import { GroupDevice } from './group-device.ts';
import { MasksLeft } from './masks-left.ts';
import type { ServerProcess } from '../server-process.ts';

export interface HttpGroupSpec {
  readonly size: number;
  /** Of a dense layer with `outputs` outputs and a bias: the parameters are (inputs + 1) * outputs. */
  readonly inputs: number;
  readonly outputs: number;
  /**
   * Each device puts its masks on its update, all before the first upload; or, where there is no room or time for that,
   * the last device carries what all masks leave on the sum ({@link MasksLeft}), and the others' words are bare.
   */
  readonly masksOn: 'updates' | 'sum';
}

export interface HttpGroupResult {
  /** From the first byte of the first upload until the server says that the group is summed. */
  readonly uploadToSumMs: number;
  readonly length: number;
  /** Bytes of all bodies of each device from its first message in the group on: sent and received. */
  readonly bytes: readonly number[];
}

interface Member {
  readonly device: GroupDevice;
  readonly assignment: Assignment;
  readonly environment: ClientEnvironment;
  state: ClientState | undefined;
  answers: readonly ClientMessage[];
}

/** Requests under way at a time. */
const concurrency = 24;
/** See `trustFrom` of group.ts. */
const trustFrom = 500;

/** To be called on a fresh server: enrols the devices, and gives what runs the round. */
export async function prepareHttpGroup(
  server: ServerProcess,
  spec: HttpGroupSpec,
): Promise<() => Promise<HttpGroupResult>> {
  const { token } = await server.admin<EnrolmentToken & { token: string }>('POST', '/v1/enrolment-tokens', {
    labels: {},
  });
  const devices = Array.from({ length: spec.size }, () => new GroupDevice(server.url));
  await each(devices, (device) => device.enrol(token));
  return async () => {
    const unmasking = unmaskingThreads();
    try {
      return await runRound(server, spec, devices, unmasking);
    } finally {
      await unmasking.close();
    }
  };
}

async function runRound(
  server: ServerProcess,
  spec: HttpGroupSpec,
  devices: readonly GroupDevice[],
  unmasking: Unmasking,
): Promise<HttpGroupResult> {
  const task = await startTask(server, spec);
  const members = await formGroup(devices);
  const group = members[0]!.assignment.secure!.groupId!; // grouped, and so in a group
  const before = devices.map(({ up, down }) => up + down);
  const hear = async () => {
    await each(members, (member) => read(member, group));
  };
  const say = async () => {
    await each(members, async ({ device, assignment, answers }) => {
      for (const message of answers) await device.answer(group, assignment.id, message);
    });
  };
  await hear();
  while (members[0]!.answers.length > 0) {
    await say();
    await hear(); // at last the inbox: then there is no answer before the update is masked
  }
  const { length, ring } = decodeTerms(members[0]!.state!.terms);
  if (spec.masksOn === 'updates') for (const member of members) await mask(member, unitUpdate(ring, length));
  const from = performance.now();
  if (spec.masksOn === 'updates') await say();
  else await uploadBare(members, group, unitUpdate(ring, length), unmasking);
  await hear(); // survivors
  await say();
  await hear(); // signatures
  await say().catch((error: unknown) => {
    // The sum needs a threshold of the shares: the last may come when the group is over.
    if (!(error instanceof ProblemError && error.code === 'group-closed')) throw error;
  });
  let { state } = await devices[0]!.mail(group);
  while (state === 'unmasking') ({ state } = await devices[0]!.mail(group));
  const uploadToSumMs = performance.now() - from;
  if (state !== 'summed') throw new Error(`The group is "${state}".`);
  await checkRound(server, task, spec.size);
  return { uploadToSumMs, length, bytes: devices.map(({ up, down }, at) => up + down - before[at]!) };
}

async function startTask(server: ServerProcess, { size, inputs, outputs }: HttpGroupSpec): Promise<Task> {
  const model = await server.admin<ModelDetail>('POST', '/v1/models', denseModel(inputs, outputs));
  const hour = 3_600_000;
  const task = await server.admin<Task>('POST', '/v1/tasks', {
    name: 'bench',
    model: model.digest,
    plan: {
      learning: { algorithm: 'fedavg', epochs: 1, batchSize: 8, rate: 0.1 },
      optimiser: { kind: 'sgd', rate: 1 },
      rounds: 1,
      cohort: { goal: size, minimum: size, overSelection: 1 },
      windows: { selectingMs: hour, trainingMs: hour, aggregatingMs: 10 * hour },
      adaptation: { steps: 1, rate: 0.1 },
      // One word a coordinate, for a thousand devices too.
      ...{ encoding: { scaleBits: 12, clip: 4 }, maxWeight: 16 },
      secure: { groupSize: { target: size, minimum: size }, ring: 32 },
    },
  });
  return server.admin<Task>('POST', `/v1/tasks/${task.id}/start`);
}

async function formGroup(devices: readonly GroupDevice[]): Promise<Member[]> {
  const offered = new Map<GroupDevice, string>();
  await each(devices, async (device) => {
    const { id } = await assignmentOf(device);
    offered.set(device, id);
    await device.say(id, 'accept');
    await device.say(id, 'begin');
  });
  await each(devices, (device) => device.say(offered.get(device)!, 'ready')); // all have one
  const crypto = await mixedProvider(webcrypto.subtle, (length) => new Uint8Array(randomBytes(length)));
  const trusting = { ...crypto, verify: () => Promise.resolve(true) };
  const masks = bestMasks();
  const members: Member[] = [];
  for (const [number, device] of devices.entries()) {
    const assignment = await assignmentOf(device);
    members.push({
      ...{ device, assignment, state: undefined, answers: [] },
      environment: {
        crypto: devices.length < trustFrom || number % 100 === 0 ? crypto : trusting,
        masks,
        identity: {
          publicKey: device.identity.publicKey,
          sign: (message) => crypto.sign(device.seed, message),
        },
        policy: {
          ...{ minimum: 3, corruptPermille: 100, privacyBits: 40, knows: () => true },
          maximum: assignment.secure!.largest,
          taskDigest: fromHex(digestOfWork(assignment)),
          modelDigest: fromHex(assignment.model.weights),
        },
      },
    });
  }
  return members;
}

async function assignmentOf(device: GroupDevice): Promise<Assignment> {
  const assignment = await device.assignment();
  if (!assignment) throw new Error('A device was offered nothing.');
  return assignment;
}

async function read(member: Member, group: string): Promise<void> {
  const { environment } = member;
  const { messages } = await member.device.mail(group);
  for (const bytes of messages) {
    const step =
      kindOf(bytes) === 'terms'
        ? await joinGroup(bytes, environment)
        : await stepClient(member.state!, { kind: 'message', bytes }, environment); // it joined first
    member.state = step.state;
    member.answers = lastMessages(step.state);
  }
}

async function mask(
  member: Member,
  vector: Uint16Array | Uint32Array,
  environment = member.environment,
): Promise<void> {
  const step = await stepClient(member.state!, { kind: 'update', vector }, environment); // it has an inbox
  member.state = step.state;
  member.answers = step.messages;
}

/** Updates leave one at a time, and are let go: a thousand of a million coordinates have no room in one process. */
async function uploadBare(
  members: readonly Member[],
  group: string,
  update: Uint16Array | Uint32Array,
  unmasking: Unmasking,
): Promise<void> {
  const left = new MasksLeft();
  const bare = (member: Member, vector: Uint16Array | Uint32Array, masks: MasksLeft) =>
    mask(member, vector, { ...member.environment, masks });
  const send = async (member: Member) => {
    for (const message of member.answers) await member.device.answer(group, member.assignment.id, message);
    if (member.state?.phase === 'uploads') member.state = { ...member.state, masked: new Uint8Array() };
    member.answers = [];
  };
  const [last, ...others] = members;
  await each(others, async (member) => {
    await bare(member, update, left);
    await send(member);
  });
  const before = last!.state;
  await bare(last!, update, left);
  last!.state = before;
  const carried = update.slice();
  await left.addTo(carried, unmasking);
  await bare(last!, carried, new MasksLeft());
  await send(last!);
}

/** Zeros with weight 1: the weight is the last coordinate. */
function unitUpdate(ring: 16 | 32, length: number): Uint16Array | Uint32Array {
  const vector = newVector(ring, length);
  vector[length - 1] = 1;
  return vector;
}

/** Throws unless the round is published with every device's update in it. */
async function checkRound(server: ServerProcess, { id }: Task, size: number): Promise<void> {
  for (;;) {
    const { items } = await server.admin<{ items: Round[] }>('GET', `/v1/tasks/${id}/rounds`);
    const round = await server.admin<RoundDetail>('GET', `/v1/rounds/${items[0]!.id}`);
    if (round.endedAt === null) continue;
    const metrics = round.metrics as TrainingMetrics | null; // a training round's
    if (metrics?.devices === size && metrics.weight === size) return;
    throw new Error(`The round is "${round.state}" with ${metrics?.devices ?? 0} devices.`);
  }
}

/** `work` on each, some at a time. */
async function each<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const waiting = items.values();
  const worker = async () => {
    for (const item of waiting) await work(item);
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
}
