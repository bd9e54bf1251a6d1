import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isProblemCode } from '@starling/protocol';
import { testServer, type TestServer } from './testing/servers.ts';
import { filledExample, filledPath, idleCloud, makeTenant, type Tenant } from './testing/tenants.ts';

/**
 * Every operation of /openapi.json under bodies, paths and queries that nobody sends by mistake: as an admin and as a
 * device. Whatever comes, the answer is one that the caller can act on, and never "the server failed".
 */

interface Operation {
  method: string;
  path: string;
  takesSession: boolean;
  example: unknown;
  media: string | undefined;
  query: string[];
}

interface Described {
  'x-role'?: string;
  security: Record<string, string[]>[];
  parameters?: { in: string; name: string }[];
  requestBody?: { content: Record<string, { schema?: { examples?: unknown[] }; example?: unknown }> };
}

let world: TestServer;
let tenant: Tenant;
let operations: Operation[];
const unhandled: unknown[] = [];
const note = (error: unknown) => unhandled.push(error);

beforeAll(async () => {
  process.on('unhandledRejection', note);
  const generous = { burst: 1e9, perSecond: 1e9 };
  world = await testServer({
    cloud: idleCloud(),
    rates: {
      ...{ refused: generous, key: generous, device: generous, deviceBytes: generous },
      ...{ enrolment: generous, challenge: generous, challengeFromAddress: generous },
    },
  });
  tenant = await makeTenant(world.admin, 'hostile');
  const document = await world.admin.get<{ paths: Record<string, Record<string, Described>> }>(
    '/openapi.json',
  );
  operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, described]) => {
      const content = described.requestBody?.content ?? {};
      const json = content['application/json'];
      return {
        ...{ method: method.toUpperCase(), path, media: Object.keys(content)[0] },
        takesSession: described.security.some((scheme) => 'session' in scheme),
        example: json?.example ?? json?.schema?.examples?.[0],
        query: (described.parameters ?? []).filter((one) => one.in === 'query').map(({ name }) => name),
      };
    }),
  );
}, 240_000);
afterAll(async () => {
  process.off('unhandledRejection', note);
  await world.close();
});

const awkward = [
  ...[null, true, '', 0, -1, 0.5, 1e308, -1e308, 2 ** 31, 2 ** 53, 2 ** 64, [], {}],
  ...[
    '\u0000',
    'a\u0000b',
    '\ud800',
    '\u202e',
    '😀'.repeat(200),
    'x'.repeat(10_000),
    "'; drop table tasks; --",
  ],
  ...['__proto__', 'constructor', '../../etc/passwd', '%00', '${7*7}', '9'.repeat(400)],
  ...[JSON.parse('{"constructor":{"prototype":{"polluted":1}}}') as unknown, [[[[[[[[]]]]]]]]],
];
const awkwardValue = fc.oneof(fc.constantFrom(...awkward), fc.jsonValue({ maxDepth: 3 }));
const pathWord = fc.oneof(
  fc.constantFrom(
    '..',
    '%00',
    '%2e%2e%2f',
    '__proto__',
    'null',
    '%F0%9F%98%80',
    `tsk_${'A'.repeat(22)}`,
    'a'.repeat(64),
  ),
  fc.string({ unit: 'grapheme', maxLength: 40 }).map((text) => encodeURIComponent(text) || '-'),
);

/** The example with one place in it replaced, removed or added to; or something else altogether. */
const nearMiss = (example: unknown) =>
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.tuple(fc.nat(), awkwardValue).map(([place, value]) => replaced(example, place, value)),
    },
    { weight: 1, arbitrary: awkwardValue },
    {
      weight: 1,
      arbitrary: awkwardValue.map((value) =>
        typeof example === 'object' && example !== null ? { ...example, surplus: value } : value,
      ),
    },
  );

/** A copy in which the `place`th value (counted around) is another. */
function replaced(value: unknown, place: number, by: unknown): unknown {
  const places: { holder: Record<string, unknown>; key: string }[] = [];
  const walk = (holder: Record<string, unknown>) => {
    for (const [key, inner] of Object.entries(holder)) {
      places.push({ holder, key });
      if (typeof inner === 'object' && inner !== null) walk(inner as Record<string, unknown>); // arrays too: by index
    }
  };
  const copy: unknown = structuredClone(value);
  if (typeof copy !== 'object' || copy === null) return by;
  walk(copy as Record<string, unknown>);
  const chosen = places[place % Math.max(1, places.length)];
  if (!chosen) return by;
  chosen.holder[chosen.key] = by;
  return copy;
}

async function requireOrderly(
  operation: Operation,
  url: string,
  body: string | undefined,
  token: string,
  media = operation.media,
): Promise<void> {
  const abort = new AbortController();
  const answer = await fetch(`${world.server.url}${url}`, {
    method: operation.method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body !== undefined && { 'content-type': media ?? 'application/json' }),
      'upload-offset': '0',
    },
    ...(body !== undefined && { body }),
    signal: abort.signal,
  });
  const what = `${operation.method} ${url} ${body?.slice(0, 300) ?? ''}`;
  if (answer.headers.get('content-type')?.startsWith('text/event-stream') === true) {
    abort.abort(); // it would not end
    return;
  }
  const text = await answer.text();
  expect(answer.status, `${what} gave ${text}`).toBeLessThan(500);
  if (answer.status < 400 || operation.method === 'HEAD') return;
  const { code, detail } = JSON.parse(text) as { code: string; detail: string };
  expect(isProblemCode(code), `${what} gave ${text}`).toBe(true);
  expect(detail, what).not.toMatch(/ at .+\.js:\d|node_modules|select .* from/);
}

/** Bodies, paths and queries for each operation that this credential opens. */
async function bombard(
  token: string,
  isOpen: (operation: Operation) => boolean,
  seed: number,
): Promise<void> {
  for (const operation of operations.filter(isOpen)) {
    const real = filledPath(operation.path, tenant.ids);
    // What ends keys or tasks does so for the rest of the run: the paths still answer.
    if (operation.media !== undefined || operation.method === 'POST') {
      const example: unknown =
        operation.example === undefined ? {} : JSON.parse(filledExample(operation.example, tenant.ids));
      await fc.assert(
        fc.asyncProperty(nearMiss(example), (body) =>
          requireOrderly(operation, real, JSON.stringify(body), token),
        ),
        { numRuns: 24, seed },
      );
    }
    if (operation.path.includes('{')) {
      await fc.assert(
        fc.asyncProperty(pathWord, (word) =>
          requireOrderly(
            operation,
            operation.path.replace(/\{[^}]+\}/g, () => word),
            operation.method === 'GET' || operation.method === 'HEAD' ? undefined : '{}',
            token,
          ),
        ),
        { numRuns: 6, seed },
      );
    }
    if (operation.query.length > 0) {
      await fc.assert(
        fc.asyncProperty(fc.constantFrom(...operation.query, '__proto__'), pathWord, (name, word) =>
          requireOrderly(operation, `${real}?${name}=${word}`, undefined, token),
        ),
        { numRuns: 8, seed },
      );
    }
  }
}

describe('requests that nobody sends by mistake', { timeout: 300_000 }, () => {
  it('are answered to an admin with a stable code, at every operation', async () => {
    await bombard(world.admin.key, ({ takesSession }) => !takesSession, 11);
  });

  it('are answered to a device with a stable code, at every operation', async () => {
    await bombard(tenant.device.token, ({ takesSession }) => takesSession, 12);
  });

  it('leave a server that works, and no error that nobody handled', async () => {
    expect((await fetch(`${world.server.url}/v1/health`)).status).toBe(200);
    expect(Object.prototype).not.toHaveProperty('polluted');
    const again = await makeTenant(world.admin, 'after-the-storm');
    expect((await again.device.send('GET', '/v1/device/assignment')).status).toBe(200);
    expect(unhandled).toEqual([]);
  });
});
