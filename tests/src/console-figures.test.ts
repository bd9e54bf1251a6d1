import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConsoleTab, consoleBrowser, launchBrowser } from './testing/console-tab.ts';
import { consoleWorld, pagesOf, type ConsoleWorld } from './testing/console-world.ts';
import { findUnexplained } from './testing/unexplained.ts';

/** Every number says what it is and the call that it comes from; what is none is listed with a reason (testing/unexplained.ts). */
describe.skipIf(consoleBrowser === undefined)(
  'the figures of the console (need Chromium: npm test installs it where it may)',
  { timeout: 120_000 },
  () => {
    let world: ConsoleWorld;
    let browser: Browser;
    let tab: ConsoleTab;
    beforeAll(async () => {
      [world, browser] = await Promise.all([consoleWorld(), launchBrowser()]);
      tab = await ConsoleTab.signedIn(browser, world.server.server.url, world.keys.server);
    }, 60_000);
    afterAll(async () => {
      await browser.close();
      await world.server.close();
    });

    /** Makes of the round of the world one that judged, of a secure task: it takes many devices to have one. */
    const judgedInGroups = async (page: Page) => {
      const { round, task } = world;
      const change = (path: string, more: object) =>
        page.route(`**/v1/${path}`, async (route) => {
          const response = await route.fetch();
          await route.fulfill({ response, json: { ...((await response.json()) as object), ...more } });
        });
      const deciles = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];
      const judged = { supportShare: 0.5, accuracy: 0.7, loss: 0.4, worstDecile: 0.1, deciles };
      const group = { id: 'grp_1', state: 'summed', reason: null, size: 5, needed: 3, survivors: 4 };
      const { openedAt, endedAt } = round;
      await change(`rounds/${round.id}`, {
        kind: 'evaluation',
        metrics: { devices: 3, results: [0, 5].map((steps) => ({ ...judged, steps })) },
        groups: [{ ...group, openedAt, endedAt }],
      });
      const secure = { groupSize: { target: 5, minimum: 3 } };
      await change(`tasks/${task.id}`, { plan: { ...task.plan, secure } });
      const counts = { groups: 2, summed: 1, aborted: 1, devices: 9, lost: 1, unused: 4 };
      const sizes = { smallest: 4, largest: 5, needed: 3, medianMs: 900 };
      await change(`tasks/${task.id}/groups`, {
        minimum: 3,
        rounds: [{ ...counts, ...sizes, round: round.id, sequence: 1, abortedBy: { 'too-few-keys': 1 } }],
      });
      await page.reload();
      await page.getByText('Too few came to agree on keys').waitFor();
    };

    /** What is to be there, or done, before the numbers of a page are. */
    const reach: Readonly<Record<string, (page: Page) => Promise<void>>> = {
      'clone-task': (page) => page.getByRole('region', { name: 'Classes of devices' }).waitFor(),
      'task-learning': async (page) => {
        await page.getByRole('button', { name: 'As a table' }).first().click();
        await page.getByRole('region', { name: 'On the devices that train' }).waitFor();
      },
      'task-model': (page) => page.getByRole('button', { name: 'dense' }).first().click(),
      round: (page) => page.getByText('Began to train').waitFor(),
      'round-judged': judgedInGroups,
      'version-compare': (page) => page.getByRole('region', { name: 'Tensor by tensor' }).waitFor(),
      'version-try': async (page) => {
        await page.getByRole('button', { name: 'Load the model' }).click();
        await page.getByRole('button', { name: 'Another one' }).click();
        await page.getByRole('combobox', { name: 'This example is of' }).click();
        await page.getByRole('option').first().click();
        await page.getByRole('button', { name: 'Add the example' }).click();
        await page.getByText('1 example to adapt on').waitFor();
      },
    };

    it('are all explained', async () => {
      const { page } = tab;
      const { admin } = world.server;
      const other = await admin.tinyTask({ cohort: { goal: 4, minimum: 3, overSelection: 1 }, rounds: 7 });
      await world.client.call('startTask', { params: { id: other.id } });
      const pages = {
        ...pagesOf(world),
        compare: `/compare?tasks=${world.task.id},${other.id}`,
        'task-running': `/tasks/${other.id}`,
        'round-judged': `/rounds/${world.round.id}`,
      };
      const found: string[] = [];
      let numbers = 0;
      for (const [name, path] of Object.entries(pages)) {
        await tab.open(path);
        await tab.settled();
        await reach[name]?.(page);
        const here = await findUnexplained(page);
        numbers += here.numbers;
        found.push(...here.unexplained.map((text) => `${name}: ${text}`));
      }
      expect(found).toEqual([]);
      expect(numbers).toBeGreaterThan(150); // they were there
      expect(tab.errors).toEqual([]);
    });

    it('would be missed if they were not', async () => {
      await tab.open('/tasks');
      await tab.settled();
      await tab.page.evaluate(
        `document.querySelector('#content').append(Object.assign(document.createElement('p'), { textContent: '42 of them' }))`,
      );
      expect((await findUnexplained(tab.page)).unexplained).toEqual(['42 of them']);
    });

    it('say it to who comes with the keyboard', async () => {
      const { page } = tab;
      await tab.open('/');
      await tab.settled();
      await page.locator('#content').focus();
      await page.keyboard.press('Tab');
      await page.getByRole('tooltip').getByText('GET /v1/fleet').waitFor();
      await page.keyboard.press('Escape');
      await page.getByRole('tooltip').waitFor({ state: 'detached' });
    });

    it('say it to who taps on them', async () => {
      const touching = await browser.newContext({
        hasTouch: true,
        isMobile: true,
        viewport: { width: 390, height: 844 },
        storageState: await tab.page.context().storageState(),
      });
      const page = await touching.newPage();
      await page.goto(`${world.server.server.url}/console/`);
      await page.getByRole('button', { name: 'Online now' }).tap();
      await page.getByRole('tooltip').getByText('GET /v1/fleet').waitFor();
      await page.getByRole('button', { name: 'Eligible now' }).tap();
      await expect.poll(() => page.getByRole('tooltip').count()).toBe(1);
      await touching.close();
    });
  },
);
