import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConsoleTab, consoleBrowser, launchBrowser } from './testing/console-tab.ts';
import { consoleWorld, pagesOf, type ConsoleWorld } from './testing/console-world.ts';

/** The folder that pictures of all pages go to, to be looked at; without it there are none. */
const pictures = process.env['STARLING_SCREENSHOTS'];

/** A screen of 4k without scaling, a laptop, a phone, and the narrowest that is held; axe looks at the last. */
const windows = [
  { width: 3840, height: 2160 },
  { width: 360, height: 800 },
  { width: 390, height: 900 },
  { width: 1440, height: 900 },
];

/** Every page of the console, from a phone to a screen of 4k, in both languages and colour schemes. */
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

    it.each([
      { locale: 'en-GB', schemes: ['light', 'dark'] },
      { locale: 'zh-CN', schemes: ['dark'] },
    ] as const)(
      'has no serious finding of axe, fits its window and speaks one language ($locale)',
      { timeout: 240_000 },
      async ({ locale, schemes }) => {
        const { url } = world.server.server;
        const tab = await ConsoleTab.signedIn(browser, url, world.keys.server, { locale });
        const { page } = tab;
        const findings: string[] = [];
        for (const [name, path] of Object.entries(pagesOf(world))) {
          await tab.open(path);
          await tab.settled();
          if (locale === 'zh-CN') {
            findings.push(...(await tab.english()).map((words) => `${name} says in English: ${words}`));
          }
          for (const scheme of schemes) {
            await tab.prefer(scheme);
            for (const { width, height } of windows) {
              await page.setViewportSize({ width, height });
              await tab.drawn();
              const overflow = await page.evaluate<number>(
                `Math.max(...['html', 'header'].map((each) => document.querySelector(each).scrollWidth)) - innerWidth`, // the head is fixed: it widens no page
              );
              if (overflow > 0) findings.push(`${name} is ${overflow} px wider than ${width}`);
              if (pictures !== undefined) {
                const file = join(pictures, `${name}-${width}-${scheme}-${locale}.png`);
                await page.screenshot({ path: file, fullPage: true });
              }
            }
            findings.push(...(await tab.axe()).map((finding) => `${name} in ${scheme}: ${finding}`));
          }
        }
        expect(findings).toEqual([]);
        expect(tab.errors).toEqual([]);
        await tab.close();
      },
    );
  },
);
