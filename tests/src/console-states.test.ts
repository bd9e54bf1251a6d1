import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Role } from '@starling/protocol';
import type { Browser, Page, Route } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConsoleTab, consoleBrowser, consoleFiles, launchBrowser } from './testing/console-tab.ts';
import { copyEmptyDatabase } from './testing/empty-database.ts';
import { temporaryDirectory, testServer, type TestServer } from './testing/servers.ts';
import { idleCloud, makeTenant, type Tenant } from './testing/tenants.ts';

/** The folder that pictures of the states go to, to be looked at; without it there are none. */
const pictures = process.env['STARLING_SCREENSHOTS'];

/** What pages are when they have nothing to show: nothing there yet, on its way, refused, gone, or no server. */
describe.skipIf(consoleBrowser === undefined)(
  'the states of the pages of the console (need Chromium: npm test installs it where it may)',
  () => {
    let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
    let server: TestServer;
    let tenant: Tenant;
    let browser: Browser;
    beforeAll(async () => {
      if (pictures !== undefined) await mkdir(pictures, { recursive: true });
      directory = await temporaryDirectory();
      await copyEmptyDatabase(directory.path);
      [server, browser] = await Promise.all([started(0), launchBrowser()]);
      tenant = await makeTenant(server.admin, 'other-project');
    }, 60_000);
    afterAll(async () => {
      await browser.close();
      await server.close();
      await directory.remove();
    });

    const started = (port: number) =>
      testServer({ ...consoleFiles, cloud: idleCloud(), dataDirectory: directory.path, port });
    const signedIn = (key: string, locale = 'en-GB') =>
      ConsoleTab.signedIn(browser, server.server.url, key, { locale });
    const as = (role: Role) => signedIn(tenant.keys[role].key);
    const picture = async ({ page }: ConsoleTab, name: string) => {
      if (pictures === undefined) return;
      for (const width of [1280, 360]) {
        await page.setViewportSize({ width, height: 900 });
        await page.screenshot({ path: join(pictures, `state-${name}-${width}.png`), fullPage: true });
      }
      await page.setViewportSize({ width: 1280, height: 900 });
    };

    /** Pages of the tenant by name: where they are, and the path of the read that they stand on. */
    const pages = (): { name: string; path: string; read: string }[] => {
      const { tsk = '', rnd = '', ver = '', sha = '', dev = '', job = '', second = '' } = tenant.ids;
      return [
        { name: 'fleet', path: '/', read: '/v1/fleet' },
        { name: 'tasks', path: '/tasks', read: '/v1/tasks' },
        { name: 'clone', path: `/tasks/new?from=${tsk}`, read: `/v1/tasks/${tsk}` },
        { name: 'task', path: `/tasks/${tsk}`, read: `/v1/tasks/${tsk}` },
        { name: 'learning', path: `/tasks/${tsk}?tab=learning`, read: `/v1/tasks/${tsk}/curves` },
        { name: 'task-model', path: `/tasks/${tsk}?tab=model`, read: `/v1/models/${sha}` },
        { name: 'compare', path: `/compare?tasks=${tsk},${second}`, read: `/v1/tasks/${second}/curves` },
        { name: 'rounds', path: `/tasks/${tsk}/rounds`, read: `/v1/tasks/${tsk}/rounds` },
        { name: 'round', path: `/rounds/${rnd}`, read: `/v1/rounds/${rnd}` },
        { name: 'anatomy', path: `/rounds/${rnd}`, read: `/v1/rounds/${rnd}/anatomy` },
        { name: 'models', path: '/models', read: '/v1/models' },
        { name: 'model', path: `/models/${sha}`, read: `/v1/models/${sha}` },
        { name: 'version', path: `/versions/${ver}`, read: `/v1/versions/${ver}` },
        { name: 'lineage', path: `/versions/${ver}?tab=lineage`, read: `/v1/versions/${ver}/lineage` },
        { name: 'devices', path: '/devices', read: '/v1/devices' },
        { name: 'device', path: `/devices/${dev}`, read: `/v1/devices/${dev}` },
        { name: 'jobs', path: '/jobs', read: '/v1/jobs' },
        { name: 'job', path: `/jobs/${job}`, read: `/v1/jobs/${job}` },
        { name: 'keys', path: '/access', read: '/v1/keys' },
        { name: 'audit', path: '/audit', read: '/v1/audit' },
        { name: 'operations', path: '/operations', read: '/v1/operations' },
      ];
    };

    /** Answers a read of the page by `answer` until the function that it gives is called. */
    const intercept = async (page: Page, read: string, answer: (route: Route) => Promise<void>) => {
      const isIt = (url: URL) => url.pathname === read;
      await page.route(isIt, answer);
      return () => page.unroute(isIt);
    };

    it('say in an empty project what would be there and what to do first', { timeout: 60_000 }, async () => {
      const tab = await signedIn(server.admin.key);
      const { page } = tab;
      const findings: string[] = [];
      for (const [path, says, first] of [
        ['/tasks', 'No tasks yet', 'New task'],
        ['/models', 'No models yet', 'Upload a model'],
        ['/compare', 'Choose at least two tasks', undefined],
        ['/jobs', 'No jobs yet', 'To the tasks'],
        ['/access?tab=tokens', 'No enrolment tokens', 'New enrolment token'],
        ['/access?tab=members', 'No members', 'Invite'],
        ['/devices', 'No devices yet', 'Make an enrolment token'],
        ['/', 'No devices yet', 'Make an enrolment token'],
      ] as const) {
        await tab.open(path);
        await page.getByText(says, { exact: true }).waitFor();
        if (first !== undefined) {
          const action = page
            .getByRole('link', { name: first })
            .or(page.getByRole('button', { name: first }));
          await action.last().waitFor();
        }
        await tab.drawn();
        await picture(tab, `empty${path.replace(/\W+/g, '-')}`);
        findings.push(...(await tab.axe()).map((finding) => `${path}: ${finding}`));
      }
      expect(findings).toEqual([]);
      await page.getByRole('link', { name: 'Make an enrolment token' }).click(); // of the fleet
      await page.getByRole('tab', { name: 'Enrolment tokens', selected: true }).waitFor();
      expect(tab.errors).toEqual([]);
      await tab.close();
    });

    /** Goes through all pages in some tabs beside each other: most of the time goes by in waiting. */
    const onEachPage = async (
      tabs: number,
      open: () => Promise<ConsoleTab>,
      look: (tab: ConsoleTab, page: ReturnType<typeof pages>[number]) => Promise<void>,
    ) => {
      const left = pages();
      const work = async () => {
        const tab = await open();
        for (let next = left.pop(); next !== undefined; next = left.pop()) await look(tab, next);
        expect(tab.errors).toEqual([]);
        await tab.close();
      };
      await Promise.all(Array.from({ length: tabs }, work));
    };

    it(
      'show the shape of what is on its way, and do not jump when it comes',
      { timeout: 60_000 },
      async () => {
        const jumps: string[] = [];
        const look = async (tab: ConsoleTab, { name, path, read }: ReturnType<typeof pages>[number]) => {
          let release = () => {};
          const held = new Promise<void>((resolve) => {
            release = resolve;
          });
          const over = await intercept(tab.page, read, async (route) => {
            await held;
            await route.continue();
          });
          await tab.open(path);
          await tab.page.locator('.mantine-Skeleton-root').first().waitFor();
          await picture(tab, `loading-${name}`);
          await tab.drawn();
          await tab.watchMoves();
          release();
          await tab.settled();
          await tab.drawn();
          const moved = await tab.moved();
          // what web.dev/cls calls good; a cloned task's form moves as its forecast comes, which is less than poor there
          const most = name === 'clone' ? 0.25 : 0.1;
          if (moved > most) jumps.push(`${name} moved by ${moved.toFixed(2)}`);
          await over();
        };
        await onEachPage(2, () => as('server'), look);
        expect(jumps).toEqual([]);
      },
    );

    it(
      'tell in Chinese of a server that is not ready, and of a broken connection, and try again',
      { timeout: 60_000 },
      async () => {
        const look = async (tab: ConsoleTab, { name, path, read }: ReturnType<typeof pages>[number]) => {
          const { page } = tab;
          let notReady = true;
          const over = await intercept(page, read, (route) =>
            notReady
              ? route.fulfill({
                  status: 503,
                  contentType: 'application/problem+json',
                  json: { code: 'unavailable', status: 503, title: '', detail: 'It is being updated.' },
                })
              : route.abort('connectionreset'),
          );
          await tab.open(path);
          const problem = page.getByRole('alert');
          const refused = problem.filter({ hasText: '服务器正在启动或关闭' }).first();
          await refused.getByText('It is being updated.').waitFor(); // the server's own words, beneath
          await picture(tab, `refused-${name}`);
          notReady = false;
          await refused.getByRole('button', { name: '重试' }).click();
          const broken = problem.filter({ hasText: '无法连接服务器' }).first();
          await broken.waitFor();
          await picture(tab, `broken-${name}`);
          await over();
          await broken.getByRole('button', { name: '重试' }).click();
          await broken.waitFor({ state: 'detached' });
          await page.locator('h1').waitFor();
          await tab.settled();
        };
        await onEachPage(4, () => signedIn(tenant.keys.server.key, 'zh-CN'), look);
      },
    );

    it('tell a viewer which role a page takes, and offer nothing of it', async () => {
      const tab = await as('viewer');
      const { page } = tab;
      for (const [path, role, action] of [
        ['/access', 'Admin', 'New API key'],
        ['/operations', 'Admin', 'All projects'],
        ['/tasks/new', 'Operator', 'Create the draft'],
      ] as const) {
        await tab.open(path);
        await page.getByText(`It takes the role ${role}; yours is Viewer.`).waitFor();
        expect(await page.getByRole('button', { name: action }).count()).toBe(0);
        expect(await tab.axe()).toEqual([]);
        await picture(tab, `forbidden${path.replace(/\W+/g, '-')}`);
      }
      expect(tab.errors).toEqual([]);
      await tab.close();
    });

    it('say so of what does not exist, and of no page at all', async () => {
      const tab = await as('viewer');
      const { page } = tab;
      const none = 'B'.repeat(22);
      for (const path of [
        `/tasks/tsk_${none}`,
        `/tasks/tsk_${none}/rounds`,
        `/rounds/rnd_${none}`,
        `/versions/ver_${none}`,
        `/devices/dev_${none}`,
        `/jobs/job_${none}`,
        `/models/${'b'.repeat(64)}`,
        '/tasks/none',
      ]) {
        await tab.open(path);
        const problem = page.getByRole('alert').first();
        await problem.getByText('There is no such thing in this project').waitFor();
        expect(await problem.getByRole('button').count(), path).toBe(0); // to try again would change nothing
      }
      await picture(tab, 'missing');
      await tab.open('/nowhere');
      await page.getByRole('link', { name: 'To Fleet' }).click();
      await page.getByRole('heading', { name: 'Fleet', level: 1 }).waitFor();
      expect(tab.errors).toEqual([]);
      await tab.close();
    });

    it('ask to sign in again when the session has ended, and go on where one was', async () => {
      const tab = await as('operator');
      const { page } = tab;
      await tab.open('/devices');
      await tab.settled();
      await page.context().clearCookies();
      await page.getByRole('link', { name: 'Models' }).click();
      await page.locator('input[name=key]').fill(tenant.keys.operator.key);
      await page.locator('button[type=submit]').click();
      await page.getByRole('heading', { name: 'Models', level: 1 }).waitFor();
      await page.getByRole('row').filter({ hasText: 'other-project' }).first().waitFor();
      expect(tab.errors).toEqual([]);
      await tab.close();
    });

    it('stand while the server is away, say so, and are live again when it is back', async () => {
      const tab = await as('operator');
      const { page } = tab;
      await tab.open('/tasks');
      const row = page.getByRole('row').filter({ hasText: 'other-project' }).first();
      await row.waitFor();
      const port = Number(new URL(server.server.url).port);
      await server.server.close();
      await page.getByText('The server is not reached.', { exact: false }).waitFor();
      await page.evaluate(`dispatchEvent(new Event('visibilitychange'))`); // who comes back to the page has it read anew
      expect(await row.isVisible()).toBe(true);
      await picture(tab, 'away');
      server = { ...(await started(port)), admin: server.admin };
      await page.getByText('The server is not reached.', { exact: false }).waitFor({ state: 'detached' });
      await page.getByRole('status').filter({ hasText: 'Live' }).waitFor();
      await tenant.keys.operator.tinyTask({}, 'after-the-break');
      await page.getByRole('row').filter({ hasText: 'after-the-break' }).waitFor();
      expect(tab.errors).toEqual([]);
      await tab.close();
    });
  },
);
