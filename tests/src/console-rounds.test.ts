import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Browser, Page } from 'playwright-core';
import type { Examples } from '@starling/client-sdk';
import { adapt, compile, layoutOf, parseModel, trustedBackend, type Params } from '@starling/model';
import {
  readWeights,
  type ModelVersion,
  type Role,
  type Round,
  type RoundId,
  type Task,
} from '@starling/protocol';
import type { ApiKeyWithSecret, Client } from '@starling/protocol/api';
import { clientOf } from './testing/client.ts';
import { consoleBrowser, consoleFiles, ConsoleTab, launchBrowser } from './testing/console-tab.ts';
import { MadeUpFleet, rowsOf } from './testing/made-up-people.ts';
import { eventually, tinyModel } from './testing/project.ts';
import { RawDevice } from './testing/raw-device.ts';
import { testServer, type TestServer } from './testing/servers.ts';

describe.skipIf(consoleBrowser === undefined)(
  'rounds and models in the console (needs Chromium: npm test installs it where it may)',
  { timeout: 120_000 },
  () => {
    let world: TestServer;
    let client: Client;
    let browser: Browser;
    let fleet: MadeUpFleet;
    let task: Task;
    let rounds: Round[];
    let versions: ModelVersion[];
    let viewerKey: string;
    let operatorKey: string;

    beforeAll(async () => {
      world = await testServer(consoleFiles);
      client = clientOf(world.admin);
      const keyOf = async (name: string, role: Role) =>
        (await world.admin.post<ApiKeyWithSecret>('/v1/keys', { name, role })).secret;
      viewerKey = await keyOf('eyes', 'viewer');
      operatorKey = await keyOf('hands', 'operator');
      const people = [0, 1, 2].map((person) => () => Promise.resolve(rowsOf(person)));
      fleet = await MadeUpFleet.started(world, people, { part: 'real' });
      task = await world.admin.tinyTask({
        rounds: 3,
        cohort: { goal: 3, minimum: 2, overSelection: 1, select: { part: 'real' } },
        adaptation: { steps: 4, rate: 0.2 },
      });
      await client.call('startTask', { params: { id: task.id } });
      await eventually(
        'the task to complete',
        async () =>
          (await client.call('getTask', { params: { id: task.id } })).state === 'completed'
            ? true
            : undefined,
        60_000,
      );
      rounds = (await client.call('listRounds', { params: { id: task.id } })).items.reverse();
      versions = (await client.call('listVersions', { params: { id: task.id } })).items.reverse();
      browser = await launchBrowser();
    }, 120_000);
    afterAll(async () => {
      await browser.close();
      await fleet.stop();
      await world.close();
    });

    const asOperator = (options = {}) => ConsoleTab.signedIn(browser, world.server.url, operatorKey, options);
    const heading = (page: Page, name: string | RegExp) =>
      page.getByRole('heading', { level: 1, name }).waitFor();

    it('shows devices as they arrive, gives a phase more time, aborts a round and follows the task', async () => {
      const token = await world.admin.enrolmentToken({ part: 'raw' });
      const raw = await Promise.all([0, 1, 2, 3].map(() => RawDevice.enrolled(world.server.url, token)));
      for (const device of raw) await device.assignment();
      const live = await world.admin.tinyTask(
        { rounds: 1, cohort: { goal: 4, minimum: 3, overSelection: 1, select: { part: 'raw' } } },
        'live',
      );
      await client.call('startTask', { params: { id: live.id } });
      const [round] = (await client.call('listRounds', { params: { id: live.id } })).items;
      const params = { id: round?.id as RoundId }; // started: it has its first round
      const tab = await asOperator();
      await tab.open(`/rounds/${params.id}`);
      const { page } = tab;
      await heading(page, 'Round 1');
      await page.getByRole('img', { name: 'accepted: 0, asks 4, minimum 3' }).waitFor();
      for (const device of raw.slice(0, 2)) {
        const offer = await eventually('an offer', async () => (await device.assignment()) ?? undefined);
        await device.say(offer.id, 'accept');
      }
      await page.getByRole('img', { name: 'accepted: 2, asks 4, minimum 3' }).waitFor();
      expect(await tab.axe()).toEqual([]);

      const before = await client.call('getAnatomy', { params });
      await page.getByRole('button', { name: 'Extend' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Extend by 5 min' }).click();
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      const after = await client.call('getAnatomy', { params });
      expect((after.remainingMs.round ?? 0) - (before.remainingMs.round ?? 0)).toBeGreaterThan(200_000);

      await page.getByRole('button', { name: 'Close now' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Close now' }).click();
      await page.getByText('its minimum is 3').waitFor(); // refused, and told
      expect((await client.call('getRound', { params })).state).toBe('selecting');

      await page.getByRole('button', { name: 'Abort' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Abort the round' }).click();
      await page.getByText('This round was abandoned').waitFor();
      expect(await client.call('getRound', { params })).toMatchObject({
        state: 'abandoned',
        reason: 'aborted',
      });
      await page.getByRole('switch', { name: 'Follow' }).click(); // the task has opened its next round
      await heading(page, 'Round 2');
      await page.getByRole('link', { name: 'Round 1: Training, Abandoned' }).click();
      await page.getByText('This round was abandoned').waitFor();
      await client.call('cancelTask', { params: { id: live.id } });
      expect(tab.errors).toEqual([]);
      await tab.close();
    });

    it('tells how the groups of a secure task did, in one round and over all', async () => {
      const secure = await world.admin.tinyTask(
        {
          cohort: { goal: 3, minimum: 3, overSelection: 1, select: { part: 'real' } },
          secure: { groupSize: { target: 3, minimum: 3 }, ring: 32 },
        },
        'under-masks',
      );
      const params = { id: secure.id };
      await client.call('startTask', { params });
      const [round] = (await client.call('listRounds', { params })).items;
      const tab = await asOperator();
      const { page } = tab;
      await tab.open(`/rounds/${round?.id ?? ''}`);
      const groups = page.locator('section', { hasText: 'Groups of secure aggregation' });
      await groups.getByText('Summed', { exact: true }).waitFor({ timeout: 40_000 }); // it hears of it by itself
      await page.getByText('0 of 1', { exact: true }).waitFor();
      await page.getByText('needs 3; no sum is of fewer than 3').waitFor();
      await page.getByRole('img', { name: /^Health of the groups/ }).waitFor();
      expect(await tab.axe()).toEqual([]);
      expect(tab.errors).toEqual([]);
      await tab.close();
    });

    it('steps through the rounds of a task, from its list on, also with the keyboard', async () => {
      const tab = await asOperator();
      const { page } = tab;
      await tab.open(`/tasks/${task.id}/rounds`);
      await heading(page, 'Rounds');
      await page.getByRole('table').getByRole('link', { name: 'Round 1', exact: true }).waitFor();
      expect(await tab.axe()).toEqual([]);
      await page.getByRole('list', { name: 'Last rounds' }).getByRole('link', { name: 'Round 1:' }).click();
      await heading(page, 'Round 1');
      await page.getByRole('button', { name: 'Next round', disabled: false }).waitFor(); // it knows its neighbours
      await page.keyboard.press('ArrowRight');
      await heading(page, 'Round 2');
      await page.getByRole('button', { name: 'Next round' }).click();
      await heading(page, 'Round 3');
      expect(page.url()).toContain(rounds[2]?.id);
      await page.getByRole('button', { name: 'Next round', disabled: true }).waitFor();
      await page.getByText('Asked to uploaded').waitFor();
      await page.getByRole('button', { name: 'Previous round', disabled: false }).waitFor();
      await page.keyboard.press('ArrowLeft');
      await heading(page, 'Round 2');
      expect(tab.errors).toEqual([]);
      await tab.close();
    });

    it('promotes a version with a note, then another, and goes back to the first', async () => {
      const served = async () => (await client.call('getTask', { params: { id: task.id } })).servedVersion;
      const tab = await asOperator();
      const { page } = tab;
      for (const number of [1, 2]) {
        await tab.open(`/versions/${versions[number]?.id ?? ''}`);
        await heading(page, `Version ${number}`);
        await page.getByRole('button', { name: 'Promote' }).click();
        const dialog = page.getByRole('dialog');
        await dialog.getByLabel('Note').fill(`as good as ${number}`);
        await dialog.getByRole('button', { name: 'Promote' }).click();
        await page.getByText('Served to devices').waitFor();
        await page.getByText(`as good as ${number}`).waitFor();
        expect(await served()).toBe(versions[number]?.id);
      }
      expect(await tab.axe()).toEqual([]);
      await page.getByRole('button', { name: 'Roll back to version 1' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Roll back to version 1' }).click();
      await page.getByText('Rolled back', { exact: true }).waitFor();
      expect(await served()).toBe(versions[1]?.id);
      const { items } = await client.call('listReleases', { params: { id: task.id } });
      expect(items.map(({ kind, number, by }) => [kind, number, by])).toEqual([
        ['rollback', 1, 'hands'],
        ['promotion', 2, 'hands'],
        ['promotion', 1, 'hands'],
      ]);
      expect(tab.errors).toEqual([]);
      await tab.close();
    });

    it('downloads the very bytes that the API has, in both formats', async () => {
      const version = versions[3]!;
      const tab = await asOperator();
      const { page } = tab;
      await tab.open(`/versions/${version.id}`);
      for (const [format, name] of [
        ['safetensors', /safetensors/],
        ['onnx', /ONNX/],
      ] as const) {
        await page.getByRole('button', { name: 'Download' }).click();
        const [file] = await Promise.all([
          page.waitForEvent('download'),
          page.getByRole('menuitem', { name }).click(),
        ]);
        expect(file.suggestedFilename()).toBe(`${version.id}.${format}`);
        const bytes = await readFile(await file.path());
        expect(bytes.equals(await client.download(version.id, format)), format).toBe(true);
      }
      await tab.close();
    });

    it('predicts as the engine does, and adapts to examples as the engine does', async () => {
      const version = versions[3]!;
      const compiled = (batch: number) =>
        compile(parseModel(tinyModel), { batch, backend: trustedBackend() });
      const program = compiled(8);
      const layout = layoutOf(program.model);
      const shared: Params = {
        layout,
        values: readWeights(layout, await client.download(version.id, 'safetensors')),
      };
      const x = Float32Array.of(0.25, 2, -0.5, 0.125);
      const example: Examples = { x, y: Int32Array.of(2), count: 1 };
      const personal = adapt(compiled(32), shared, example, { steps: 4, rate: 0.2 });
      const expected = (params: Params) => [...program.predict(params, x).probabilities];

      const tab = await asOperator();
      const { page } = tab;
      await tab.open(`/versions/${version.id}?tab=try`);
      await page.getByRole('button', { name: 'Load the model' }).click();
      await page.getByText('Numbers or file').click();
      await page.getByLabel('Numbers', { exact: true }).fill([...x].join(', '));
      await page.getByRole('button', { name: 'Use' }).click();
      const shares = async (which: number) => {
        const found: number[] = [];
        for (const index of [0, 1, 2]) {
          const bar = page.getByTestId(`class-${index}`).locator('[data-share]').nth(which);
          found.push(Number(await bar.getAttribute('data-share')));
        }
        return found;
      };
      await page.getByTestId('prediction').waitFor();
      expect(await shares(0)).toEqual(expected(shared));

      await page.getByRole('combobox', { name: 'This example is of' }).click();
      await page.getByRole('option', { name: 'Class 2' }).click();
      await page.getByRole('button', { name: 'Add the example' }).click();
      await page.getByRole('button', { name: 'Adapt', exact: true }).click();
      await page.getByText('After adaptation to your examples').waitFor();
      expect(await shares(1)).toEqual(expected(personal));
      expect(await shares(0)).toEqual(expected(shared));
      expect(await tab.axe()).toEqual([]);
      expect(tab.errors).toEqual([]);
      await tab.close();
    });

    it('shows a viewer everything, and offers nothing that would change it', async () => {
      const tab = await ConsoleTab.signedIn(browser, world.server.url, viewerKey);
      const { page } = tab;
      const open = await world.admin.tinyTask(
        { cohort: { goal: 2, minimum: 2, overSelection: 1, select: { part: 'none' } } },
        'waits',
      );
      await client.call('startTask', { params: { id: open.id } });
      const [round] = (await client.call('listRounds', { params: { id: open.id } })).items;
      await tab.open(`/rounds/${round?.id ?? ''}`);
      await page.getByRole('img', { name: /accepted: 0/ }).waitFor();
      for (const name of ['Extend', 'Close now', 'Abort'])
        expect(await page.getByRole('button', { name }).count()).toBe(0);
      await tab.open(`/versions/${versions[0]?.id ?? ''}`);
      await page.getByRole('button', { name: 'Download' }).waitFor();
      await page.getByText('best').or(page.getByText('as good as 1')).first().waitFor();
      for (const name of [/^Promote/, /^Roll back/])
        expect(await page.getByRole('button', { name }).count()).toBe(0);
      await tab.open('/models');
      await page.getByRole('link', { name: 'tiny' }).waitFor();
      expect(await page.getByRole('button', { name: 'Upload a model' }).count()).toBe(0);
      await client.call('cancelTask', { params: { id: open.id } });
      expect(tab.errors).toEqual([]);
      await tab.close();
    });

    it.each([
      ['en-GB', ['Models', 'tiny', 'Version 3', 'Version 3', 'Round 2']],
      ['zh-CN', ['模型', 'tiny', '版本 3', '版本 3', '第 2 轮']],
    ])('reads well in %s on a phone, without serious findings of axe', async (locale, titles) => {
      const tab = await asOperator({ locale, width: 360 });
      const version = versions[3]?.id ?? '';
      const pages = [
        '/models',
        `/models/${task.model}`,
        `/versions/${version}?tab=lineage`,
        `/versions/${version}?tab=compare`,
        `/rounds/${rounds[1]?.id ?? ''}`,
      ];
      for (const [index, path] of pages.entries()) {
        await tab.open(path);
        await heading(tab.page, titles[index] ?? '');
        await tab.page.locator('.mantine-Skeleton-root').first().waitFor({ state: 'detached' });
        expect(await tab.axe(), path).toEqual([]);
        const overflow = await tab.page.evaluate('document.documentElement.scrollWidth - innerWidth');
        expect(overflow, path).toBeLessThanOrEqual(0);
      }
      expect(tab.errors).toEqual([]);
      await tab.close();
    });

    it('takes a model as a file, and says what is wrong with one', async () => {
      const tab = await asOperator();
      const { page } = tab;
      await tab.open('/models');
      await page.getByRole('button', { name: 'Upload a model' }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByLabel('Or its text').fill(JSON.stringify({ ...tinyModel, nodes: [] }));
      await dialog.getByRole('button', { name: 'Upload a model' }).click();
      await dialog.getByText('This is no model').waitFor();
      await dialog.getByLabel('Or its text').fill(JSON.stringify({ ...tinyModel, name: 'from-the-console' }));
      await dialog.getByRole('button', { name: 'Upload a model' }).click();
      await heading(page, 'from-the-console');
      expect(tab.errors).toEqual([]);
      await tab.close();
    });
  },
);
