import type { Backend } from '../kernels/backend.ts';
import { jsBackend } from '../kernels/js/index.ts';
import { isWasmSupported, wasmBackend } from '../kernels/wasm/index.ts';
import { expectedPassports } from './expected.ts';
import { passportOf } from './passport.ts';

/** What one backend showed on this device. */
export interface BackendReport {
  readonly name: string;
  readonly passport: string;
  /** Whether it trains as it does everywhere else, to the last bit. */
  readonly isTrusted: boolean;
  /** The least time of a few rounds of the passport's six steps of training, set-up included, in milliseconds. */
  readonly passportMs: number;
}

export interface ProbeReport {
  /** The name of the fastest trusted backend. */
  readonly fastest: string;
  readonly backends: readonly BackendReport[];
  /** Bytes of arena that could be had at once, at most what was asked for. */
  readonly arenaBytes: number;
}

export interface ProbeOptions {
  /** A clock in milliseconds. */
  readonly now: () => number;
  /** Bytes to try for, halved until they can be had; 256 MiB unless told. */
  readonly mostBytes?: number;
}

/** Every backend of this engine that this runtime can run, the preferred one first. */
export function availableBackends(): readonly Backend[] {
  return isWasmSupported() ? [wasmBackend(), jsBackend] : [jsBackend];
}

let trusted: Backend | undefined;

/**
 * The first available backend whose passport is the expected one; plain JavaScript where none is. Found once, in a few
 * milliseconds.
 */
export function trustedBackend(): Backend {
  trusted ??= availableBackends().find((backend) => isTrusted(backend, passportIfAny(backend))) ?? jsBackend;
  return trusted;
}

/** Measures what this device can do. Takes some tens of milliseconds: keep the report for as long as the engine's version stays. */
export function probe({ now, mostBytes = 256 * 2 ** 20 }: ProbeOptions): ProbeReport {
  const backends = availableBackends().map((backend): BackendReport => {
    const times: number[] = [];
    let passport = '';
    for (let round = 0; round < 3; round++) {
      const start = now();
      passport = passportIfAny(backend);
      times.push(now() - start);
    }
    const { name } = backend;
    return {
      name,
      passport,
      isTrusted: isTrusted(backend, passport),
      passportMs: Math.min(...times),
    };
  });
  const usable = backends.filter((backend) => backend.isTrusted);
  const fastest = usable.reduce<BackendReport | undefined>(
    (best, next) => (best && best.passportMs <= next.passportMs ? best : next),
    undefined,
  );
  return { fastest: fastest?.name ?? jsBackend.name, backends, arenaBytes: largestArena(mostBytes) };
}

/** Empty where the backend cannot even start: a page's policy may forbid WebAssembly ('wasm-unsafe-eval' is missing). */
function passportIfAny(backend: Backend): string {
  try {
    return passportOf(backend);
  } catch {
    return '';
  }
}

function isTrusted({ name }: Backend, passport: string): boolean {
  return expectedPassports[name] === passport;
}

function largestArena(mostBytes: number): number {
  for (let bytes = mostBytes; bytes >= 2 ** 20; bytes /= 2) {
    try {
      trustedBackend().createMemory(bytes / Float32Array.BYTES_PER_ELEMENT);
      return bytes;
    } catch {
      // less, then
    }
  }
  return 0;
}
