import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fetchHttp } from './fetch-http.ts';

let server: Server;
let url: string;
let closedUrl: string;

beforeAll(async () => {
  server = createServer((request, response) => {
    if (request.url === '/silent') return;
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      response.writeHead(request.url === '/refused' ? 409 : 200, { 'Upload-Offset': '7' });
      response.end(
        `${request.method ?? ''} ${String(request.headers['x-test'])} ${Buffer.concat(chunks).toString()}`,
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  closedUrl = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
  await new Promise((resolve) => other.close(resolve));
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString();

describe('fetchHttp', () => {
  it('sends method, headers and bytes, and gives status, headers and bytes', async () => {
    const body = Uint8Array.from(Buffer.from('part'));
    const answer = await fetchHttp({ method: 'PATCH', url, headers: { 'x-test': 'yes' }, body });
    expect(answer.status).toBe(200);
    expect(answer.header('upload-offset')).toBe('7');
    expect(answer.header('etag')).toBeUndefined();
    expect(textOf(answer.body)).toBe('PATCH yes part');
  });

  it('answers with a refusal, and does not throw it', async () => {
    expect((await fetchHttp({ method: 'GET', url: `${url}/refused`, headers: {} })).status).toBe(409);
  });

  it('says that it is offline when nobody answers', async () => {
    const request = { method: 'GET', url: closedUrl, headers: {} } as const;
    await expect(fetchHttp(request)).rejects.toMatchObject({ code: 'offline' });
  });

  it('gives up when it is told to', async () => {
    const stop = new AbortController();
    const request = { method: 'GET', url: `${url}/silent`, headers: {}, signal: stop.signal } as const;
    const answer = fetchHttp(request);
    stop.abort();
    await expect(answer).rejects.toMatchObject({ code: 'offline' });
  });
});
