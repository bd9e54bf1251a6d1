import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isAtLeast, roles, type Role } from '@starling/protocol';
import { forecastThreads } from '@starling/simulator/simulation';
import { testServer, type TestServer } from './testing/servers.ts';
import { filledExample, filledPath, idleCloud, makeTenant, type Tenant } from './testing/tenants.ts';

/** Every operation of /openapi.json, called by everyone there is: every cell of role x route x tenant. */

interface Operation {
  method: string;
  path: string;
  least: Role | undefined;
  takesSession: boolean;
  takesCookie: boolean;
  example: unknown;
}

interface Described {
  'x-role'?: Role;
  security: Record<string, string[]>[];
  requestBody?: { content: Record<string, { schema?: { examples?: unknown[] }; example?: unknown }> };
}

let world: TestServer;
let own: Tenant;
let foreign: Tenant;
let operations: Operation[];

beforeAll(async () => {
  const generous = { burst: 1e6, perSecond: 1e6 };
  world = await testServer({
    cloud: idleCloud(),
    forecaster: forecastThreads(),
    rates: { refused: generous, key: generous, challenge: generous },
  });
  own = await makeTenant(world.admin, 'own');
  foreign = await makeTenant(world.admin, 'foreign');
  const document = await world.admin.get<{ paths: Record<string, Record<string, Described>> }>(
    '/openapi.json',
  );
  operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, described]) => {
      const json = described.requestBody?.content['application/json'];
      return {
        method: method.toUpperCase(),
        path,
        least: described['x-role'],
        takesSession: described.security.some((scheme) => 'session' in scheme),
        takesCookie: described.security.some((scheme) => 'cookie' in scheme),
        example: json?.example ?? json?.schema?.examples?.[0],
      };
    }),
  );
});
afterAll(() => world.close());

/** The real thing of a tenant in place of each parameter and of each example id. */
function filled({ path, example }: Operation, { ids }: Tenant): { url: string; body: string | undefined } {
  return {
    url: filledPath(path, ids),
    body: example === undefined ? undefined : filledExample(example, ids),
  };
}

async function send(
  operation: Operation,
  tenant: Tenant,
  token: string | undefined,
  headers: Record<string, string> = {},
): Promise<{ status: number; text: string }> {
  const { url, body } = filled(operation, tenant);
  const abort = new AbortController();
  const answer = await fetch(`${world.server.url}${url}`, {
    method: operation.method,
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body }),
    signal: abort.signal,
  });
  if (answer.headers.get('content-type')?.startsWith('text/event-stream') === true) {
    abort.abort(); // it would not end
    return { status: answer.status, text: '' };
  }
  return { status: answer.status, text: await answer.text() };
}

/** Whether a request names something of a tenant: in its path, or in its body. */
function isNamed(operation: Operation): boolean {
  const body = JSON.stringify(operation.example ?? null);
  return operation.path.includes('{') || body.includes('a'.repeat(64)) || body.includes('A'.repeat(22));
}

const codeOf = (text: string): unknown => (JSON.parse(text) as { code?: unknown }).code;
const cell = ({ method, path }: Operation, who: string) => `${who}: ${method} ${path}`;

describe('the role x route x tenant matrix', { timeout: 120_000 }, () => {
  it('has a least role, a session or an open door for every route', () => {
    const open = operations
      .filter(({ least, takesSession, takesCookie }) => least === undefined && !takesSession && !takesCookie)
      .map(({ method, path }) => `${method} ${path}`);
    expect(open.sort()).toEqual([
      'GET /healthz',
      'GET /readyz',
      'GET /v1/health',
      'GET /v1/session/ways',
      'POST /v1/device/challenge',
      'POST /v1/device/session',
      'POST /v1/devices',
      'POST /v1/session',
    ]);
    expect(operations.filter(({ least }) => least !== undefined).length).toBeGreaterThan(40);
    for (const { least } of operations) if (least !== undefined) expect(roles).toContain(least);
  });

  it('has an example for every body', () => {
    const posts = operations.filter(({ method, least }) => method === 'POST' && least !== undefined);
    const without = posts.filter(({ example }) => example === undefined).map(({ path }) => path);
    expect(
      without.filter(
        (path) => !/(revoke|erase|remove|accept|decline|start|pause|resume|cancel|close|abort)$/.test(path),
      ),
    ).toEqual([]);
  });

  it('lets nobody in without a credential, with a wrong one, or with one of the other kind', async () => {
    const session = own.device.token;
    for (const operation of operations) {
      if (operation.least === undefined && !operation.takesSession && !operation.takesCookie) continue;
      const wrong = [undefined, `sk_${'A'.repeat(43)}`, 'nonsense'];
      if (!operation.takesSession) wrong.push(session);
      if (operation.least === undefined) wrong.push(own.keys.server.key);
      for (const token of wrong) {
        const { status, text } = await send(operation, own, token);
        expect(status, cell(operation, token ?? 'nobody')).toBe(401);
        expect(codeOf(text), cell(operation, token ?? 'nobody')).toBe('unauthenticated');
      }
    }
  });

  it.each(roles)(
    'lets the role %s do in its own project what its role allows, and nothing else',
    async (role) => {
      for (const operation of operations) {
        if (operation.least === undefined) continue;
        const { status, text } = await send(operation, own, own.keys[role].key);
        if (isAtLeast(role, operation.least)) {
          // 409: an earlier cell has moved the object on. Whatever else is refused was not allowed or not found.
          expect(status === 409 || status < 300, `${cell(operation, role)} gave ${status} ${text}`).toBe(
            true,
          );
        } else {
          expect(status, cell(operation, role)).toBe(403);
          expect(codeOf(text), cell(operation, role)).toBe('forbidden');
        }
      }
    },
  );

  it.each(roles)('shows the role %s of another project nothing in lists', async (role) => {
    for (const operation of operations) {
      if (operation.least === undefined || !isAtLeast(role, operation.least)) continue;
      if (isNamed(operation) || operation.path === '/v1/projects') continue;
      const { text } = await send(operation, own, foreign.keys[role].key);
      for (const id of Object.values(own.ids)) expect(text, cell(operation, role)).not.toContain(id);
    }
    const projects = await foreign.keys[role].get<{ items: { id: string }[] }>('/v1/projects');
    expect(projects.items.some(({ id }) => id === own.project)).toBe(role === 'server');
  });

  it.each(roles)('answers the role %s of another project as if nothing were there', async (role) => {
    const nowhere: Tenant = {
      ...own,
      ids: Object.fromEntries(
        Object.entries(own.ids).map(([kind, id]) => [
          kind,
          id.includes('_') ? `${id.slice(0, 4)}${'C'.repeat(22)}` : 'c'.repeat(64),
        ]),
      ),
    };
    for (const operation of operations) {
      const { least, path } = operation;
      if (least === undefined || !isAtLeast(role, least) || !isNamed(operation)) continue;
      if (role === 'server' && path === '/v1/projects/{id}') continue; // sees all projects
      const theirs = await send(operation, own, foreign.keys[role].key);
      const missing = await send(operation, nowhere, foreign.keys[role].key);
      const expected = path === '/v1/tasks/validate' ? 200 : 404; // it says what is wrong in its answer
      expect([theirs.status, missing.status], cell(operation, role)).toEqual([expected, expected]);
      expect(anonymous(theirs.text, own), cell(operation, role)).toBe(anonymous(missing.text, nowhere));
    }
  });

  it('lets only a server key name another project, and hides from others whether it exists', async () => {
    const read = {
      method: 'GET',
      path: '/v1/tasks',
      least: 'viewer',
      takesSession: false,
      takesCookie: true,
    } as const;
    for (const role of roles) {
      const answer = await send({ ...read, example: undefined }, own, foreign.keys[role].key, {
        'starling-project': own.project,
      });
      if (role === 'server') {
        expect(answer.status).toBe(200);
        expect(answer.text).toContain(own.ids['tsk']);
      } else {
        expect(answer.status, role).toBe(404);
      }
    }
  });

  it('gives a device session nothing of another project or of another device', async () => {
    for (const operation of operations) {
      if (!operation.takesSession || !operation.path.includes('{')) continue;
      const needsBytes = operation.method === 'PATCH' || operation.path.endsWith('/messages');
      const headers: Record<string, string> = needsBytes
        ? {
            'content-type':
              operation.method === 'PATCH' ? 'application/offset+octet-stream' : 'application/octet-stream',
            'upload-offset': '0',
          }
        : {};
      const bodies: Record<string, unknown> = { decline: { reason: 'no' }, fail: { reason: 'no' } };
      const example = bodies[operation.path.split('/').at(-1) ?? ''];
      const { status } = await send({ ...operation, example }, own, foreign.device.token, headers);
      expect(status, cell(operation, 'a device')).toBe(404);
    }
  });
});

/** An answer without the ids in it: what is left must not tell one missing thing from another. */
function anonymous(text: string, { ids }: Tenant): string {
  return Object.values(ids).reduce((left, id) => left.replaceAll(id, '…'), text);
}
