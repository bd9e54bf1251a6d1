import type { Value } from '../../graph/graph.ts';
import type { Plan } from '../../plan/plan.ts';
import {
  computeStage,
  usage,
  type GpuBuffer,
  type GpuCommandEncoder,
  type GpuDevice,
  type GpuHandle,
} from './device.ts';
import type { Dispatch } from './dispatch.ts';
import { GpuUnsuitable } from './errors.ts';
import { dispatchesOf } from './kernels.ts';

const floatBytes = Float32Array.BYTES_PER_ELEMENT;
/** Bytes between the uniforms of two dispatches: the coarsest alignment that WebGPU lets a device ask for. */
const slotBytes = 256;

/** What all programs of one device share. Shaders are compiled once a text. */
interface Shared {
  readonly bindings: GpuHandle;
  readonly layout: GpuHandle;
  readonly pipelines: Map<string, Promise<GpuHandle>>;
}

const sharedOf = new WeakMap<GpuDevice, Shared>();

/** A dispatch with its pipeline, and where its uniform lies. */
interface Ready {
  readonly pipeline: GpuHandle;
  readonly slot: number;
  readonly x: number;
  readonly y: number;
}

/**
 * A plan on a GPU: one buffer as its arena, bound whole to every shader, and one with the uniforms of all dispatches. A run
 * is encoded into one pass; between its dispatches WebGPU keeps the order of writes and reads.
 */
export class GpuExecutable {
  readonly arena: GpuBuffer;
  readonly #plan: Plan;
  readonly #uniforms: GpuBuffer;
  readonly #group: GpuHandle;
  readonly #calls: readonly Ready[];
  readonly #commits: readonly Ready[];

  private constructor(
    plan: Plan,
    buffers: { readonly arena: GpuBuffer; readonly uniforms: GpuBuffer },
    group: GpuHandle,
    calls: readonly Ready[],
    commits: readonly Ready[],
  ) {
    this.#plan = plan;
    this.arena = buffers.arena;
    this.#uniforms = buffers.uniforms;
    this.#group = group;
    this.#calls = calls;
    this.#commits = commits;
  }

  /**
   * Compiles the shaders, takes the memory and writes the constants; all else is 0.
   * @throws GpuUnsuitable When a primitive has no shader (before anything is allocated), or the arena is larger than the device
   *   allows or has.
   */
  static async create(device: GpuDevice, plan: Plan): Promise<GpuExecutable> {
    const calls = plan.calls.flatMap(dispatchesOf);
    const commits = plan.commits.flatMap(dispatchesOf);
    const arenaBytes = Math.max(plan.arenaFloats, 1) * floatBytes;
    requireRoom(device, arenaBytes);
    const shared = shareOn(device);
    const dispatches = [...calls, ...commits];
    const pipelines = await Promise.all(dispatches.map(({ code }) => pipelineFor(device, shared, code)));

    device.pushErrorScope('out-of-memory');
    const copied = usage.copySource | usage.copyTarget;
    const arena = device.createBuffer({ size: arenaBytes, usage: usage.storage | copied });
    const uniforms = device.createBuffer({
      size: Math.max(dispatches.length, 1) * slotBytes,
      usage: usage.uniform | usage.copyTarget,
    });
    const short = await device.popErrorScope();
    if (short) {
      arena.destroy();
      uniforms.destroy();
      throw new GpuUnsuitable(
        `The device has no room for ${arenaBytes} bytes (${short.message}); use fewer rows.`,
      );
    }

    device.queue.writeBuffer(uniforms, 0, uniformsOf(dispatches));
    for (const { operand, value } of plan.constants)
      device.queue.writeBuffer(
        arena,
        operand.offset * floatBytes,
        new Float32Array(operand.size).fill(value),
      );
    const group = device.createBindGroup({
      layout: shared.bindings,
      entries: [
        { binding: 0, resource: { buffer: arena } },
        { binding: 1, resource: { buffer: uniforms, size: slotBytes } },
      ],
    });
    const most = device.limits.maxComputeWorkgroupsPerDimension;
    const ready = dispatches.map(({ groups }, i): Ready => {
      const x = Math.min(groups, most);
      return { pipeline: pipelines[i], slot: i * slotBytes, x, y: Math.ceil(groups / x) };
    });
    const [first, rest] = [ready.slice(0, calls.length), ready.slice(calls.length)];
    return new GpuExecutable(plan, { arena, uniforms }, group, first, rest);
  }

  get plan(): Plan {
    return this.#plan;
  }

  /** Computes all outputs. */
  encodeRun(encoder: GpuCommandEncoder): void {
    this.#encode(encoder, this.#calls);
  }

  /** After a run: gives carried leaves their next values. */
  encodeCommit(encoder: GpuCommandEncoder): void {
    this.#encode(encoder, this.#commits);
  }

  /** Takes values over from another plan of the same values, in pairs; those without a place are left out. */
  encodeTakeOver(
    encoder: GpuCommandEncoder,
    from: GpuExecutable,
    pairs: readonly (readonly [Value, Value])[],
  ): void {
    for (const [there, here] of pairs) {
      const [source, target] = [from.plan.places.get(there), this.#plan.places.get(here)];
      if (!source || !target) continue;
      const bytes = target.size * floatBytes;
      encoder.copyBufferToBuffer(
        from.arena,
        source.offset * floatBytes,
        this.arena,
        target.offset * floatBytes,
        bytes,
      );
    }
  }

  destroy(): void {
    this.arena.destroy();
    this.#uniforms.destroy();
  }

  #encode(encoder: GpuCommandEncoder, list: readonly Ready[]): void {
    const pass = encoder.beginComputePass();
    for (const { pipeline, slot, x, y } of list) {
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, this.#group, [slot]);
      pass.dispatchWorkgroups(x, y);
    }
    pass.end();
  }
}

function requireRoom({ limits }: GpuDevice, arenaBytes: number): void {
  const most = Math.min(limits.maxBufferSize, limits.maxStorageBufferBindingSize);
  if (arenaBytes > most)
    throw new GpuUnsuitable(
      `Training needs ${arenaBytes} bytes in one buffer; the device allows ${most}. Use fewer rows, or request the device with the adapter's limits.`,
    );
}

function shareOn(device: GpuDevice): Shared {
  const known = sharedOf.get(device);
  if (known) return known;
  const bindings = device.createBindGroupLayout({
    entries: [
      { binding: 0, visibility: computeStage, buffer: { type: 'storage' } },
      { binding: 1, visibility: computeStage, buffer: { type: 'uniform', hasDynamicOffset: true } },
    ],
  });
  const layout = device.createPipelineLayout({ bindGroupLayouts: [bindings] });
  const shared = { bindings, layout, pipelines: new Map<string, Promise<GpuHandle>>() };
  sharedOf.set(device, shared);
  return shared;
}

function pipelineFor(device: GpuDevice, { layout, pipelines }: Shared, code: string): Promise<GpuHandle> {
  const known = pipelines.get(code);
  if (known) return known;
  const module = device.createShaderModule({ code });
  const made = device.createComputePipelineAsync({ layout, compute: { module, entryPoint: 'main' } });
  pipelines.set(code, made);
  return made;
}

function uniformsOf(dispatches: readonly Dispatch[]): Uint32Array<ArrayBuffer> {
  const words = slotBytes / Uint32Array.BYTES_PER_ELEMENT;
  const all = new Uint32Array(Math.max(dispatches.length, 1) * words);
  dispatches.forEach(({ numbers }, i) => {
    all.set(numbers, i * words);
  });
  return all;
}
