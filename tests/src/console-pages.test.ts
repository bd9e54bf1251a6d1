import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Operation } from '@starling/protocol/api';
import { ConsoleTab, consoleBrowser, launchBrowser } from './testing/console-tab.ts';
import { consoleWorld, type ConsoleWorld } from './testing/console-world.ts';
import { eventually } from './testing/project.ts';
import { RawDevice } from './testing/raw-device.ts';

/** The fleet, its devices, jobs, access, the audit log and operations, as people of each role use them. */
describe.skipIf(consoleBrowser === undefined)(
  'the pages of an operator (need Chromium: npm test installs it where it may)',
  { timeout: 60_000 },
  () => {
    let world: ConsoleWorld;
    let browser: Browser;
    beforeAll(async () => {
      [world, browser] = await Promise.all([consoleWorld(), launchBrowser()]);
    }, 60_000);
    afterAll(async () => {
      await browser.close();
      await world.server.close();
    });

    const as = (role: keyof ConsoleWorld['keys'], options = {}) =>
      ConsoleTab.signedIn(browser, world.server.server.url, world.keys[role], options);
    /** Says yes in the dialog of this title, which names the consequence. */
    const confirm = async (page: Page, title: string, consequence: string, button: string) => {
      const dialog = page.getByRole('dialog', { name: title });
      await dialog.getByText(consequence).waitFor();
      await dialog.getByRole('button', { name: button }).click();
      await dialog.waitFor({ state: 'detached' });
    };
    const done = async (action: Operation) => {
      const { items } = await world.client.call('listAudit', { query: { action } });
      return items.filter(({ outcome }) => outcome?.status === 200).length;
    };

    it('show the fleet as the database counts it, and a device that comes by itself', async () => {
      const tab = await as('operator');
      const { page } = tab;
      await tab.settled();
      const panel = page.getByRole('list').filter({ hasText: '0.1.0' });
      await panel.getByText('3', { exact: true }).waitFor();
      await page.getByText('Declined').waitFor();
      expect(await tab.axe()).toEqual([]);
      const token = await world.server.admin.enrolmentToken();
      await RawDevice.enrolled(world.server.server.url, token);
      await panel.getByText('4', { exact: true }).waitFor();
      expect(tab.errors).toEqual([]);
      await tab.close();
    });

    it.each(['en-GB', 'zh-CN'])(
      'come compressed: 250 kB at most for the first one, in %s',
      async (locale) => {
        const tab = await as('viewer', { locale });
        await tab.settled();
        const files = await tab.page.evaluate<{ name: string; sent: number; whole: number }[]>(
          `performance.getEntriesByType('resource')
          .filter(({ name }) => name.includes('/console/assets/') && /\\.(js|css)$/.test(name))
          .map(({ name, encodedBodySize, decodedBodySize }) => ({ name, sent: encodedBodySize, whole: decodedBodySize }))`,
        );
        const sum = (of: (file: { sent: number; whole: number }) => number) =>
          files.reduce((total, file) => total + of(file), 0);
        expect(sum(({ whole }) => whole)).toBeGreaterThan(500_000); // they are all there
        expect(sum(({ sent }) => sent)).toBeLessThanOrEqual(250_000);
        await tab.close();
      },
    );

    it('find a device, tell what it did, and erase it after the consequence was named', async () => {
      const [device = world.devices[0]!] = world.devices;
      const tab = await as('admin');
      const { page } = tab;
      await tab.open('/devices');
      await page.getByRole('textbox', { name: 'Label (name=value)' }).fill('part=none');
      await page.getByText('No device fits').waitFor();
      await page.getByRole('button', { name: 'Clear filters' }).click();
      await page.getByRole('textbox', { name: 'Id begins with' }).fill(device.slice(0, 14));
      await expect.poll(() => page.locator('tbody tr').count()).toBe(1);
      expect(await tab.axe()).toEqual([]);
      await page.locator('tbody').getByRole('link').click();
      await page.getByRole('link', { name: 'Training 1' }).waitFor();
      await page.getByRole('button', { name: 'Revoke' }).waitFor();
      await page.getByRole('button', { name: 'Erase' }).click();
      expect(await tab.axe()).toEqual([]);
      await confirm(page, 'Erase this device?', 'Updates that it sent stay in the models', 'Erase');
      await page.getByText('Nothing is known of it but its id').waitFor();
      await page.getByText('It has not taken part in a round yet').waitFor();
      expect(await page.getByRole('button', { name: /Erase|Revoke/ }).count()).toBe(0);
      const params = { id: device };
      expect(await world.client.call('getDevice', { params })).toMatchObject({
        ...{ state: 'revoked', publicKey: null, platform: '', sdkVersion: '', labels: {}, seenAt: null },
      });
      expect((await world.client.call('listDevices', {})).items.map(({ id }) => id)).not.toContain(device);
      const round = await world.client.call('getRound', { params: { id: world.round.id } });
      expect(round.funnel.states['counted']).toBe(2); // what it contributed is still counted
      expect(await done('eraseDevice')).toBe(1);
      expect(tab.errors).toEqual([]);
      await tab.close();
    });

    it('follow a job in the cloud, and cancel it', async () => {
      const tab = await as('operator');
      const { page } = tab;
      await tab.open('/jobs');
      await page.getByRole('link', { name: 'tiny' }).waitFor();
      await page.getByRole('status').or(page.getByText('Running')).first().waitFor();
      expect(await tab.axe()).toEqual([]);
      await tab.open(`/jobs/${world.job.id}`);
      await page.getByRole('button', { name: 'Cancel the job' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Cancel the job' }).click();
      await page.getByText('Cancelled', { exact: true }).first().waitFor(); // it hears of it by itself
      expect(await tab.axe()).toEqual([]);
      await eventually('the job to end', async () => {
        const { endedAt } = await world.client.call('getJob', { params: { id: world.job.id } });
        return endedAt === null ? undefined : true;
      });
      expect(tab.errors).toEqual([]);
      await tab.close();
    });

    it('ask for a simulation of a task on a data set, and go to its job', async () => {
      const tab = await as('operator');
      const { page } = tab;
      await tab.open(`/tasks/${world.task.id}`);
      await page.getByRole('button', { name: 'More actions' }).click();
      await page.getByRole('menuitem', { name: 'Simulate on a data set' }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByRole('textbox', { name: 'Data set' }).fill('unheard-of');
      await dialog.getByRole('button', { name: 'Simulate' }).click();
      await dialog.getByText('There is no data set "unheard-of"').waitFor();
      await dialog.getByRole('textbox', { name: 'Data set' }).fill('proxy');
      expect(await tab.axe()).toEqual([]);
      await dialog.getByRole('button', { name: 'Simulate' }).click();
      await page.getByRole('heading', { level: 1, name: 'Simulation' }).waitFor();
      const { items } = await world.client.call('listJobs', {});
      const job = items.find(({ work }) => work.kind === 'simulate');
      expect(job?.work).toMatchObject({ data: 'proxy', training: { plan: world.task.plan, fold: 1 } });
      expect(tab.errors).toEqual([]);
      await tab.close();
    });

    it('make a key that is shown once, revoke it, make a token, and invite a person', async () => {
      const tab = await as('admin');
      const { page } = tab;
      await tab.open('/access');
      await page.getByRole('button', { name: 'New API key' }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByRole('textbox', { name: 'Name' }).fill('of the nightly build');
      await dialog.getByRole('combobox', { name: 'Role' }).click();
      expect(await page.getByRole('option').allTextContents()).toEqual(['Viewer', 'Operator', 'Admin']);
      await page.getByRole('option', { name: 'Operator' }).click();
      await dialog.getByRole('button', { name: 'New API key' }).click();
      const secret = await page.getByRole('textbox', { name: 'Copy it now' }).inputValue();
      expect(secret).toMatch(/^sk_/);
      expect(await tab.axe()).toEqual([]);
      await page.getByRole('button', { name: 'I have copied it' }).click();
      const row = page.getByRole('row', { name: /of the nightly build/ });
      await row.getByRole('button', { name: 'Revoke' }).click();
      await confirm(page, 'Revoke this key?', 'refused at once', 'Revoke');
      await row.getByText('Revoked').waitFor();
      expect(await page.content()).not.toContain(secret);
      expect(await page.evaluate('JSON.stringify([localStorage, sessionStorage])')).not.toContain('sk_');
      expect(await tab.axe()).toEqual([]);

      await page.getByRole('tab', { name: 'Enrolment tokens' }).click();
      await page.getByRole('button', { name: 'New enrolment token' }).click();
      await dialog.getByRole('textbox', { name: 'Labels' }).fill('ring=beta');
      await dialog.getByRole('button', { name: 'New enrolment token' }).click();
      await page.getByRole('button', { name: 'I have copied it' }).click();
      await page.getByText('ring=beta').waitFor();
      expect(await tab.axe()).toEqual([]);

      await page.getByRole('tab', { name: 'Members' }).click();
      await page.getByRole('textbox', { name: 'E-mail' }).fill('ada@example.com');
      await page.getByRole('button', { name: 'Invite' }).click();
      const member = page.getByRole('row', { name: /ada@example\.com/ });
      await member.getByRole('button', { name: 'Remove' }).click();
      await confirm(page, 'Remove this member?', 'end at once', 'Remove');
      await member.getByText('Removed').waitFor();
      expect(await tab.axe()).toEqual([]);
      expect(tab.errors).toEqual([]);
      await tab.close();
    });

    it('search the audit log, and verify its chain', async () => {
      const tab = await as('admin');
      const { page } = tab;
      await tab.open('/audit');
      await page.getByRole('textbox', { name: 'Action' }).fill('startTask');
      await expect.poll(() => page.locator('tbody tr').count()).toBe(1);
      await page.getByRole('button', { name: 'Verify the chain' }).click();
      await page.getByText('The chain is intact').waitFor();
      expect(await tab.axe()).toEqual([]);
      expect(tab.errors).toEqual([]);
      await tab.close();
    });

    it('show how the server is, and other projects to a server key alone', async () => {
      const tab = await as('server');
      const { page } = tab;
      await page.getByRole('link', { name: 'Operations' }).click();
      await page.getByRole('heading', { level: 1, name: 'Operations' }).waitFor();
      await page.getByText('Ready', { exact: true }).waitFor();
      const facts = await world.client.call('getOperations', {});
      expect(facts.nodesAlive).toBe(1);
      await page.getByText(`a server of version ${facts.node.version}`).waitFor();
      await page.getByText('PGlite, in this process').waitFor();
      await page.getByText('as the server').waitFor();
      await page.getByText('All projects').first().click();
      expect(await tab.axe()).toEqual([]);
      expect(tab.errors).toEqual([]);
      await tab.close();
      const other = await as('admin');
      await other.open('/operations');
      await other.page.getByText('shown to server keys').waitFor();
      expect(await other.page.getByText('All projects').count()).toBe(0);
      expect(other.errors).toEqual([]);
      await other.close();
    });

    it('offer a viewer nothing that a viewer may not do, in Chinese', async () => {
      const tab = await as('viewer', { locale: 'zh-CN' });
      const { page } = tab;
      const menu = page.getByRole('navigation', { name: '菜单' });
      await menu.getByRole('link').first().waitFor();
      expect(await menu.getByRole('link').allTextContents()).toEqual([
        ...['设备群', '任务', '模型', '设备', '云端作业', '审计日志'],
      ]);
      await tab.open(`/devices/${world.devices[1] ?? ''}`);
      await page.getByText('参与记录').waitFor();
      expect(await page.getByRole('button', { name: /吊销|抹除/ }).count()).toBe(0);
      await tab.open(`/jobs/${world.job.id}`);
      await tab.settled();
      expect(await page.getByRole('button', { name: '取消作业' }).count()).toBe(0);
      for (const path of ['/access', '/operations']) {
        await tab.open(path);
        await page.getByText('此页需要“管理员”角色，您的角色是“查看者”。').waitFor();
        expect(await tab.axe(), path).toEqual([]);
      }
      expect(tab.errors).toEqual([]);
      await tab.close();
    });

    it('offer an operator to revoke a device, and not to erase it, in Chinese', async () => {
      const tab = await as('operator', { locale: 'zh-CN' });
      const { page } = tab;
      await tab.open(`/devices/${world.devices[1] ?? ''}`);
      await page.getByRole('button', { name: '吊销' }).click();
      expect(await page.getByRole('button', { name: '抹除' }).count()).toBe(0);
      const dialog = page.getByRole('dialog', { name: '吊销该设备？' });
      await dialog.getByText('此操作无法撤销').waitFor();
      await dialog.getByRole('button', { name: '吊销' }).click();
      await page.getByText('已吊销', { exact: true }).waitFor();
      expect(await done('revokeDevice')).toBe(1);
      expect(tab.errors).toEqual([]);
      await tab.close();
    });
  },
);
