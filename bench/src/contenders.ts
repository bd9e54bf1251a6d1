import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Contender } from './contender.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Node 20 hides relaxed SIMD behind a flag that later ones no longer know. */
const relaxedFlags =
  Number(process.versions.node.split('.')[0]) < 22 ? ['--experimental-wasm-relaxed-simd'] : [];

/** Ours: strict and relaxed WebAssembly, and plain JavaScript. */
export function starling(kind: 'strict' | 'relaxed' | 'js'): Contender {
  return {
    name: kind === 'strict' ? 'starling' : `starling-${kind}`,
    command: process.execPath,
    args: [...(kind === 'relaxed' ? relaxedFlags : []), join(root, 'bench/dist/starling.js'), kind],
  };
}

/** PyTorch on one thread, in the interpreter of a Python that has it. */
export function torch(python: string): Contender {
  return {
    name: 'torch',
    command: python,
    args: [join(root, 'bench/contenders/torch_worker.py')],
    env: {
      PYTHONPATH: [join(root, 'cluster/src'), ...(process.env['PYTHONPATH']?.split(delimiter) ?? [])].join(
        delimiter,
      ),
      OMP_NUM_THREADS: '1',
      MKL_NUM_THREADS: '1',
    },
  };
}

/** TensorFlow.js where its packages are found from a directory, which is never a dependency of this repository. */
export function tfjs(directory: string): Contender | undefined {
  const from = createRequire(resolve(directory, 'resolve-from-here.js'));
  const found = ['@tensorflow/tfjs', '@tensorflow/tfjs-backend-wasm'].every((name) =>
    (from.resolve.paths(name) ?? []).some((place) => existsSync(join(place, name, 'package.json'))),
  );
  if (!found) return undefined;
  return {
    name: 'tfjs',
    command: process.execPath,
    args: [join(root, 'bench/contenders/tfjs.mjs'), resolve(directory)],
  };
}
