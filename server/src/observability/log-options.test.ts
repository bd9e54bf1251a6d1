import Fastify from 'fastify';
import { describe, expect, it } from 'vitest';
import { logOptions } from './log-options.ts';

const secret = 'sk_planted';

/** What a server with these options logs while it answers one request and logs an object by hand. */
async function logged(logger: object): Promise<string> {
  let text = '';
  const stream = { write: (line: string) => (text += line) };
  const api = Fastify({ logger: { ...logger, stream } });
  api.post('/v1/things/:id', (request) => {
    request.log.error(
      {
        token: secret,
        credentials: { password: secret, nested: { key: secret } },
        error: Object.assign(new Error('It broke.'), { code: 'broken', headers: secret }),
      },
      'said by hand',
    );
    throw new Error('It broke again.');
  });
  const { statusCode } = await api.inject({
    method: 'POST',
    url: `/v1/things/42?token=${secret}`,
    headers: { authorization: `Bearer ${secret}`, cookie: secret },
    payload: { content: secret },
    remoteAddress: '203.0.113.7',
  });
  expect(statusCode).toBe(500);
  await api.close();
  return text;
}

describe('what the server logs of a request', () => {
  it('is its method, its route and its status: no credential, address, query or content', async () => {
    const text = await logged(logOptions('trace'));
    expect(text).toContain('/v1/things/:id');
    expect(text).toContain('"statusCode":500');
    expect(text).toContain('It broke.');
    expect(text).toContain('"code":"broken"');
    expect(text).toContain('[redacted]');
    expect(text).not.toContain(secret);
    expect(text).not.toContain('203.0.113.7');
  });

  it('would be more without the options', async () => {
    const text = await logged({ level: 'trace' });
    expect(text).toContain(secret);
    expect(text).toContain('203.0.113.7');
  });
});
