/** ChaCha20 masks by WebAssembly with vectors of 128 bits (secure/assembly), tile by tile. */
import { wasmExports } from '@starling/protocol';
import { SecureError } from '../crypto/secure-error.ts';
import { chacha20Module } from './generated/chacha20.ts';
import { blockBytes, startOf, type Masks } from './masks.ts';

/** What assembly/index.ts exports. */
interface Kernel {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly keyPlace: { readonly value: number };
  readonly tilePlace: { readonly value: number };
  readonly tileBytes: { readonly value: number };
  readonly groupBytes: { readonly value: number };
  add(block: number, groups: number, sign: number, halves: number): void;
}

/**
 * Masks over a module and a memory (64 kB) of their own.
 * @throws SecureError `unsupported` where the engine lacks WebAssembly with vectors, or may not use it.
 */
export function wasmMasks(): Masks {
  const masks = wasmMasksIfAny();
  if (masks) return masks;
  throw new SecureError(
    'unsupported',
    'WebAssembly with 128-bit vectors is missing or forbidden here: use javaScriptMasks().',
  );
}

/** undefined where {@link wasmMasks} throws. */
export function wasmMasksIfAny(): Masks | undefined {
  const exports = wasmExports(chacha20Module);
  return exports === undefined ? undefined : masksOf(exports as Kernel); // the module is ours; the tests use every export
}

function masksOf(kernel: Kernel): Masks {
  const keyPlace = new Uint8Array(kernel.memory.buffer, kernel.keyPlace.value, 32);
  const tile = new Uint8Array(kernel.memory.buffer, kernel.tilePlace.value, kernel.tileBytes.value);
  const tileBlocks = tile.length / blockBytes;

  function add(
    key: Uint8Array,
    target: Uint32Array | Uint16Array,
    from: number,
    sign: 1 | -1,
    halves: 0 | 1,
  ): void {
    const { block, skip } = startOf(key, target, from);
    const bytes = new Uint8Array(target.buffer, target.byteOffset, target.byteLength);
    keyPlace.set(key);
    // Ends of a block that lie outside the range get their stream too, but are not copied back.
    let ahead = skip * target.BYTES_PER_ELEMENT;
    for (let done = 0, at = block; done < bytes.length; at += tileBlocks) {
      const part = bytes.subarray(done, done + tile.length - ahead);
      tile.set(part, ahead);
      kernel.add(at, Math.ceil((ahead + part.length) / kernel.groupBytes.value), sign, halves);
      part.set(tile.subarray(ahead, ahead + part.length));
      done += part.length;
      ahead = 0;
    }
    keyPlace.fill(0);
    tile.fill(0);
  }

  return {
    name: 'wasm',
    add32(key, target, from, sign) {
      add(key, target, from, sign, 0);
    },
    add16(key, target, from, sign) {
      add(key, target, from, sign, 1);
    },
  };
}
