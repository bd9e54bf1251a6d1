import { relaxedModule } from './generated/relaxed.ts';
import type { KernelBuild } from './module.ts';

/**
 * Kernels with fused multiply-add where the processor has it: faster on some, and results may differ in their last bits
 * between processors. A file of its own, so that only those who ask for it carry it.
 */
export const relaxedKernels: KernelBuild = { name: 'wasm-relaxed', base64: relaxedModule };
