/** Runs in a tab: holds the WebGPU backend against the definitions and against plain JavaScript. */
import {
  compile,
  initialise,
  TrainingDiverged,
  type Batch,
  type Params,
  type TrainerOptions,
} from '@starling/model';
import { createGpuTrainer, type GpuDevice } from '@starling/model/webgpu';
import { Graph, type Value } from '../../../model/dist/graph/graph.js';
import { GpuExecutable } from '../../../model/dist/kernels/webgpu/executable.js';
import { gpuLayout, uncovered } from '../../../model/dist/kernels/webgpu/kernels.js';
import { Reading, Writing } from '../../../model/dist/kernels/webgpu/memory.js';
import { planOf } from '../../../model/dist/plan/plan.js';
import { primitiveCases } from '../../../model/dist/testing/primitives.js';
import { evaluate } from '../../../model/dist/testing/reference.js';
import { batchNormed, convolutional, transformer, type GpuWorkload } from './webgpu-models.ts';

type Leaves = ReadonlyMap<Value, Float32Array>;

export interface Difference {
  readonly name: string;
  /** The largest |found - wanted| / max(1, |wanted|). */
  readonly error: number;
}

export interface Course {
  readonly losses: { readonly js: readonly number[]; readonly gpu: readonly number[] };
  /** Of the weights after the last step. */
  readonly error: number;
  /** How far the weights went in all. */
  readonly moved: number;
  readonly arenaBytes: number;
}

export interface GpuPage {
  /** Vendor and architecture; undefined where there is no adapter. */
  adapter(): Promise<string | undefined>;
  primitives(): Promise<Difference[]>;
  large(): Promise<Difference[]>;
  train(workload: Workload, rows: readonly number[], options: TrainerOptions): Promise<Course>;
  diverge(): Promise<{ error: string; code: string; unchanged: boolean; lossAfter: number }>;
  overlap(): Promise<{ losses: number[]; repeats: boolean; again: string }>;
}

const workloads = { convolutional, batchNormed, transformer };
type Workload = keyof typeof workloads;

let requested: Promise<GPUDevice> | undefined;
const faults: string[] = [];

function gpu(): Promise<GPUDevice> {
  requested ??= request();
  return requested;
}

async function request(): Promise<GPUDevice> {
  const adapter = await navigator.gpu.requestAdapter();
  const device = await adapter!.requestDevice(); // asked for only where there is an adapter
  device.addEventListener('uncapturederror', ({ error }) => faults.push(error.message));
  return device;
}

/** Waits until the device has checked all that it was given, and throws what it found wrong. */
async function settled<Result>(device: GPUDevice, result: Result): Promise<Result> {
  await device.queue.onSubmittedWorkDone();
  if (faults.length > 0) throw new Error(faults.join('\n'));
  return result;
}

async function run(device: GpuDevice, output: Value, leaves: Leaves): Promise<Float32Array> {
  const plan = planOf([output], gpuLayout); // the planner asks for scratch alone
  const executable = await GpuExecutable.create(device, plan);
  const [writing, reading] = [new Writing(plan), new Reading(device, plan, [output])];
  for (const [leaf, values] of leaves) writing.place(leaf)?.set(values);
  writing.send(device, executable.arena);
  const encoder = device.createCommandEncoder();
  executable.encodeRun(encoder);
  reading.encode(encoder, executable.arena);
  device.queue.submit([encoder.finish()]);
  await reading.arrive();
  executable.destroy();
  reading.destroy();
  return reading.place(output)!; // it was asked for
}

async function differenceOf(
  device: GpuDevice,
  name: string,
  value: Value,
  leaves: Leaves,
): Promise<Difference> {
  const found = await run(device, value, leaves);
  const wanted = evaluate([value], leaves)[0]!;
  return { name, error: largestError(found, wanted) };
}

/** NaN where either is. */
function largestError(found: ArrayLike<number>, wanted: ArrayLike<number>): number {
  if (found.length !== wanted.length) return NaN;
  const errors = Array.from(wanted, (x, i) => Math.abs(found[i]! - x) / Math.max(1, Math.abs(x)));
  return errors.reduce((most, error) => Math.max(most, error), 0);
}

/** The same device with few workgroups to a dimension, so that small grids need two. */
function withFewGroups(device: GPUDevice): GpuDevice {
  const limits = {
    maxBufferSize: device.limits.maxBufferSize,
    maxStorageBufferBindingSize: device.limits.maxStorageBufferBindingSize,
    maxComputeWorkgroupsPerDimension: 3,
  };
  return new Proxy(device, {
    get(from, key) {
      if (key === 'limits') return limits;
      const member: unknown = Reflect.get(from, key, from);
      return typeof member === 'function' ? (member.bind(from) as unknown) : member;
    },
  });
}

/** Sizes that need more than one tile, part or workgroup. */
function largeCases(): { name: string; value: Value; leaves: Leaves }[] {
  const graph = new Graph();
  const leaves = new Map<Value, Float32Array>();
  const leaf = (draw: (i: number) => number, ...shape: number[]) => {
    const value = graph.leaf(`leaf-${leaves.size}`, shape);
    leaves.set(
      value,
      Float32Array.from({ length: value.size }, (_, i) => draw(i)),
    );
    return value;
  };
  const wave = (...shape: number[]) => leaf((i) => Math.sin(i * 1.7 + 0.3), ...shape);
  const same = { strideHeight: 1, strideWidth: 1, padTop: 1, padBottom: 1, padLeft: 1, padRight: 1 };
  const [image, outer] = [wave(2, 18, 17, 3), wave(2, 18, 17, 4)];
  const values = {
    'matmul with its inner axis in parts': graph.matmul(wave(20, 700), wave(700, 33)),
    'matmul aᵀ b with its inner axis in parts': graph.matmul(wave(700, 20), wave(700, 17), true),
    'matmul of many with many tiles': graph.matmul(wave(3, 40, 20), wave(3, 35, 20), false, true),
    'matmul with four by four results a thread': graph.matmul(wave(16, 120, 9), wave(16, 9, 60)),
    'matmul aᵀ bᵀ with two by four results a thread': graph.matmul(
      wave(9, 9, 70),
      wave(9, 100, 9),
      true,
      true,
    ),
    'convolution over many tiles': graph.convolution(image, wave(3, 3, 3, 4), same),
    'convolutionFilterGradient in parts': graph.convolutionFilterGradient(image, outer, [3, 3, 3, 4], same),
    'convolutionInputGradient over many tiles': graph.convolutionInputGradient(
      outer,
      wave(3, 3, 3, 4),
      image.shape,
      same,
    ),
    'depthwiseFilterGradient of many places and channels': graph.depthwiseFilterGradient(
      wave(2, 9, 8, 19),
      wave(2, 9, 8, 19),
      [3, 3, 19],
      same,
    ),
    'columnSum in parts': graph.columnSum(wave(3001, 19)),
    'columnDot in parts': graph.columnDot(wave(1100, 3), wave(1100, 3)),
    'dot in parts': graph.dot(wave(20011), wave(20011)),
    'rowSum of long rows': graph.rowSum(wave(3, 333)),
    'softmax of long rows': graph.softmax(wave(2, 5, 150), true),
    'crossEntropy of long rows': graph.crossEntropy(
      wave(9, 200),
      leaf((i) => (i * 77) % 200, 9),
    ),
    'normaliseRows of long rows': graph.normaliseRows(wave(5, 300), 1e-5),
    'normaliseRowsGradient of long rows': graph.normaliseRowsGradient(wave(5, 300), wave(5, 300), 1e-5),
    'scatter of many': graph.scatter(
      wave(2, 700),
      leaf((i) => (i * 31) % 300, 2, 700),
      [2, 300],
    ),
    'addRowsAt of many': graph.addRowsAt(
      wave(600, 5),
      leaf((i) => (i * 7) % 40, 600),
      40,
    ),
    'add of many': graph.add(wave(50, 40), wave(50, 40)),
  };
  return Object.entries(values).map(([name, value]) => ({ name, value, leaves }));
}

async function inTurn<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  for (const item of items) results.push(await work(item));
  return results;
}

const page: GpuPage = {
  async adapter() {
    if (!('gpu' in navigator)) return undefined;
    const adapter = await navigator.gpu.requestAdapter();
    return adapter ? `${adapter.info.vendor} ${adapter.info.architecture}` : undefined;
  },

  async primitives() {
    const device = await gpu();
    const cases = primitiveCases.map(({ name, build }) => ({ name, ...build(1) }));
    const covered = cases.filter(({ value }) => uncovered([value]) === undefined);
    const found = await inTurn(covered, ({ name, value, leaves }) =>
      differenceOf(device, name, value, leaves),
    );
    return settled(device, found);
  },

  async large() {
    const device = await gpu();
    const few = withFewGroups(device);
    return settled(
      device,
      await inTurn(largeCases(), ({ name, value, leaves }) => differenceOf(few, name, value, leaves)),
    );
  },

  async train(which, rows, options) {
    const device = await gpu();
    const { model, batch } = workloads[which];
    const start = initialise(model, 5);
    const most = Math.max(...rows);
    const slow = compile(model, { batch: most }).trainer(start, { ...options, rows: most });
    const fast = await createGpuTrainer(device, model, start, { ...options, rows: most });
    const losses = { js: [] as number[], gpu: [] as number[] };
    for (const [step, count] of rows.entries()) {
      const examples = batch(count, step);
      losses.js.push(slow.step(examples, { rate: 0.05 }).loss);
      losses.gpu.push((await fast.step(examples, { rate: 0.05 })).loss);
    }
    const [wanted, found] = [slow.read().values, (await fast.read()).values];
    const { arenaBytes } = fast;
    fast.destroy();
    const course = {
      losses,
      error: largestError(found, wanted),
      moved: largestError(wanted, start.values),
      arenaBytes,
    };
    return settled(device, course);
  },

  async diverge() {
    const device = await gpu();
    const { model, trainer, batch } = await convolutionalTrainer(device);
    const good = batch(4, 0);
    await trainer.step(good, { rate: 0.05 });
    const before = await trainer.read();
    const bad: Batch = { ...good, x: good.x.map((value) => value * 1e38) };
    const refused: unknown = await trainer.step(bad, { rate: 0.05 }).catch((error: unknown) => error);
    const after = await trainer.read();
    const { loss } = await trainer.step(good, { rate: 0.05 });
    trainer.destroy();
    return settled(device, {
      error: refused instanceof Error ? refused.message : 'none',
      code: refused instanceof TrainingDiverged ? refused.code : 'none',
      unchanged: sameBits(before, after) && !sameBits(before, initialise(model, 5)),
      lossAfter: loss,
    });
  },

  async overlap() {
    const device = await gpu();
    const { trainer, batch } = await convolutionalTrainer(device);
    const { trainer: other } = await convolutionalTrainer(device);
    const rows = batch(4, 0);
    const together = await Promise.all([1, 2, 3].map(() => trainer.step(rows, { rate: 0.05 })));
    await inTurn([1, 2, 3], () => other.step(rows, { rate: 0.05 }));
    const repeats = sameBits(await trainer.read(), await other.read());
    for (const each of [trainer, other]) each.destroy();
    const again: unknown = await trainer.step(rows, { rate: 0.05 }).catch((error: unknown) => error);
    return settled(device, {
      losses: together.map(({ loss }) => loss),
      repeats,
      again: again instanceof Error ? again.message : 'none',
    });
  },
};

async function convolutionalTrainer(device: GPUDevice) {
  const { model, batch }: GpuWorkload = batchNormed;
  return { model, batch, trainer: await createGpuTrainer(device, model, initialise(model, 5), { rows: 4 }) };
}

function sameBits(a: Params, b: Params): boolean {
  return a.values.every((value, i) => Object.is(value, b.values[i]));
}

Object.assign(globalThis, { gpuPage: page });
