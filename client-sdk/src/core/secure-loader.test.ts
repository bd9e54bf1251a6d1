import { describe, expect, it } from 'vitest';
import { isTransient } from './errors.ts';
import { memberships } from './membership.ts';
import { secureLoader } from './secure-loader.ts';
import { fakeHost } from './testing/fake-host.ts';
import { FakeServer } from './testing/fake-server.ts';

const host = fakeHost(new FakeServer());

describe('the loader of secure aggregation', () => {
  it('loads once, when it is first asked', async () => {
    let loads = 0;
    const load = secureLoader(host, () => {
      loads++;
      return Promise.resolve({ memberships });
    });
    expect(loads).toBe(0);
    expect(await load()).toBe(await load());
    expect(loads).toBe(1);
  });

  it('says what is missing where it cannot load, and tries again when it is asked again', async () => {
    let isThere = false;
    const load = secureLoader(host, () =>
      isThere ? Promise.resolve({ memberships }) : Promise.reject(new TypeError('404')),
    );
    const error: unknown = await load().catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'secure-not-loaded', cause: { message: '404' } });
    expect(isTransient(error)).toBe(true);
    isThere = true;
    await expect(load()).resolves.toBeTypeOf('function');
  });
});
