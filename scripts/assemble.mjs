/** Compiles AssemblyScript to WebAssembly, written as base64 into a TypeScript file, so that a bundle carries it. */
import { Buffer } from 'node:buffer';
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const common = [
  ...['-O3', '--noAssert', '--runtime', 'stub', '--noColors'],
  // AS112 warns of vectors in signatures of functions that JavaScript could call; only sources call these.
  ...['--disableWarning', '112', '--outFile', 'module.wasm'],
];

/**
 * Makes what is missing or older than a source.
 * @param room - Its assembly/index.ts is compiled.
 * @param script - URL of the script that asks: its change makes anew too.
 * @param builds - `file`: where to write; `name`: of the constant; `what`: said in the file and in errors;
 *   `options`: of the compiler, besides those that all builds share.
 */
export async function assemble(room, script, builds) {
  const folder = `${room}assembly`;
  const sources = [
    ...readdirSync(folder, { recursive: true }).map((file) => `${folder}/${file}`),
    ...[folder, fileURLToPath(script), fileURLToPath(import.meta.url)],
  ];
  const newest = Math.max(...sources.map((file) => statSync(file).mtimeMs));
  if (builds.every(({ file }) => timeOf(file) > newest)) return;
  for (const build of builds) await compile(room, build);
}

function timeOf(file) {
  try {
    return statSync(file).mtimeMs;
  } catch {
    return -Infinity; // not built yet
  }
}

async function compile(room, { file, name, what, options }) {
  const { default: asc } = await import('assemblyscript/asc');
  let binary;
  const { error, stderr } = await asc.main(['assembly/index.ts', ...common, ...options, '--baseDir', room], {
    writeFile: (_, contents) => (binary = contents),
  });
  const messages = stderr.toString().trim();
  if (error || messages)
    throw new Error(`assembly/ (${what}) did not compile cleanly:\n${messages}`, { cause: error });
  const base64 = Buffer.from(binary).toString('base64');
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `/** Made from assembly/: ${what}. */\nexport const ${name} =\n  '${base64}';\n`);
}
