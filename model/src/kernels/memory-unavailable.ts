import type { Backend } from './backend.ts';

/** There is not as much memory as a program needs, or as it may have. */
export class MemoryUnavailable extends Error {
  override readonly name = 'MemoryUnavailable';
  readonly code = 'memory-unavailable';
  readonly bytes: number;

  constructor(bytes: number, why = 'cannot be had', cause?: unknown) {
    super(`${bytes} bytes of memory were asked for and ${why}. Use a smaller batch or a smaller model.`, {
      cause,
    });
    this.bytes = bytes;
  }
}

/** A backend that gives no program more than `mostBytes`, and takes none of them first. */
export function withLimit(backend: Backend, mostBytes: number): Backend {
  return Object.freeze({
    ...backend,
    createMemory(floats: number) {
      const bytes = floats * Float32Array.BYTES_PER_ELEMENT;
      if (bytes > mostBytes) throw new MemoryUnavailable(bytes, `at most ${mostBytes} are allowed`);
      return backend.createMemory(floats);
    },
  });
}
