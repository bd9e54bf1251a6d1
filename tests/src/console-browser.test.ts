import type { Browser, Locator } from 'playwright-core';
import type { Round, Task } from '@starling/protocol';
import type { ApiKeyWithSecret } from '@starling/protocol/api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConsoleTab, consoleBrowser, consoleFiles, launchBrowser } from './testing/console-tab.ts';
import { testServer, type TestServer } from './testing/servers.ts';

const isFocused = (place: Locator) => place.evaluate((element) => element === document.activeElement);
const holdsFocus = (place: Locator) => place.evaluate((element) => element.contains(document.activeElement));

/** Presses a key until a place has the focus. */
async function goTo(place: Locator, key = 'Tab', most = 60): Promise<void> {
  await place.waitFor();
  for (let press = 0; press < most; press++) {
    if (await isFocused(place)) return;
    await place.page().keyboard.press(key);
  }
  throw new Error(`${most} times ${key} do not lead to ${String(place)}.`);
}

describe.skipIf(consoleBrowser === undefined)(
  'the console in its browser (needs Chromium: npm test installs it where it may)',
  { timeout: 60_000 },
  () => {
    let world: TestServer;
    let browser: Browser;
    let key: string;
    let task: Task;
    beforeAll(async () => {
      world = await testServer(consoleFiles);
      browser = await launchBrowser();
      const body = { name: 'the operator', role: 'operator' } as const;
      key = (await world.admin.post<ApiKeyWithSecret>('/v1/keys', body)).secret;
      const cohort = { goal: 3, minimum: 3, overSelection: 1, select: { part: 'none' } };
      task = await world.admin.tinyTask({ cohort }, 'by-keys');
    });
    afterAll(async () => {
      await browser.close();
      await world.close();
    });

    it('needs no mouse: one signs in, starts a task, and comes back from every dialog to what opened it', async () => {
      const tab = await ConsoleTab.opened(browser, world.server.url);
      const { page } = tab;
      const press = async (place: Locator) => {
        await goTo(place);
        await page.keyboard.press('Enter');
      };
      const button = (name: string) => page.getByRole('button', { name, exact: true });
      const dialog = page.getByRole('dialog');
      /** The dialog takes the focus, keeps it, and with Escape gives it back. */
      const leaves = async (opener: Locator) => {
        await dialog.waitFor();
        await expect.poll(() => holdsFocus(dialog)).toBe(true);
        for (let step = 0; step < 12; step++) {
          await page.keyboard.press('Tab');
          expect(await holdsFocus(dialog)).toBe(true);
        }
        await page.keyboard.press('Escape');
        await dialog.waitFor({ state: 'detached' });
        await expect.poll(() => isFocused(opener), { message: `back at ${String(opener)}` }).toBe(true);
      };

      await goTo(page.locator('input[name=key]'));
      await page.keyboard.type(key);
      await page.keyboard.press('Enter');
      await page.locator('#content').waitFor();
      await press(page.getByRole('navigation', { name: 'Menu' }).getByRole('link', { name: 'Tasks' }));
      await press(page.getByRole('link', { name: 'by-keys' }).first());
      await page.getByRole('heading', { level: 1, name: 'by-keys' }).waitFor();
      await press(button('Start'));
      await page.getByRole('status').filter({ hasText: 'Running' }).waitFor();
      expect((await world.admin.get<Task>(`/v1/tasks/${task.id}`)).state).toBe('running');

      for (const entry of ['Cancel the task', 'Evaluate on devices now', 'Simulate on a data set']) {
        await press(button('More actions'));
        await goTo(page.getByRole('menuitem', { name: entry }), 'ArrowDown');
        await page.keyboard.press('Enter');
        await leaves(button('More actions'));
      }
      expect((await world.admin.get<Task>(`/v1/tasks/${task.id}`)).state).toBe('running');

      await press(page.getByRole('link', { name: 'Training round 1' }).first());
      await page.getByRole('heading', { level: 1, name: 'Round 1' }).waitFor();
      for (const name of ['Extend', 'Close now', 'Abort']) {
        await press(button(name));
        await leaves(button(name));
      }
      await press(button('Abort'));
      await press(dialog.getByRole('button', { name: 'Abort the round' }));
      await page.getByText('This round was abandoned').waitFor();
      const { items } = await world.admin.get<{ items: Round[] }>(`/v1/tasks/${task.id}/rounds`);
      expect(items.at(-1)).toMatchObject({ state: 'abandoned', reason: 'aborted' });
      expect(tab.errors).toEqual([]);
      await tab.close();
    });

    it('acts by a cookie that no script reads, and only with a token that no other site has', async () => {
      const tab = await ConsoleTab.signedIn(browser, world.server.url, key);
      const { page } = tab;
      const cookies = await page.context().cookies();
      expect(cookies).toEqual([
        expect.objectContaining({
          name: 'starling-session',
          httpOnly: true,
          sameSite: 'Strict',
          expires: -1,
        }),
      ]);
      expect(await page.evaluate('document.cookie')).toBe('');
      const kept = await page.evaluate<string>('JSON.stringify([localStorage, sessionStorage])');
      for (const secret of [key, cookies[0]!.value]) expect(kept).not.toContain(secret);
      const statuses = await page.evaluate(async (id) => {
        const clone = (headers: Record<string, string>) =>
          fetch(`/v1/tasks/${id}/clone`, {
            method: 'POST',
            headers: { 'content-type': 'application/json', ...headers },
            body: '{}',
          });
        const { csrf } = (await (await fetch('/v1/session')).json()) as { csrf: string };
        const refused = await clone({});
        const { code } = (await refused.json()) as { code: string };
        return [refused.status, code, (await clone({ 'x-starling-csrf': csrf })).status];
      }, task.id);
      expect(statuses).toEqual([403, 'csrf', 201]);
      expect(tab.errors).toEqual([]);
      await tab.close();
    });

    it('runs no script but the files of the console, whatever page it is', async () => {
      for (const path of ['/', '/tasks', `/tasks/${task.id}`, '/nowhere']) {
        const { headers } = await fetch(`${world.server.url}/console${path}`);
        const policy = new Map(
          (headers.get('content-security-policy') ?? '').split(';').map((rule) => {
            const [name = '', ...sources] = rule.trim().split(/\s+/);
            return [name, sources] as const;
          }),
        );
        expect(policy.get('script-src'), path).toEqual(["'self'", "'wasm-unsafe-eval'"]);
        expect(policy.get('default-src'), path).toEqual(["'self'"]);
        expect([...policy.keys()], path).not.toContain('script-src-elem'); // it would stand above script-src
        expect([...policy.keys()], path).not.toContain('script-src-attr');
      }
      const tab = await ConsoleTab.signedIn(browser, world.server.url, key);
      const { page } = tab;
      await page.evaluate(() => {
        const refused: string[] = [];
        Object.assign(window, { refused });
        document.addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI }) => {
          refused.push(`${effectiveDirective} ${blockedURI}`);
        });
        const script = document.createElement('script');
        script.textContent = 'document.title = "it ran"';
        const button = document.createElement('button');
        button.setAttribute('onclick', 'document.title = "it ran"');
        document.body.append(script, button);
        button.click();
      });
      // text as a program, in a task of its own: in that of the test it would be allowed
      const evaluated = await page.evaluate(
        `new Promise((done) => setTimeout(() => { try { done(eval('1')); } catch (error) { done(error.name); } }))`,
      );
      expect(evaluated).toBe('EvalError');
      expect(await page.title()).not.toBe('it ran');
      await expect
        .poll(() => page.evaluate('window.refused.sort()'))
        .toEqual(['script-src eval', 'script-src-attr inline', 'script-src-elem inline']);
      for (const error of tab.errors) expect(error).toContain('Content Security Policy'); // as the browser tells of them
      await tab.close();
    });
  },
);
