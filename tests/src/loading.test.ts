import { execFile } from 'node:child_process';
import { cp, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databaseTemplate, temporaryDirectory } from './testing/servers.ts';

/** What is not used is not loaded: it would be paid for by everyone. */

const run = promisify(execFile);
const here = fileURLToPath(new URL('..', import.meta.url));
const cli = fileURLToPath(new URL('../../cli/dist/main.js', import.meta.url));

let place: Awaited<ReturnType<typeof temporaryDirectory>>;
let template: Awaited<ReturnType<typeof databaseTemplate>>;
beforeAll(async () => {
  place = await temporaryDirectory();
  template = await databaseTemplate();
}, 240_000);
afterAll(async () => {
  await template.remove();
  await place.remove();
});

/** URLs of the modules that a run of Node loaded: V8's coverage names them. */
async function loadedBy(name: string, words: readonly string[]): Promise<string[]> {
  const into = join(place.path, name);
  await run(process.execPath, words, { cwd: here, env: { ...process.env, NODE_V8_COVERAGE: into } });
  const reports = await Promise.all((await readdir(into)).map((file) => readFile(join(into, file), 'utf8')));
  return reports.flatMap((report) =>
    (JSON.parse(report) as { result: { url: string }[] }).result.map(({ url }) => url),
  );
}

describe('what is loaded', { timeout: 120_000 }, () => {
  it('by a command for a running server is neither the server nor the simulator', async () => {
    const urls = await loadedBy('cli', [cli, 'keys', 'list', '--help']);
    expect(urls.some((url) => url.includes('/protocol/dist/'))).toBe(true);
    expect(urls.filter((url) => /\/(server|simulator|client-sdk)\/dist\//.test(url))).toEqual([]);
  });

  it('by a server that nobody watches is neither the metrics nor the traces', async () => {
    const data = join(place.path, 'data');
    await cp(template.path, data, { recursive: true });
    const program = `
      const watched = process.argv[2] === 'watched' ? { metrics: { host: '127.0.0.1', port: 0 } } : {};
      const options = { dataDirectory: process.argv[1], logLevel: 'silent', ...watched };
      import('@starling/server')
        .then(({ startServer }) => startServer(options))
        .then((server) => server.close());`;
    const watching = (urls: readonly string[]) =>
      urls.filter((url) => /node_modules\/(prom-client|@opentelemetry)\//.test(url));
    expect(watching(await loadedBy('watched', ['-e', program, data, 'watched'])).length).toBeGreaterThan(0);
    const urls = await loadedBy('unwatched', ['-e', program, data, 'unwatched']);
    expect(urls.some((url) => url.includes('/server/dist/'))).toBe(true);
    expect(watching(urls)).toEqual([]);
  });
});
