/**
 * Compiles assembly/ to WebAssembly twice, strict and with relaxed SIMD, and writes both as base64 into
 * src/kernels/wasm/generated/, where TypeScript finds them. Does nothing when these are newer than all sources.
 */
import { Buffer } from 'node:buffer';
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const room = fileURLToPath(new URL('..', import.meta.url));
const generated = `${room}src/kernels/wasm/generated/`;
const builds = [
  { name: 'strict', what: 'the same bits on every processor', features: ['simd'] },
  {
    name: 'relaxed',
    what: 'fused multiply-add where the processor has it',
    features: ['simd', 'relaxed-simd'],
  },
];

const common = ['-O3', '--noAssert', '--runtime', 'stub', '--importMemory', '--noExportMemory', '--noColors'];

async function compile({ name, what, features }) {
  const { default: asc } = await import('assemblyscript/asc');
  let binary;
  const { error, stderr } = await asc.main(
    [
      'assembly/index.ts',
      ...common,
      ...features.flatMap((feature) => ['--enable', feature]),
      // AS112 warns of vectors in signatures of functions that JavaScript could call; only sources call these.
      ...['--disableWarning', '112', '--outFile', 'kernels.wasm', '--baseDir', room],
    ],
    { writeFile: (_, contents) => (binary = contents) },
  );
  const messages = stderr.toString().trim();
  if (error || messages)
    throw new Error(`The ${name} kernels did not compile cleanly:\n${messages}`, { cause: error });
  const base64 = Buffer.from(binary).toString('base64');
  writeFileSync(
    `${generated}${name}.ts`,
    `/** Made from assembly/ by scripts/build-kernels.mjs: ${what}. */\nexport const ${name}Module =\n  '${base64}';\n`,
  );
}

function isFresh() {
  const sources = readdirSync(`${room}assembly`, { recursive: true }).map(
    (file) => `${room}assembly/${file}`,
  );
  sources.push(fileURLToPath(import.meta.url), `${room}assembly`);
  const newest = Math.max(...sources.map((file) => statSync(file).mtimeMs));
  try {
    return builds.every(({ name }) => statSync(`${generated}${name}.ts`).mtimeMs > newest);
  } catch {
    return false; // not built yet
  }
}

export async function buildKernels() {
  if (isFresh()) return;
  mkdirSync(generated, { recursive: true });
  for (const build of builds) await compile(build);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildKernels();
