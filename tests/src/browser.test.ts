import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chromium, type Browser, type Page } from 'playwright-core';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createDevice, type Device } from '@starling/client-sdk';
import { nodeHost } from '@starling/client-sdk/node';
import type { ModelDetail, RoundDetail, Task } from '@starling/protocol';
import { examplesOf, modelFor, syntheticWrist } from '@starling/simulator';
import { findBrowser, quietFlagsWithoutGpu } from '../../scripts/chromium.mjs';
import { eventually, tinyPlan, type Admin } from './testing/project.ts';
import { testServer, type TestServer } from './testing/servers.ts';

const executablePath = findBrowser();
const room = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** A tab of a real browser and devices in Node in the same rounds, with the example page that an app would copy. */
describe.skipIf(executablePath === undefined)(
  'a browser tab (needs Chromium: npm test installs it where it may)',
  () => {
    let world: TestServer;
    let admin: Admin;
    let place: string;
    let browser: Browser;
    let devices: Device[];
    let task: Task;
    let token: string;
    const people = syntheticWrist(7, { users: 3 });

    beforeAll(async () => {
      place = await mkdtemp(join(tmpdir(), 'starling-browser-'));
      world = await testServer({
        pages: { '/sdk/': room('client-sdk/dist/bundle/'), '/examples/browser/': room('examples/browser/') },
      });
      admin = world.admin;
      token = await admin.enrolmentToken();
      const model = await admin.post<ModelDetail>('/v1/models', modelFor(people, { standardise: true }));
      task = await admin.post<Task>('/v1/tasks', {
        name: 'wrist',
        model: model.digest,
        plan: tinyPlan({
          learning: { algorithm: 'fedavg', epochs: 1, batchSize: 16, rate: 0.05 },
          rounds: 2,
          cohort: { goal: 3, minimum: 3, overSelection: 1 },
          statistics: { goal: 3, minimum: 3 },
          adaptation: { steps: 5, rate: 0.02 },
        }),
      });
      devices = people.users.slice(0, 2).map(({ id }) =>
        createDevice({
          server: world.server.url,
          enrolmentToken: token,
          examples: () => Promise.resolve(examplesOf(people, id)),
          host: nodeHost({ directory: join(place, id) }),
        }),
      );
      await Promise.all(devices.map((device) => device.start()));
      browser = await chromium.launch({ executablePath: executablePath ?? '', args: quietFlagsWithoutGpu });
    });
    afterAll(async () => {
      await browser.close();
      await Promise.all(devices.map((device) => device.stop()));
      await world.close();
      await rm(place, { recursive: true, force: true });
    });

    async function openExample(): Promise<{ page: Page; errors: string[] }> {
      const page = await browser.newPage();
      const errors: string[] = [];
      page.on('pageerror', (error) => errors.push(error.message));
      page.on('console', (message) => {
        if (message.type() === 'error') errors.push(message.text());
      });
      const query = new URLSearchParams({ server: world.server.url, token, task: task.id });
      await page.goto(`${world.server.url}/examples/browser/?${query.toString()}`);
      return { page, errors };
    }

    it(
      'takes part in rounds with Node devices, personalises, and comes back as the same device',
      { timeout: 120_000 },
      async () => {
        const { page, errors } = await openExample();
        await eventually('all three devices online', async () => {
          const { items } = await admin.get<{ items: { online: boolean }[] }>('/v1/devices');
          return items.filter((device) => device.online).length === 3 ? true : undefined;
        });
        await admin.post(`/v1/tasks/${task.id}/start`);
        await eventually(
          'the task to complete',
          async () =>
            (await admin.get<Task>(`/v1/tasks/${task.id}`)).state === 'completed' ? true : undefined,
          60_000,
        );
        const { items: rounds } = await admin.get<{ items: RoundDetail[] }>(`/v1/tasks/${task.id}/rounds`);
        expect(rounds.map((round) => [round.kind, round.state])).toEqual([
          ['training', 'published'],
          ['training', 'published'],
          ['statistics', 'published'],
        ]);
        for (const round of rounds) expect(round.metrics).toMatchObject({ devices: 3 });
        await page.getByTestId('rounds').filter({ hasText: /[23]/ }).waitFor();
        await page.getByTestId('personalise').click();
        await page.getByTestId('accuracy-after').filter({ hasText: '%' }).waitFor();
        expect(errors).toEqual([]);

        await page.reload();
        await eventually('the tab to be online again', async () => {
          const { items } = await admin.get<{ items: { online: boolean }[] }>('/v1/devices');
          return items.filter((device) => device.online).length === 3 ? items : undefined;
        });
        const { items } = await admin.get<{ items: object[] }>('/v1/devices');
        expect(items).toHaveLength(3);
        await page.close();
      },
    );
  },
);
