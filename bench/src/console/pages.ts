import { rmSync } from 'node:fs';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { findBrowser, quietFlagsWithoutGpu } from '../../../scripts/chromium.mjs';
import { emptyServer } from '../coordinator/fleet.ts';
import { startTask } from '../coordinator/round.ts';
import type { Report } from '../lines.ts';
import { ServerProcess } from '../server-process.ts';
import { median } from '../statistics.ts';
import { fillYears } from '../years.ts';
import { row, verdict } from './rows.ts';

const years = { devices: 100_000, rounds: 1_000 } as const;
const runs = 5;
const limits = { paintMs: 1_500, interactionMs: 100 } as const;

/** A page of the console: where it is, and what one does there, each of which shows its effect at once. */
interface Visit {
  readonly name: string;
  readonly path: string;
  readonly act: (page: Page) => Promise<void>;
}

/** Pages of the console in Chromium, in front of a database of years: until they show what they are for, and what a touch takes. */
export async function benchPages(report: Report): Promise<void> {
  const executablePath = findBrowser();
  if (executablePath === undefined)
    throw new Error('This needs Chromium: npm test installs it where it may.');
  const left = await emptyServer();
  const browser = await chromium.launch({ executablePath, args: quietFlagsWithoutGpu });
  try {
    const prepared = await ServerProcess.start(left);
    const task = await startTask(prepared, { size: 10, inputs: 9, outputs: 10 });
    await prepared.end('SIGTERM');
    await fillYears(left.directory, task.id, years);
    const server = await ServerProcess.start(left);
    const signedIn = await signIn(browser, server);
    const slowest = { paintMs: 0, interactionMs: 0 };
    for (const visit of visits(task.id, task.currentVersion)) {
      const found = await measure(browser, signedIn, server, visit);
      report(row('pages', visit.name, 'to the first paint', 'ms', found.paintMs));
      report(row('pages', visit.name, 'to its content', 'ms', found.shownMs));
      report(row('pages', visit.name, 'slowest interaction', 'ms', found.interactionMs));
      slowest.paintMs = Math.max(slowest.paintMs, median(found.paintMs));
      slowest.interactionMs = Math.max(slowest.interactionMs, median(found.interactionMs));
    }
    report(
      verdict('pages', 'first paint of the slowest page, median', slowest.paintMs, limits.paintMs, 'ms'),
    );
    report(
      verdict('pages', 'slowest interaction, median', slowest.interactionMs, limits.interactionMs, 'ms'),
    );
    await server.end('SIGTERM');
  } finally {
    await browser.close();
    rmSync(left.directory, { recursive: true, force: true });
  }
}

function visits(taskId: string, version: string): Visit[] {
  const device = `dev_${'1'.padStart(22, '0')}`;
  const round = `rnd_${String(years.rounds).padStart(22, '0')}`;
  const colours = async (page: Page) => {
    await page.getByRole('button', { name: /colours/ }).click();
  };
  return [
    { name: 'fleet', path: '/', act: colours },
    {
      name: 'devices',
      path: '/devices',
      act: async (page) => {
        await page.getByRole('textbox', { name: 'Platform' }).pressSequentially('ios');
        await page.getByRole('button', { name: 'Show more' }).click();
      },
    },
    { name: 'one device', path: `/devices/${device}`, act: colours },
    {
      name: 'tasks',
      path: '/tasks',
      act: async (page) => {
        await page.getByRole('searchbox').pressSequentially('ben');
      },
    },
    {
      name: 'learning curves',
      path: `/tasks/${taskId}?tab=learning`,
      act: async (page) => {
        await page.getByRole('button', { name: 'As a table' }).first().click();
        await page.getByRole('tab', { name: 'Overview' }).click();
      },
    },
    {
      name: 'rounds of a task',
      path: `/tasks/${taskId}/rounds`,
      act: async (page) => {
        await page.getByRole('button', { name: 'Show more' }).click();
      },
    },
    {
      name: 'one round',
      path: `/rounds/${round}`,
      act: async (page) => {
        await page.getByRole('button', { name: 'Previous round' }).click();
      },
    },
    {
      name: 'lineage of a version',
      path: `/versions/${version}?tab=lineage`,
      act: async (page) => {
        await page.getByRole('tab', { name: 'Compare' }).click();
      },
    },
    {
      name: 'audit log',
      path: '/audit',
      act: async (page) => {
        await page.getByRole('textbox', { name: 'Action' }).pressSequentially('start');
      },
    },
    { name: 'operations', path: '/operations', act: colours },
  ];
}

/** The cookie of a session, for contexts that have nothing else cached. */
async function signIn(
  browser: Browser,
  server: ServerProcess,
): Promise<NonNullable<BrowserContextOptions['storageState']>> {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`${server.url}/console/`);
  await page.locator('input[name=key]').fill(server.key);
  await page.locator('button[type=submit]').click();
  await page.locator('#content').waitFor();
  const state = await context.storageState();
  await context.close();
  return state;
}

/** Times from when the browser begins to go there; of events, from the key or the button to the next frame that shows their effect. */
const watching = `
  window.__events = [];
  new PerformanceObserver((list) => {
    for (const { duration, interactionId } of list.getEntries()) if (interactionId) window.__events.push(duration);
  }).observe({ type: 'event', durationThreshold: 16, buffered: true });
  window.__shown = new Promise((resolve) => {
    const look = () => {
      const content = document.querySelector('#content h1');
      if (content && !document.querySelector('#content .mantine-Skeleton-root, #content [aria-busy]'))
        requestAnimationFrame(() => resolve(performance.now()));
      else requestAnimationFrame(look);
    };
    look();
  });
`;

async function measure(
  browser: Browser,
  storageState: NonNullable<BrowserContextOptions['storageState']>,
  server: ServerProcess,
  { path, act }: Visit,
): Promise<{ paintMs: number[]; shownMs: number[]; interactionMs: number[] }> {
  const found = { paintMs: [] as number[], shownMs: [] as number[], interactionMs: [] as number[] };
  for (let run = 0; run < runs; run++) {
    const context = await browser.newContext({ storageState, viewport: { width: 1440, height: 900 } });
    await context.addInitScript(watching);
    const page = await context.newPage();
    await page.goto(`${server.url}/console${path}`);
    found.shownMs.push(await page.evaluate<number>('window.__shown'));
    found.paintMs.push(
      await page.evaluate<number>("performance.getEntriesByName('first-contentful-paint')[0].startTime"),
    );
    await act(page);
    // events are told of after the frame that they led to
    await page.evaluate('new Promise((resolve) => setTimeout(resolve, 200))');
    // an interaction below 16 ms is not told of
    found.interactionMs.push(await page.evaluate<number>('Math.max(16, ...window.__events)'));
    await context.close();
  }
  return found;
}
