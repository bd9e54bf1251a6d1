import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import serveStatic from '@fastify/static';
import type { Api } from './http.ts';

/** What the console may load: nothing from elsewhere, and no script but its own files. Its components set styles. */
const policy = [
  "default-src 'self'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'self'",
].join('; ');

/** Serves the console, a single-page app built into `root`, at /console/: its files, and its page for every other path. */
export async function addConsole(api: Api, root: string): Promise<void> {
  const page = await readFile(join(root, 'index.html'), 'utf8');
  await api.register(serveStatic, {
    root,
    prefix: '/console/',
    decorateReply: false,
    wildcard: false,
    index: false,
    preCompressed: true, // by the build, as `<name>.gz`
    setHeaders: (reply, path) => {
      reply.setHeader('content-security-policy', policy);
      // names of assets hold a digest of what is in them
      if (path.startsWith(join(root, 'assets')))
        reply.setHeader('cache-control', 'public, max-age=31536000, immutable');
    },
  });
  api.get('/console/*', { schema: { hide: true } }, (_request, reply) =>
    reply
      .type('text/html; charset=utf-8')
      .header('content-security-policy', policy)
      .header('cache-control', 'no-cache')
      .send(page),
  );
  for (const path of ['/', '/console'])
    api.get(path, { schema: { hide: true } }, (_request, reply) => reply.redirect('/console/', 302));
}
