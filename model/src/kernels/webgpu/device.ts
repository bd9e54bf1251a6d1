/**
 * What this backend uses of WebGPU (W3C, WebGPU, sections 4 to 19). A browser's `GPUDevice` is one of these; it is handed in,
 * so that the engine itself asks no platform for anything.
 */
export interface GpuDevice {
  readonly limits: GpuLimits;
  readonly queue: GpuQueue;
  createBuffer(descriptor: { size: number; usage: number }): GpuBuffer;
  createShaderModule(descriptor: { code: string }): GpuHandle;
  createBindGroupLayout(descriptor: { entries: GpuLayoutEntry[] }): GpuHandle;
  createPipelineLayout(descriptor: { bindGroupLayouts: GpuHandle[] }): GpuHandle;
  createBindGroup(descriptor: { layout: GpuHandle; entries: GpuBindGroupEntry[] }): GpuHandle;
  /** Wider than what is asked here, as the platform's own type is, so that both fit. */
  createComputePipelineAsync(descriptor: {
    layout: GpuHandle | 'auto';
    compute: { module: GpuHandle; entryPoint?: string };
  }): Promise<GpuHandle>;
  createCommandEncoder(): GpuCommandEncoder;
  pushErrorScope(filter: 'out-of-memory'): void;
  popErrorScope(): Promise<{ readonly message: string } | null>;
}

/** Anything that a device made and takes back. */
export interface GpuHandle {
  label: string;
}

export interface GpuLimits {
  readonly maxBufferSize: number;
  readonly maxStorageBufferBindingSize: number;
  readonly maxComputeWorkgroupsPerDimension: number;
}

export interface GpuQueue {
  writeBuffer(
    buffer: GpuBuffer,
    offset: number,
    data: Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>,
  ): void;
  submit(commands: GpuHandle[]): void;
}

export interface GpuBuffer extends GpuHandle {
  readonly size: number;
  readonly usage: number;
  readonly mapState: 'unmapped' | 'pending' | 'mapped';
  mapAsync(mode: number): Promise<void>;
  getMappedRange(): ArrayBuffer;
  unmap(): void;
  destroy(): void;
}

export interface GpuLayoutEntry {
  binding: number;
  visibility: number;
  buffer: { type: 'storage' | 'uniform'; hasDynamicOffset?: boolean };
}

export interface GpuBindGroupEntry {
  binding: number;
  resource: { buffer: GpuBuffer; size?: number };
}

export interface GpuCommandEncoder {
  beginComputePass(): GpuComputePass;
  copyBufferToBuffer(
    from: GpuBuffer,
    fromOffset: number,
    to: GpuBuffer,
    toOffset: number,
    size: number,
  ): unknown;
  finish(): GpuHandle;
}

export interface GpuComputePass {
  setPipeline(pipeline: GpuHandle): unknown;
  setBindGroup(index: number, group: GpuHandle, offsets: number[]): unknown;
  dispatchWorkgroups(x: number, y: number): unknown;
  end(): unknown;
}

/** `GPUBufferUsage`, as the specification numbers it. */
export const usage = {
  mapRead: 0x1,
  copySource: 0x4,
  copyTarget: 0x8,
  uniform: 0x40,
  storage: 0x80,
} as const;
/** `GPUShaderStage.COMPUTE` */
export const computeStage = 0x4;
/** `GPUMapMode.READ` */
export const mapRead = 0x1;
