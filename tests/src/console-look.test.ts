import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConsoleTab, consoleBrowser, launchBrowser } from './testing/console-tab.ts';
import { consoleWorld, type ConsoleWorld } from './testing/console-world.ts';

/** Where the pictures of all pages go, to be looked at. */
const pictures = process.env['STARLING_SCREENSHOTS'] ?? join(tmpdir(), 'starling-screenshots');

/** Every page of the console, as a wide window and a phone show it, in both colour schemes. */
describe.skipIf(consoleBrowser === undefined)(
  'every page (needs Chromium: npm test installs it where it may)',
  () => {
    let world: ConsoleWorld;
    let browser: Browser;
    beforeAll(async () => {
      await mkdir(pictures, { recursive: true });
      [world, browser] = await Promise.all([consoleWorld(), launchBrowser()]);
    }, 60_000);
    afterAll(async () => {
      await browser.close();
      await world.server.close();
    });

    const pages = (): Record<string, string> => {
      const { task, round, devices, job } = world;
      const version = task.currentVersion;
      return {
        ...{ fleet: '/', tasks: '/tasks', 'new-task': '/tasks/new', task: `/tasks/${task.id}` },
        ...Object.fromEntries(
          ['learning', 'model', 'plan', 'versions'].map((tab) => [
            `task-${tab}`,
            `/tasks/${task.id}?tab=${tab}`,
          ]),
        ),
        ...{ compare: `/compare?tasks=${task.id}`, rounds: `/tasks/${task.id}/rounds` },
        ...{ round: `/rounds/${round.id}`, models: '/models', model: `/models/${task.model}` },
        ...Object.fromEntries(
          ['overview', 'lineage', 'compare', 'try'].map((tab) => [
            `version-${tab}`,
            `/versions/${version}?tab=${tab}`,
          ]),
        ),
        ...{
          devices: '/devices',
          device: `/devices/${devices[0] ?? ''}`,
          jobs: '/jobs',
          job: `/jobs/${job.id}`,
        },
        ...{ access: '/access', audit: '/audit', operations: '/operations' },
        'not-found': '/nowhere',
      };
    };

    it(
      'has no serious finding of axe in light and in dark, fits its window, and is kept as a picture',
      { timeout: 120_000 },
      async () => {
        const tab = await ConsoleTab.signedIn(browser, world.server.server.url, world.keys.server);
        const { page } = tab;
        for (const [name, path] of Object.entries(pages())) {
          await tab.open(path);
          await tab.settled();
          for (const scheme of ['light', 'dark'] as const) {
            await tab.prefer(scheme);
            for (const width of [1440, 390]) {
              await page.setViewportSize({ width, height: 900 });
              const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
              expect(overflow, `${name} at ${width}`).toBeLessThanOrEqual(0);
              await page.screenshot({
                path: join(pictures, `${name}-${width}-${scheme}.png`),
                fullPage: true,
              });
            }
            expect(await tab.axe(), `${name} in ${scheme}`).toEqual([]);
          }
        }
        expect(tab.errors).toEqual([]);
      },
    );
  },
);
