import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { createDevice, type Device } from '@starling/client-sdk';
import { nodeHost } from '@starling/client-sdk/node';
import type { ModelDetail, Round, Task } from '@starling/protocol';
import type { Curves } from '@starling/protocol/api';
import { examplesOf, modelFor, syntheticWrist } from '@starling/simulator';
import { forecastThreads } from '@starling/simulator/simulation';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConsoleTab, consoleBrowser, consoleFiles, launchBrowser } from './testing/console-tab.ts';
import { eventually, tinyPlan, type Admin } from './testing/project.ts';
import { testServer, type TestServer } from './testing/servers.ts';

/** An operator writes a task in the console, and devices in this process learn. */
describe.skipIf(consoleBrowser === undefined)(
  'the pages of tasks (need Chromium: npm test installs it where it may)',
  () => {
    let world: TestServer;
    let admin: Admin;
    let place: string;
    let browser: Browser;
    let devices: Device[];
    let tab: ConsoleTab;
    let model: ModelDetail;
    let first: Task;
    const people = syntheticWrist(7, { users: 3 });
    const three = { goal: 3, minimum: 3, overSelection: 1 };
    const plan = tinyPlan({
      learning: { algorithm: 'fedavg', epochs: 1, batchSize: 16, rate: 0.05 },
      rounds: 2,
      cohort: three,
      evaluation: {
        everyRounds: 1,
        spec: { goal: 3, minimum: 3, supportShares: [0.5], steps: [1, 3], rate: 0.05 },
      },
      adaptation: { steps: 3, rate: 0.05 },
    });

    beforeAll(async () => {
      place = await mkdtemp(join(tmpdir(), 'starling-console-'));
      world = await testServer({ ...consoleFiles, forecaster: forecastThreads() });
      admin = world.admin;
      const token = await admin.enrolmentToken();
      model = await admin.post<ModelDetail>('/v1/models', modelFor(people));
      first = await admin.post<Task>('/v1/tasks', { name: 'wrist', model: model.digest, plan });
      devices = people.users.map(({ id }) =>
        createDevice({
          server: world.server.url,
          enrolmentToken: token,
          examples: () => Promise.resolve(examplesOf(people, id)),
          host: nodeHost({ directory: join(place, id) }),
        }),
      );
      await Promise.all(devices.map((device) => device.start()));
      browser = await launchBrowser();
      tab = await ConsoleTab.signedIn(browser, world.server.url, admin.key);
    });
    afterAll(async () => {
      await browser.close();
      await Promise.all(devices.map((device) => device.stop()));
      await world.close();
      await rm(place, { recursive: true, force: true });
    });

    const taskNamed = (name: string) =>
      eventually(`a task ${name}`, async () => {
        const { items } = await admin.get<{ items: Task[] }>('/v1/tasks');
        return items.find((task) => task.name === name);
      });

    it('write a task from a template; a problem stands at its field, and form and JSON follow each other', async () => {
      const { page } = tab;
      await tab.open('/tasks/new');
      await page.getByRole('textbox', { name: 'Name' }).fill('from the zoo');
      await page.getByRole('combobox', { name: 'Model' }).click();
      await page.getByRole('option', { name: /har-mlp/ }).click();
      await page.getByText('The task can be created').waitFor();
      const minimum = page.locator('[id="setting-cohort.minimum"]');
      await minimum.fill('50');
      await page.getByText('1 problem').waitFor();
      await expect.poll(() => minimum.getAttribute('aria-invalid')).toBe('true');
      const said = (await minimum.getAttribute('aria-describedby')) ?? '';
      const texts = said.split(/\s+/).map((id) => page.locator(`[id="${id}"]`).textContent());
      expect((await Promise.all(texts)).join(' ')).toContain('above the goal of 10');
      expect(await tab.axe()).toEqual([]);
      const json = page.getByRole('textbox', { name: 'The task as JSON' });
      expect(await json.innerText()).toContain('"minimum": 50');

      await json.press('ControlOrMeta+a');
      await page.keyboard.type('{"pl');
      await page.getByRole('listbox').getByRole('option', { name: 'plan' }).waitFor();
      await page.getByText('The JSON cannot be read, so the form waits').waitFor();
      await json.press('ControlOrMeta+a');
      await page.keyboard.insertText(
        JSON.stringify({ name: 'by hand', plan: { ...plan, cohort: { ...three, minimum: 2 } } }),
      );
      await expect.poll(() => minimum.inputValue()).toBe('2');
      await expect.poll(() => page.getByRole('textbox', { name: 'Name' }).inputValue()).toBe('by hand');
      await page.getByText('The task can be created').waitFor();
      await page.getByRole('button', { name: 'What it would take' }).waitFor();
      const played = page.getByRole('textbox', { name: 'Virtual devices' });
      await played.fill('40');
      await page.getByRole('combobox', { name: 'What they are like' }).click();
      await page.getByRole('option', { name: 'Always there, never lost' }).click();
      await page.getByText('the fleet “ideal”').waitFor();
      await page.getByText('of 12 asked').waitFor(); // two rounds that train and two that judge, of three each
      expect(await tab.axe()).toEqual([]);
      await page.getByRole('button', { name: 'Create the draft' }).click();
      await page.getByRole('heading', { level: 1, name: 'by hand' }).waitFor();
      const made = await taskNamed('by hand');
      expect(made).toMatchObject({ state: 'draft', plan: { cohort: { goal: 3, minimum: 2 } } });
      expect(tab.errors).toEqual([]);
    });

    it(
      'start a task and follow it live: its state, its rounds and its curve change by themselves',
      { timeout: 90_000 },
      async () => {
        const { page } = tab;
        await tab.open(`/tasks/${first.id}`);
        await page.getByText('It has not started').waitFor();
        await page.getByRole('button', { name: 'Start' }).click();
        await page.getByRole('tab', { name: 'Learning' }).click();
        const chart = page.getByRole('img', { name: /On the devices that train/ });
        await chart.waitFor({ timeout: 60_000 });
        await eventually(
          'the task to complete',
          async () =>
            (await admin.get<Task>(`/v1/tasks/${first.id}`)).state === 'completed' ? true : undefined,
          60_000,
        );
        await page.getByRole('status').filter({ hasText: 'Completed' }).waitFor();
        const panel = page.locator('section', { hasText: 'On the devices that train' });
        await panel.getByRole('button', { name: 'As a table' }).click();
        // what the page shows is what the rounds measured
        const { points } = await admin.get<Curves>(`/v1/tasks/${first.id}/curves`);
        const trained = points.flatMap(({ training }) => (training ? [training.accuracyAfter] : []));
        expect(trained).toHaveLength(2);
        const rows = panel.getByRole('table').locator('tbody tr');
        await expect.poll(() => rows.count()).toBe(2);
        const shown = await rows.locator('td:nth-of-type(1)').allTextContents();
        expect(shown.map((text) => Number.parseFloat(text) / 100)).toEqual(
          trained.map((share) => expect.closeTo(share, 2) as number),
        );
        await page.getByRole('img', { name: 'Spread over devices' }).waitFor();
        expect(await tab.axe()).toEqual([]);
        await page.getByRole('tab', { name: 'Overview' }).click();
        await page.getByRole('link', { name: 'Training round 2' }).waitFor();
        expect(await tab.axe()).toEqual([]);
        expect(tab.errors).toEqual([]);
      },
    );

    it('draw the model, tell the plan, list the versions', async () => {
      const { page } = tab;
      await tab.open(`/tasks/${first.id}?tab=model`);
      const graph = page.getByRole('group', { name: 'The model as a graph' });
      await graph.waitFor();
      await graph.getByRole('button').first().focus();
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('ArrowDown');
      const chosen = graph.getByRole('button', { pressed: true });
      await chosen.waitFor();
      expect(await chosen.evaluate((element) => element === document.activeElement)).toBe(true);
      expect(await tab.axe()).toEqual([]);
      await page.getByRole('tab', { name: 'Plan' }).click();
      await page.getByText('Judged after steps').waitFor();
      expect(await tab.axe()).toEqual([]);
      await page.getByRole('tab', { name: 'Versions' }).click();
      await page.getByRole('link', { name: 'Version 2' }).waitFor();
      const made = page
        .getByRole('row', { name: 'Version 2' })
        .getByRole('link', { name: 'A round of devices' });
      const { items } = await admin.get<{ items: Round[] }>(`/v1/tasks/${first.id}/rounds`);
      const second = items.find(({ kind, number }) => kind === 'training' && number === 2);
      expect(await made.getAttribute('href')).toContain(`/rounds/${second?.id}`);
      expect(await tab.axe()).toEqual([]);
      expect(tab.errors).toEqual([]);
    });

    it(
      'ask devices to judge now; judging a model trained alone leaves the curve as it is',
      { timeout: 60_000 },
      async () => {
        const { page } = tab;
        const evaluations = async () =>
          (await admin.get<Curves>(`/v1/tasks/${first.id}/curves`)).points.filter(
            ({ evaluation }) => evaluation,
          );
        const before = (await evaluations()).length;
        await tab.open(`/tasks/${first.id}`);
        await page.getByRole('button', { name: 'More actions' }).click();
        await page.getByRole('menuitem', { name: 'Evaluate on devices now' }).click();
        await page.getByRole('dialog', { name: 'Evaluate on devices' }).waitFor();
        expect(await tab.axe()).toEqual([]);
        await page.getByRole('button', { name: 'Ask devices' }).click();
        await page.waitForURL(/\/rounds\//);
        await eventually(
          'the evaluation',
          async () => ((await evaluations()).length > before ? true : undefined),
          40_000,
        );
        const alone = await admin.post<Round>(`/v1/tasks/${first.id}/evaluations`, {
          spec: { ...plan.evaluation?.spec, alone: { steps: [2], rate: 0.01 } },
        });
        await eventually(
          'the round of models trained alone',
          async () =>
            (await admin.get<Round>(`/v1/rounds/${alone.id}`)).state === 'published' ? true : undefined,
          40_000,
        );
        expect(await evaluations()).toHaveLength(before + 1);
      },
    );

    it('clone a task, and compare it with its origin', async () => {
      const { page } = tab;
      await tab.open(`/tasks/new?from=${first.id}`);
      await page.getByText('The task can be created').waitFor();
      await page.getByText('A contribution, measured').waitFor();
      await page.locator('[id="setting-learning.rate"]').fill('0.01');
      await expect
        .poll(() => page.getByRole('textbox', { name: 'The task as JSON' }).innerText())
        .toContain('"rate": 0.01');
      await page.getByRole('button', { name: 'Create the draft' }).click();
      await page.getByRole('heading', { level: 1, name: 'wrist, once more' }).waitFor();
      const clone = await taskNamed('wrist, once more');
      expect(clone.model).toBe(first.model);
      await tab.open(`/compare?tasks=${first.id},${clone.id}`);
      const plans = page.getByRole('region', { name: 'Plans' });
      await plans.waitFor();
      const rows = plans.locator('tbody tr');
      expect(await rows.count()).toBe(1);
      expect(await rows.first().locator('td').allTextContents()).toEqual(['0.05', '0.01']);
      expect(await tab.axe()).toEqual([]);
      expect(tab.errors).toEqual([]);
    });

    it('give up a forecast whose plan is edited meanwhile', async () => {
      const { page } = tab;
      await page.route('**/v1/tasks/forecast', () => undefined); // no answer comes
      const asked = page.waitForRequest('**/v1/tasks/forecast');
      await tab.open(`/tasks/new?from=${first.id}`);
      const request = await asked;
      const ended = page.waitForEvent('requestfailed', (failed) => failed === request);
      await page.locator('[id="setting-learning.rate"]').fill('0.02');
      await ended;
      await page.unroute('**/v1/tasks/forecast');
      expect(tab.errors).toEqual([]);
    });

    it('cancel a task only after the consequence was named', async () => {
      const { page } = tab;
      const { id } = await admin.post<Task>('/v1/tasks', { name: 'a mistake', model: model.digest, plan });
      await tab.open(`/tasks/${id}`);
      await page.getByRole('button', { name: 'More actions' }).click();
      await page.getByRole('menuitem', { name: 'Cancel the task' }).click();
      const dialog = page.getByRole('dialog', { name: 'Cancel “a mistake”?' });
      await dialog.getByText('There is no way back').waitFor();
      expect(await tab.axe()).toEqual([]);
      await dialog.getByRole('button', { name: 'Cancel the task' }).click();
      await page.getByRole('status').filter({ hasText: 'Cancelled' }).waitFor();
      expect((await admin.get<Task>(`/v1/tasks/${id}`)).state).toBe('cancelled');
      expect(tab.errors).toEqual([]);
    });

    it('find tasks by name and state on the server, and keep that in the address', async () => {
      const { page } = tab;
      await tab.open('/tasks');
      await page.getByRole('searchbox', { name: 'Find by name' }).fill('HAND');
      await page.waitForURL(/name=HAND/);
      await expect.poll(() => page.locator('tbody tr').count()).toBe(1);
      await page.reload();
      await page.getByRole('link', { name: 'by hand' }).waitFor();
      await page.getByRole('combobox', { name: 'State' }).click();
      await page.getByRole('option', { name: 'Completed' }).click();
      await page.getByText('No task fits').waitFor();
      expect(await tab.axe()).toEqual([]);
      expect(tab.errors).toEqual([]);
    });

    it('offer a viewer nothing that a viewer may not do, in Chinese too', async () => {
      const { secret } = await admin.post<{ secret: string }>('/v1/keys', {
        name: 'looks on',
        role: 'viewer',
      });
      const viewer = await ConsoleTab.signedIn(browser, world.server.url, secret, { locale: 'zh-CN' });
      const { page } = viewer;
      await viewer.open('/tasks');
      await page.getByRole('link', { name: 'wrist', exact: true }).waitFor();
      expect(await page.getByText('新建任务').count()).toBe(0);
      const draft = await taskNamed('by hand');
      await viewer.open(`/tasks/${draft.id}`);
      await page.getByText('尚未启动').waitFor();
      expect(await page.getByRole('button', { name: '启动' }).count()).toBe(0);
      await page.getByRole('button', { name: '更多操作' }).click();
      expect(await page.getByRole('menuitem').allTextContents()).toEqual(['对比']);
      await page.keyboard.press('Escape');
      expect(await viewer.axe()).toEqual([]);
      await viewer.open(`/tasks/${first.id}?tab=learning`);
      await page.getByRole('img', { name: /训练设备/ }).waitFor();
      expect(await viewer.axe()).toEqual([]);
      await viewer.page.goto(`${world.server.url}/console/tasks/new`);
      await page.getByText('此页需要“操作员”角色，您的角色是“查看者”。').waitFor();
      expect(viewer.errors).toEqual([]);
      await viewer.close();
    });
  },
);
