import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';
import { quietFlagsWithoutGpu } from '../../scripts/chromium.mjs';
import { median, minimum } from './statistics.ts';
import { documentPath, type Workload } from './workloads.ts';

/** How long a fresh page of a browser takes from the first byte of the engine's script to the end of its first step. */
export interface ColdStart {
  readonly bench: 'cold-start';
  readonly workload: string;
  readonly model: string;
  readonly rounds: number;
  readonly minMs: number;
  readonly medianMs: number;
  /** The engine with its strict kernels, minified, as served with gzip. */
  readonly bundleKb: number;
}

const root = fileURLToPath(new URL('../..', import.meta.url));
/**
 * What the page does once the engine is there: a model from its document, weights as if they had been downloaded, one step on
 * ten rows of zeros.
 */
const firstStep = `
  const model = engine.parseModel(documentOfModel);
  const program = engine.compile(model, { batch: 10, backend: engine.wasmBackend() });
  const layout = engine.layoutOf(model);
  const trainer = program.trainer({ layout, values: new Float32Array(layout.size).fill(0.01) });
  const batch = {
    x: new Float32Array(10 * model.inputSize),
    y: new Int32Array(10 * model.labelSize),
    count: 10,
  };
  trainer.step(batch, { rate: 0.01 });
`;

/** @throws When there is no Chromium at `executablePath`, with the message of the driver. */
export async function measureColdStarts(
  workloads: readonly Workload[],
  rounds: number,
  executablePath: string,
): Promise<ColdStart[]> {
  const engine = await bundle();
  const bundleKb = Math.round(gzipSync(engine, { level: 9 }).length / 100) / 10;
  const found: ColdStart[] = [];
  for (const { id, zoo, rows } of workloads) {
    if (!('train' in rows)) continue; // an episode is more than a first step
    const document = readFileSync(documentPath(zoo), 'utf8');
    const script = `{ const start = performance.now(); ${engine}; const documentOfModel = ${document}; ${firstStep}; globalThis.milliseconds = performance.now() - start; }`;
    const times: number[] = [];
    for (let round = 0; round < rounds; round++) times.push(await runOnce(script, executablePath));
    found.push({
      bench: 'cold-start',
      workload: id,
      model: zoo,
      rounds,
      minMs: Math.round(minimum(times) * 10) / 10,
      medianMs: Math.round(median(times) * 10) / 10,
      bundleKb,
    });
  }
  return found;
}

/** A browser of its own each time: nothing is compiled or cached yet. */
async function runOnce(script: string, executablePath: string): Promise<number> {
  const browser = await chromium.launch({ executablePath, args: quietFlagsWithoutGpu });
  try {
    const page = await browser.newPage();
    await page.addScriptTag({ content: script });
    return await page.evaluate(() => (globalThis as unknown as { milliseconds: number }).milliseconds);
  } finally {
    await browser.close();
  }
}

async function bundle(): Promise<string> {
  const contents = `export { compile, layoutOf, parseModel, wasmBackend } from '@starling/model';`;
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: root },
    bundle: true,
    minify: true,
    write: false,
    format: 'iife',
    globalName: 'engine',
    target: 'es2022',
    platform: 'browser',
  });
  return outputFiles[0]!.text;
}
