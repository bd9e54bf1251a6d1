import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { chromium, type Page } from 'playwright-core';
import { findBrowser, quietFlags } from '../../../scripts/chromium.mjs';
import type { GpuPage } from './webgpu-page.ts';

/** Names of functions on the page that take and give what JSON can carry. */
type Asked = keyof GpuPage;

export interface GpuTab {
  readonly adapter: string;
  ask<Name extends Asked>(name: Name, ...args: Parameters<GpuPage[Name]>): ReturnType<GpuPage[Name]>;
  close(): Promise<void>;
}

/** Software in place of a GPU, so that the shaders can be checked on any machine. */
const flags = [
  ...quietFlags,
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--enable-unsafe-swiftshader',
];

/** A tab with the page of WebGPU checks, or why there is none. */
export async function openGpuTab(): Promise<GpuTab | string> {
  const executablePath = findBrowser();
  if (executablePath === undefined) return 'needs Chromium: npm test installs it where it may';
  const script = await bundle();
  const server = createServer((request, response) => {
    const isScript = request.url === '/page.js';
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
    response.end(isScript ? script : '<!doctype html><title>WebGPU</title><script src="/page.js"></script>');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const browser = await chromium.launch({
    executablePath,
    args: flags,
    ignoreDefaultArgs: ['--disable-gpu'],
  });
  const close = async () => {
    await browser.close();
    await new Promise((resolve) => server.close(resolve));
  };
  const page = await browser.newPage();
  // WebGPU is there in secure contexts alone; localhost is one.
  await page.goto(`http://localhost:${(server.address() as AddressInfo).port}/`); // it listens on a port
  const ask: GpuTab['ask'] = (name, ...args) => call(page, name, args) as ReturnType<GpuPage[typeof name]>; // the page has it so
  const adapter = await ask('adapter');
  if (adapter !== undefined) return { adapter, ask, close };
  await close();
  return 'needs a WebGPU adapter: this Chromium offers none, not even in software';
}

function call(page: Page, name: Asked, args: readonly unknown[]): Promise<unknown> {
  return page.evaluate(
    ([method, values]) => {
      const { gpuPage } = globalThis as unknown as {
        gpuPage: Record<string, (...all: unknown[]) => unknown>;
      }; // the script of the page puts it there
      return gpuPage[method]!(...values);
    },
    [name, args] as const,
  );
}

async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('./webgpu-page.js', import.meta.url))],
    bundle: true,
    format: 'iife',
    target: 'es2022',
    platform: 'browser',
    write: false,
    logLevel: 'warning',
  });
  return outputFiles[0]!.text; // one entry gives one file
}
