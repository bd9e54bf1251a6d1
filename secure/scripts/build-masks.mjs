/**
 * Compiles assembly/ to WebAssembly and writes it as base64 into src/masks/generated/, where TypeScript finds it. Does
 * nothing when that is newer than all sources.
 */
import { Buffer } from 'node:buffer';
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const room = fileURLToPath(new URL('..', import.meta.url));
const folder = `${room}src/masks/generated/`;
const generated = `${folder}chacha20.ts`;

async function compile() {
  const { default: asc } = await import('assemblyscript/asc');
  let binary;
  const { error, stderr } = await asc.main(
    [
      ...['assembly/index.ts', '--baseDir', room, '--outFile', 'chacha20.wasm'],
      ...['-O3', '--noAssert', '--runtime', 'stub', '--initialMemory', '1', '--noColors'],
      // AS112 warns of vectors in signatures of functions that JavaScript could call; only sources call these.
      ...['--enable', 'simd', '--disableWarning', '112'],
    ],
    { writeFile: (_, contents) => (binary = contents) },
  );
  const messages = stderr.toString().trim();
  if (error || messages) {
    throw new Error(`The kernel of the masks did not compile cleanly:\n${messages}`, { cause: error });
  }
  return binary;
}

function isFresh() {
  const sources = readdirSync(`${room}assembly`).map((file) => `${room}assembly/${file}`);
  sources.push(fileURLToPath(import.meta.url), `${room}assembly`);
  try {
    const made = statSync(generated).mtimeMs;
    return sources.every((file) => statSync(file).mtimeMs < made);
  } catch {
    return false; // not built yet
  }
}

export async function buildMasks() {
  if (isFresh()) return;
  const base64 = Buffer.from(await compile()).toString('base64');
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    generated,
    `/** Made from assembly/ by scripts/build-masks.mjs. */\nexport const chacha20Module =\n  '${base64}';\n`,
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildMasks();
