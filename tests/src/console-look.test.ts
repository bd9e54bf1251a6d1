import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConsoleTab, consoleBrowser, launchBrowser } from './testing/console-tab.ts';
import { consoleWorld, type ConsoleWorld } from './testing/console-world.ts';

/** The folder that pictures of all pages go to, to be looked at; without it there are none. */
const pictures = process.env['STARLING_SCREENSHOTS'];

/** Every page of the console, as a wide window and a phone show it, in both colour schemes. */
describe.skipIf(consoleBrowser === undefined)(
  'every page (needs Chromium: npm test installs it where it may)',
  () => {
    let world: ConsoleWorld;
    let browser: Browser;
    beforeAll(async () => {
      if (pictures !== undefined) await mkdir(pictures, { recursive: true });
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
        ...{
          fleet: '/',
          tasks: '/tasks',
          'new-task': '/tasks/new',
          'clone-task': `/tasks/new?from=${task.id}`,
          task: `/tasks/${task.id}`,
        },
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
      'has no serious finding of axe in light and in dark, and fits its window',
      { timeout: 240_000 },
      async () => {
        const tab = await ConsoleTab.signedIn(browser, world.server.server.url, world.keys.server);
        const { page } = tab;
        const findings: string[] = [];
        for (const [name, path] of Object.entries(pages())) {
          await tab.open(path);
          await tab.settled();
          for (const scheme of ['light', 'dark'] as const) {
            await tab.prefer(scheme);
            for (const width of [1440, 390]) {
              await page.setViewportSize({ width, height: 900 });
              await tab.drawn();
              const overflow = await page.evaluate<number>(
                'document.documentElement.scrollWidth - innerWidth',
              );
              if (overflow > 0) findings.push(`${name} is ${overflow} px wider than ${width}`);
              if (pictures !== undefined) {
                const file = join(pictures, `${name}-${width}-${scheme}.png`);
                await page.screenshot({ path: file, fullPage: true });
              }
            }
            findings.push(...(await tab.axe()).map((finding) => `${name} in ${scheme}: ${finding}`));
          }
        }
        expect(findings).toEqual([]);
        expect(tab.errors).toEqual([]);
      },
    );
  },
);
