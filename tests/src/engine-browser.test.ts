import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chromium, type Browser } from 'playwright-core';
import * as engine from '@starling/model';
import { engineBundle, openEnginePage, type EnginePage } from './testing/engine-page.ts';
import { findBrowser, quietFlagsWithoutGpu } from '../../scripts/chromium.mjs';

const executablePath = findBrowser();

/** Runs here and, as text, in the page: it may use nothing but its arguments and the global `engine`. */
function train({
  document,
  steps,
  backend,
}: {
  document: unknown;
  steps: number;
  backend: 'wasm' | 'js';
}): string {
  const { compile, initialise, jsBackend, parseModel, stream, wasmBackend } = (
    globalThis as unknown as { engine: typeof engine }
  ).engine;
  const model = parseModel(document);
  const random = stream(1, 'data');
  const rows = 10;
  const x = Float32Array.from({ length: rows * model.inputSize }, () =>
    model.vocabulary === undefined ? random.nextFloat() : random.below(model.vocabulary),
  );
  const y = Int32Array.from({ length: rows * model.labelSize }, () => random.below(model.classes));
  const program = compile(model, { batch: rows, backend: backend === 'js' ? jsBackend : wasmBackend() });
  const trainer = program.trainer(initialise(model, 1));
  for (let step = 0; step < steps; step++) trainer.step({ x, y, count: rows }, { rate: 0.05 });
  const { values } = trainer.read();
  let digest = 0xcbf29ce484222325n;
  for (const byte of new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
    digest = BigInt.asUintN(64, (digest ^ BigInt(byte)) * 0x100000001b3n);
  return digest.toString(16);
}

const zoo = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../model/zoo/${name}.json`, import.meta.url), 'utf8'));

describe.skipIf(executablePath === undefined)(
  'the engine in a browser (needs Chromium: npm test installs it where it may)',
  () => {
    let browser: Browser;
    let opened: EnginePage;
    beforeAll(async () => {
      (globalThis as unknown as { engine: typeof engine }).engine = engine;
      browser = await chromium.launch({ executablePath: executablePath ?? '', args: quietFlagsWithoutGpu });
      opened = await openEnginePage(browser, await engineBundle());
    });
    afterAll(async () => {
      await opened.close();
      await browser.close();
    });

    it.each(['har-mlp', 'sensor-cnn', 'char-lstm', 'tiny-gpt', 'conv4'])(
      'trains %s to the same bits as in Node, over 20 strict steps',
      { timeout: 60_000 },
      async (name) => {
        const course = { document: zoo(name), steps: 20, backend: 'wasm' } as const;
        expect(await opened.page.evaluate(train, course)).toBe(train(course));
      },
    );

    it('trains to the same bits in plain JavaScript too', { timeout: 60_000 }, async () => {
      const course = { document: zoo('har-mlp'), steps: 20, backend: 'js' } as const;
      expect(await opened.page.evaluate(train, course)).toBe(train(course));
    });

    it('has the passports that are expected everywhere, so WebAssembly is what is trusted', async () => {
      const found = await opened.page.evaluate(() => {
        const { trustedBackend, probe } = (globalThis as unknown as { engine: typeof engine }).engine;
        const report = probe({ now: () => performance.now(), mostBytes: 32 * 2 ** 20 });
        return { trusted: trustedBackend().name, report };
      });
      expect(found.trusted).toBe('wasm');
      expect(found.report.backends.map(({ isTrusted }) => isTrusted)).toEqual([true, true]);
      expect(found.report.arenaBytes).toBe(32 * 2 ** 20);
    });
  },
);
