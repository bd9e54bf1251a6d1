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

/** Names that people gave, which are in no language of the console: of keys in the tests, of a public data set. */
const givenNames = /^(first key|the (viewer|operator|admin)|.*\bUCI HAR\b.*)$/;

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

  /**
   * Words on the page that read as English, two or more in a row: of its text, its fields and its names for those who cannot see
   * it. Code, and what is marked as English (a server's own words), may be.
   */
  async english(): Promise<string[]> {
    const said = await this.page.evaluate<string[]>(`(() => {
      const said = [];
      const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      while (walk.nextNode()) {
        if (!walk.currentNode.parentElement.closest('[lang=en], code, pre, style, script, .cm-editor')) said.push(walk.currentNode.data);
      }
      for (const name of ['aria-label', 'placeholder', 'title', 'alt']) {
        for (const each of document.querySelectorAll('[' + name + ']')) said.push(each.getAttribute(name));
      }
      return said;
    })()`);
    return said.filter((text) => /[a-z]{2,} [a-z]{2,}/i.test(text) && !givenNames.test(text));
  }

  /** From here on what moves by itself is counted: see {@link moved}. */
  async watchMoves(): Promise<void> {
    await this.page.evaluate(`new PerformanceObserver((list) => {
      globalThis.moved = list.getEntries().reduce((sum, { value }) => sum + value, globalThis.moved);
    }).observe({ type: 'layout-shift' }), globalThis.moved = 0`);
  }

  /** How far what stood on the page has moved since {@link watchMoves}: the sum of its layout shifts. */
  async moved(): Promise<number> {
    return this.page.evaluate<number>('globalThis.moved');
  }

  async close(): Promise<void> {
    await this.page.context().close();
  }
}
