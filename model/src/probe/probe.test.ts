import { describe, expect, it } from 'vitest';
import { jsBackend } from '../kernels/js/index.ts';
import type { Backend, KernelCall, Memory } from '../kernels/backend.ts';
import { expectedPassports } from './expected.ts';
import { passportOf } from './passport.ts';
import { availableBackends, probe, trustedBackend } from './probe.ts';

/** A backend that adds a little to every product: what a broken engine might do. */
const broken: Backend = {
  ...jsBackend,
  bind(call: KernelCall, memory: Memory) {
    const run = jsBackend.bind(call, memory);
    if (call.op !== 'matmul') return run;
    return () => {
      run();
      memory.floats[call.output.offset] *= 1 + 2 ** -23;
    };
  },
};

describe('passports', () => {
  it.each(availableBackends())('of $name is the one expected on every runtime', (backend) => {
    expect(passportOf(backend)).toBe(expectedPassports[backend.name]);
  });

  it('differs when one number is a single bit off', () => {
    expect(passportOf(broken)).not.toBe(passportOf(jsBackend));
  });
});

describe('probe', () => {
  it('trusts WebAssembly here, and measures every backend', () => {
    expect(trustedBackend().name).toBe('wasm');
    let clock = 0;
    const report = probe({ now: () => (clock += 1), mostBytes: 2 ** 22 });
    expect(report.backends.map(({ name, isTrusted }) => [name, isTrusted])).toEqual([
      ['wasm', true],
      ['js', true],
    ]);
    expect(report.fastest).toBe('wasm'); // on a clock that ticks alike for both, the first
    expect(report.arenaBytes).toBe(2 ** 22);
  });
});
