import type { Browser, Page } from 'playwright-core';
import type { ModelVersion, Role, RoundId, Task, TrainingMetrics } from '@starling/protocol';
import type { ApiKeyWithSecret, Client } from '@starling/protocol/api';
import { forecastThreads } from '@starling/simulator/simulation';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clientOf } from './testing/client.ts';
import { ConsoleTab, consoleBrowser, consoleFiles, launchBrowser } from './testing/console-tab.ts';
import { MadeUpFleet, rowsOf } from './testing/made-up-people.ts';
import { eventually } from './testing/project.ts';
import { RawDevice } from './testing/raw-device.ts';
import { testServer, type TestServer } from './testing/servers.ts';

/** Whoever waits for `opened` goes on once it was opened. */
function latch() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { open, opened };
}

/** An operator of a project goes through whole days' work in the console, with devices in this process. */
describe.skipIf(consoleBrowser === undefined)(
  'an operator in the console (needs Chromium: npm test installs it where it may)',
  { timeout: 90_000 },
  () => {
    let world: TestServer;
    let client: Client;
    let browser: Browser;
    let operator: ApiKeyWithSecret;
    let fleet: MadeUpFleet;
    /** It comes out of the first journey, and the others go on with it. */
    let made: Task;
    /** Devices accept, and then train, when their latch is opened. */
    const accepting = [latch(), latch(), latch()];
    const training = [latch(), latch(), latch()];

    beforeAll(async () => {
      world = await testServer({ ...consoleFiles, forecaster: forecastThreads() });
      client = clientOf(world.admin);
      const body = { name: 'the operator', role: 'operator' satisfies Role };
      operator = await world.admin.post<ApiKeyWithSecret>('/v1/keys', body);
      const people = accepting.map((accepts, person) => {
        let asked = 0;
        return async () => {
          await (asked++ === 0 ? accepts : training[person])?.opened;
          return rowsOf(person, { features: 561, classes: 6 });
        };
      });
      fleet = await MadeUpFleet.started(world, people, { part: 'held' });
      browser = await launchBrowser();
    }, 120_000);
    afterAll(async () => {
      for (const { open } of [...accepting, ...training]) open();
      await browser.close();
      await fleet.stop();
      await world.close();
    });

    const asOperator = (options = {}) =>
      ConsoleTab.signedIn(browser, world.server.url, operator.secret, options);
    const heading = (page: Page, name: string) => page.getByRole('heading', { level: 1, name }).waitFor();
    const stateOf = async (id: RoundId) => (await client.call('getRound', { params: { id } })).state;

    it('writes a task from a template, starts it, and sees it learn without loading the page anew', async () => {
      const tab = await asOperator();
      const { page } = tab;
      await page.evaluate('window.loadedOnce = true');
      const menu = page.getByRole('navigation', { name: 'Menu' });
      await menu.getByRole('link', { name: 'Tasks' }).click();
      await page.getByRole('link', { name: 'New task' }).first().click();
      await page.getByRole('combobox', { name: 'Model' }).click();
      await page.getByRole('option', { name: /har-mlp/ }).click();
      await page.getByRole('textbox', { name: 'Name' }).fill('from the zoo');
      for (const [setting, value] of [
        ['rounds', '3'],
        ['cohort.goal', '3'],
        ['cohort.minimum', '3'],
        ['cohort.overSelection', '1'],
      ] as const)
        await page.locator(`[id="setting-${setting}"]`).fill(value);
      await page.getByText('The task can be created').waitFor();
      await page.getByRole('button', { name: 'Create the draft' }).click();
      await heading(page, 'from the zoo');
      await page.getByRole('status').filter({ hasText: 'Draft' }).waitFor();
      made = (await client.call('listTasks', {})).items[0]!;
      expect(made).toMatchObject({
        ...{ name: 'from the zoo', state: 'draft' },
        plan: {
          learning: { algorithm: 'fedavg', rate: 0.05 }, // as the template's author recommends
          ...{ rounds: 3, cohort: { goal: 3, minimum: 3, overSelection: 1 } },
        },
      });
      const model = await client.call('getModel', { params: { digest: made.model } });
      expect(model).toMatchObject({ name: 'har-mlp', inputShape: [561], classes: 6 });

      await page.getByRole('button', { name: 'Start' }).click();
      await page.getByRole('status').filter({ hasText: 'Running' }).waitFor();
      await page.getByRole('link', { name: 'Training round 1' }).first().click();
      await heading(page, 'Round 1');
      const params = { id: page.url().split('/').at(-1) as RoundId }; // the address of a round ends with its id
      const lane = (said: string) => page.getByRole('img', { name: said, exact: true });
      const dots = async (said: string) =>
        ((await lane(said).locator('path').last().getAttribute('d')) ?? '').split('M').length - 1;
      await lane('accepted: 0, asks 3, minimum 3').waitFor();
      for (const [index, { open }] of accepting.entries()) {
        open();
        const said = `accepted: ${index + 1}, asks 3, minimum 3`;
        await lane(said).waitFor();
        expect(await dots(said)).toBe(index + 1);
      }
      await lane('ready with their update: 0, goal 3, minimum 3').waitFor();
      training[0]!.open();
      await lane('ready with their update: 1, goal 3, minimum 3').waitFor();
      await lane('uploaded: 0, goal 3, minimum 3').or(lane('uploaded: 1, goal 3, minimum 3')).waitFor();
      expect(['training', 'aggregating']).toContain(await stateOf(params.id));
      for (const { open } of training) open();
      await lane('uploaded: 3, goal 3, minimum 3').waitFor();
      expect(await dots('uploaded: 3, goal 3, minimum 3')).toBe(3);
      await page.getByText('Published', { exact: true }).first().waitFor();
      const { metrics } = await client.call('getRound', { params });
      const { accuracyAfter, weight } = metrics as TrainingMetrics; // of a training round
      expect(weight).toBe(3 * 24);
      const figure = page.locator('.surface').filter({ has: page.getByRole('button', { name: 'Accuracy' }) });
      const shown = await figure.locator('.figure-value').innerText();
      expect(Number.parseFloat(shown) / 100).toBeCloseTo(accuracyAfter, 2);

      await page.getByRole('link', { name: 'from the zoo' }).first().click();
      await page.getByRole('tab', { name: 'Learning' }).click();
      const panel = page.locator('section', { hasText: 'On the devices that train' });
      await panel.getByRole('img', { name: /After learning/ }).waitFor();
      await panel.getByRole('button', { name: 'As a table' }).click();
      const rows = panel.getByRole('table').locator('tbody tr');
      await expect.poll(() => rows.count(), { timeout: 30_000 }).toBe(3); // round after round
      await page.getByRole('status').filter({ hasText: 'Completed' }).waitFor();
      expect(await page.evaluate('window.loadedOnce')).toBe(true);
      expect(await tab.axe()).toEqual([]);
      expect(tab.errors).toEqual([]);
      await tab.close();
    });

    it('steers a round in Chinese: gives it time, closes it at its minimum, and aborts it', async () => {
      const token = await world.admin.enrolmentToken({ part: 'raw' });
      const raw = await Promise.all([0, 1, 2].map(() => RawDevice.enrolled(world.server.url, token)));
      for (const device of raw) await device.assignment();
      const cohort = { goal: 3, minimum: 2, overSelection: 1, select: { part: 'raw' } };
      const live = await world.admin.tinyTask({ rounds: 1, cohort }, 'live');
      await client.call('startTask', { params: { id: live.id } });
      const tab = await asOperator({ locale: 'zh-CN' });
      const { page } = tab;
      const confirm = async (name: string) => {
        await page.getByRole('dialog').getByRole('button', { name }).click();
        await page.getByRole('dialog').waitFor({ state: 'detached' });
      };
      await page.getByRole('navigation', { name: '菜单' }).getByRole('link', { name: '任务' }).click();
      await page.getByRole('link', { name: 'live' }).first().click();
      await page.getByRole('link', { name: '训练轮 1' }).first().click();
      await heading(page, '第 1 轮');
      const params = { id: page.url().split('/').at(-1) as RoundId }; // the address of a round ends with its id
      for (const device of raw.slice(0, 2)) {
        const offer = await eventually('an offer', async () => (await device.assignment()) ?? undefined);
        await device.say(offer.id, 'accept');
      }
      await page.getByRole('img', { name: '已接受: 2, 邀请 3, 最少 2' }).waitFor();

      const before = await client.call('getAnatomy', { params });
      await page.getByRole('button', { name: '延长' }).click();
      await page.getByRole('dialog').getByText('15 分钟', { exact: true }).click();
      await confirm('延长 15 分钟');
      const after = await client.call('getAnatomy', { params });
      expect((after.remainingMs.round ?? 0) - (before.remainingMs.round ?? 0)).toBeGreaterThan(800_000);

      expect(await stateOf(params.id)).toBe('selecting');
      await page.getByRole('button', { name: '立即收口' }).click();
      await page.getByRole('dialog').getByText('少于 2 台时会被拒绝').waitFor();
      expect(await tab.axe()).toEqual([]);
      await confirm('立即收口');
      await page.locator('[aria-live=polite]', { hasText: /^训练中$/ }).waitFor(); // as it is told to who cannot see it
      expect(await stateOf(params.id)).toBe('training');

      await page.getByRole('button', { name: '中止' }).click();
      await page.getByRole('dialog').getByText('且无法撤销').waitFor();
      await confirm('中止本轮');
      await page.getByText('本轮已放弃').waitFor();
      await page.getByText('被人工中止').first().waitFor();
      expect(await client.call('getRound', { params })).toMatchObject({
        state: 'abandoned',
        reason: 'aborted',
      });
      await page.getByRole('link', { name: 'live' }).first().click();
      await page.getByRole('button', { name: '更多操作' }).click();
      await page.getByRole('menuitem', { name: '取消任务' }).click();
      await page.getByRole('dialog').getByRole('button', { name: '取消任务' }).click();
      await page.getByRole('status').filter({ hasText: '已取消' }).waitFor();
      const { items } = await client.call('listAudit', { query: { key: operator.id } });
      expect(items.slice(0, 4).map(({ action, outcome }) => [action, outcome?.status])).toEqual([
        ['cancelTask', 200],
        ['abortRound', 200],
        ['closeRound', 200],
        ['extendRound', 200],
      ]);
      expect(tab.errors).toEqual([]);
      await tab.close();
    });

    it('promotes versions and rolls back, in Chinese', async () => {
      const params = { id: made.id };
      const versions: ModelVersion[] = (await client.call('listVersions', { params })).items.reverse();
      const served = async () => (await client.call('getTask', { params })).servedVersion;
      const tab = await asOperator({ locale: 'zh-CN' });
      const { page } = tab;
      for (const number of [1, 3]) {
        await tab.open(`/tasks/${made.id}?tab=versions`);
        await page
          .getByRole('link', { name: `版本 ${number}`, exact: true })
          .first()
          .click();
        await heading(page, `版本 ${number}`);
        await page.getByRole('button', { name: '推送此版本' }).click();
        const dialog = page.getByRole('dialog', { name: `推送版本 ${number}` });
        await dialog.getByLabel('备注').fill(`第 ${number} 轮看起来不错`);
        await dialog.getByRole('button', { name: '推送此版本' }).click();
        await page.getByText('正在下发给设备').waitFor();
        await page.getByText(`第 ${number} 轮看起来不错`).waitFor();
        expect(await served()).toBe(versions[number]?.id);
      }
      await page.getByRole('button', { name: '回滚到版本 1' }).click();
      const dialog = page.getByRole('dialog', { name: '回滚到版本 1' });
      await dialog.getByText('训练不受影响').waitFor();
      await dialog.getByRole('button', { name: '回滚到版本 1' }).click();
      await page.getByText('回滚', { exact: true }).waitFor();
      await page.getByRole('button', { name: '推送此版本' }).waitFor(); // version 3 is served no more
      expect(await served()).toBe(versions[1]?.id);
      const { items } = await client.call('listReleases', { params });
      expect(items.map(({ kind, number, by }) => [kind, number, by])).toEqual([
        ['rollback', 1, 'the operator'],
        ['promotion', 3, 'the operator'],
        ['promotion', 1, 'the operator'],
      ]);
      expect(await tab.axe()).toEqual([]);
      expect(tab.errors).toEqual([]);
      await tab.close();
    });
  },
);
