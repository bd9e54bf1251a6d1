import { fromBase64 } from './base64.ts';

/** What is used of the WebAssembly JavaScript interface (W3C, WebAssembly JavaScript Interface, 2.0). */
interface WebAssemblyInterface {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
}

/** Missing where an engine has it not, as in Hermes, or has it switched off. */
declare const WebAssembly: WebAssemblyInterface | undefined;

/**
 * What a new instance of a module (base64, no imports) exports; `undefined` where the engine lacks WebAssembly or what the
 * module uses of it, or may not use it.
 */
export function wasmExports(module: string): unknown {
  if (typeof WebAssembly === 'undefined') return undefined;
  try {
    return new WebAssembly.Instance(new WebAssembly.Module(fromBase64(module))).exports;
  } catch {
    return undefined; // no vectors, or a page's content security policy forbids it
  }
}
