import type { KernelExports } from './binder.ts';

/** What is used of the WebAssembly JavaScript interface (W3C, WebAssembly JavaScript Interface, 2.0). */
interface WebAssemblyInterface {
  readonly Memory: new (size: { initial: number; maximum: number }) => WasmMemory;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
  validate(bytes: Uint8Array): boolean;
}

export interface WasmMemory {
  readonly buffer: ArrayBuffer;
}

/** Missing where an engine has it not, as in Hermes, or has it switched off. */
declare const WebAssembly: WebAssemblyInterface | undefined;

/** One build of the kernels: a WebAssembly module in base64, so that a bundle carries it and nothing is fetched. */
export interface KernelBuild {
  /** The name of the backend that runs it. */
  readonly name: string;
  readonly base64: string;
}

const compiled = new Map<KernelBuild, object>();

export function webAssembly(): WebAssemblyInterface {
  if (typeof WebAssembly === 'undefined')
    throw new TypeError('This JavaScript engine has no WebAssembly: use the JavaScript backend.');
  return WebAssembly;
}

export function isValid(build: KernelBuild): boolean {
  return (
    typeof WebAssembly !== 'undefined' &&
    (compiled.has(build) || WebAssembly.validate(fromBase64(build.base64)))
  );
}

/** Kernels over a memory; the module is compiled at the first use and kept. */
export function instantiate(build: KernelBuild, memory: WasmMemory): KernelExports {
  const { Module, Instance } = webAssembly();
  let module = compiled.get(build);
  if (!module) {
    module = new Module(fromBase64(build.base64));
    compiled.set(build, module);
  }
  const { exports } = new Instance(module, { env: { memory } });
  return exports as KernelExports; // the module is ours; a test holds its exports against the names
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** Of well-formed base64 (RFC 4648, section 4). */
export function fromBase64(text: string): Uint8Array {
  const values = new Uint8Array(128);
  for (let i = 0; i < alphabet.length; i++) values[alphabet.charCodeAt(i)] = i;
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const bytes = new Uint8Array((text.length / 4) * 3 - padding);
  for (let from = 0, to = 0; from < text.length; from += 4, to += 3) {
    const value = (i: number) => values[text.charCodeAt(from + i)];
    const bits = (value(0) << 18) | (value(1) << 12) | (value(2) << 6) | value(3);
    bytes[to] = bits >> 16;
    bytes[to + 1] = bits >> 8; // writes beyond the end of a typed array are dropped
    bytes[to + 2] = bits;
  }
  return bytes;
}
