import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Browser, Page } from 'playwright-core';

const room = fileURLToPath(new URL('../../../', import.meta.url));

/** A page whose `engine` is the package @starling/model, bundled as an app would. */
export interface EnginePage {
  readonly page: Page;
  close(): Promise<void>;
}

export async function engineBundle(): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: `export * from '@starling/model';`, resolveDir: room },
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

export async function openEnginePage(browser: Browser, script: string): Promise<EnginePage> {
  const server = createServer(({ url }, response) => {
    if (url === '/engine.js') response.setHeader('content-type', 'text/javascript').end(script);
    else
      response
        .setHeader('content-type', 'text/html')
        .end('<!doctype html><script src="/engine.js"></script>');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const page = await browser.newPage();
  await page.goto(`http://localhost:${port}/`);
  return {
    page,
    async close() {
      await page.close();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
