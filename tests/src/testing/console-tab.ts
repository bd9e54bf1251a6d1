import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { chromium, type Browser, type Page } from 'playwright-core';
import { findBrowser, quietFlagsWithoutGpu } from '../../../scripts/chromium.mjs';

const room = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

/** What a server serves for its console. */
export const consoleFiles = {
  console: room('web-console/dist/site/'),
  pages: { '/sdk/': room('client-sdk/dist/bundle/') },
};

/** Where Chromium is; the tests of the console need it. */
export const consoleBrowser = findBrowser();

export function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: consoleBrowser ?? '', args: quietFlagsWithoutGpu });
}

/** The console in a tab of a real browser, signed in. */
export class ConsoleTab {
  readonly page: Page;
  readonly #url: string;
  /** What went wrong in the page so far: uncaught errors, and what its policy (CSP) refused. */
  readonly errors: string[] = [];

  private constructor(page: Page, url: string) {
    this.page = page;
    this.#url = url;
    page.on('pageerror', (error) => this.errors.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) {
        this.errors.push(message.text()); // a refused call is shown by the page, and no error of it
      }
    });
  }

  /** At the sign-in. */
  static async opened(
    browser: Browser,
    url: string,
    { locale = 'en-GB', width = 1280 }: { locale?: string; width?: number } = {},
  ): Promise<ConsoleTab> {
    const context = await browser.newContext({
      locale,
      viewport: { width, height: 900 },
      reducedMotion: 'reduce',
      acceptDownloads: true,
    });
    const tab = new ConsoleTab(await context.newPage(), url);
    await tab.open('/');
    return tab;
  }

  static async signedIn(
    browser: Browser,
    url: string,
    key: string,
    options: { locale?: string; width?: number } = {},
  ): Promise<ConsoleTab> {
    const tab = await ConsoleTab.opened(browser, url, options);
    await tab.page.locator('input[name=key]').fill(key);
    await tab.page.locator('button[type=submit]').click();
    await tab.page.locator('#content').waitFor();
    return tab;
  }

  async open(path: string): Promise<void> {
    await this.page.goto(`${this.#url}/console${path}`);
  }

  /** The colours that the machine prefers, which the console follows until one chooses. */
  async prefer(colorScheme: 'light' | 'dark'): Promise<void> {
    await this.page.emulateMedia({ colorScheme });
    await this.page.locator(`html[data-mantine-color-scheme=${colorScheme}]`).waitFor();
  }

  /** Resolves when nothing on the page is on its way any more. */
  async settled(): Promise<void> {
    await this.page.locator('h1, [role=alert]').first().waitFor();
    await this.page.locator('.mantine-Skeleton-root').first().waitFor({ state: 'detached' });
  }

  /** Resolves when the page stands still: what moves has moved, and what measures itself is drawn at the size of now. */
  async drawn(): Promise<void> {
    await this.page.evaluate(
      `(async () => {
        const frame = () => new Promise((done) => requestAnimationFrame(done));
        await frame();
        const ends = (move) => move.effect.getComputedTiming().endTime !== Infinity;
        await Promise.all(document.getAnimations().filter(ends).map((move) => move.finished.catch(() => undefined)));
        await frame();
        await frame();
      })()`,
    );
  }

  /** Serious and critical findings of axe-core on the page as it stands, with the elements that have them. */
  async axe(): Promise<string[]> {
    const source = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
    const { violations } = await this.page.evaluate<{
      violations: { id: string; impact: string; nodes: { html: string }[] }[];
    }>(`(() => { ${source} })(); axe.run()`);
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`);
  }

  async close(): Promise<void> {
    await this.page.context().close();
  }
}
