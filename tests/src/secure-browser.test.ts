import { toHex, type Plan, type Task } from '@starling/protocol';
import { loadClientState, type ClientState } from '@starling/secure';
import { chromium, type Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { findBrowser, quietFlagsWithoutGpu } from '../../scripts/chromium.mjs';
import { knownFleet, saType, type KnownDevice } from './testing/known-device.ts';
import { knownTabPages, openKnownTab, type KnownTab } from './testing/known-tab.ts';
import { eventually, type Admin } from './testing/project.ts';
import { testServer, type TestServer } from './testing/servers.ts';
import { completed, devicesIn, roundsOf, runTask, weightsOf } from './testing/tasks.ts';

const executablePath = findBrowser();

/** Device number 3 is a tab; numbers 0 to 2 are in Node, and so is the number 3 of the clear task that it is compared with. */
const tabNumber = 3;
const windows = { selectingMs: 60_000, trainingMs: 60_000, aggregatingMs: 60_000 };
const secure = { groupSize: { target: 4, minimum: 3 }, ring: 32 } as const;

describe.skipIf(executablePath === undefined)(
  'a browser tab in a secure group with Node devices (needs Chromium: npm test installs it where it may)',
  { timeout: 120_000 },
  () => {
    let world: TestServer;
    let admin: Admin;
    let browser: Browser;
    let clear: string[];
    let token: string;
    let fleets = 0;
    let fleet: Awaited<ReturnType<typeof knownFleet>>;
    let tab: KnownTab | undefined;

    beforeAll(async () => {
      world = await testServer({ pages: knownTabPages });
      admin = world.admin;
      browser = await chromium.launch({ executablePath: executablePath ?? '', args: quietFlagsWithoutGpu });
      await newFleet(4);
      await online(4);
      const task = await runTask(admin, { windows, ...cohort(4) });
      await completed(admin, task);
      clear = await weightsOf(admin, task);
      await fleet.close();
    });
    beforeEach(() => newFleet(3));
    afterEach(async () => {
      await tab?.close();
      await fleet.close();
    });
    afterAll(async () => {
      await browser.close();
      await world.close();
    });

    /** Node devices of this test's own, and the token with which a tab joins them. */
    async function newFleet(count: number): Promise<void> {
      fleets++;
      token = await admin.enrolmentToken({ fleet: String(fleets) });
      fleet = await knownFleet(world.server.url, token, count);
      for (const { device } of fleet.devices) await device.start();
    }

    const cohort = (goal: number, minimum = goal): Partial<Plan> => ({
      cohort: { goal, minimum, overSelection: 1, select: { fleet: String(fleets) } },
    });

    async function openTab(): Promise<KnownTab> {
      tab = await openKnownTab(browser, world.server.url, token, tabNumber);
      await online(fleet.devices.length + 1);
      return tab;
    }

    async function online(count: number): Promise<void> {
      await eventually('the devices to be online', async () => {
        const { items } = await admin.get<{ items: { online: boolean; labels: Record<string, string> }[] }>(
          '/v1/devices?limit=100',
        );
        const here = items.filter((device) => device.online && device.labels['fleet'] === String(fleets));
        return here.length === count || undefined;
      });
    }

    it('publishes the bits of the clear task; a page whose task is clear loads nothing of it', async () => {
      const { sent, errors, loaded, stored } = await openTab();
      const part = () => loaded.filter((url) => url.includes('/sdk/membership-'));
      await completed(admin, await runTask(admin, { windows, ...cohort(4) }));
      expect(part()).toEqual([]);

      const task = await runTask(admin, { windows, secure, ...cohort(4) });
      const [round] = await completed(admin, task);
      expect(devicesIn(round)).toBe(4);
      expect(part()).toHaveLength(1);
      expect(await weightsOf(admin, task)).toEqual(clear);
      expect(messagesOf(sent).map(([type]) => type)).toEqual(Object.values(saType));
      expect(errors).toEqual([]);
      await eventually('nothing of the group to be left', async () =>
        (await stored('group')) === undefined && (await stored('update')) === undefined ? true : undefined,
      );
    });

    it.each([
      ['its keys were taken', saType.keys, 'after', 'keys'],
      ['its shares were taken', saType.shares, 'after', 'shares'],
      ['its masked update was stored, and before a byte of it left', saType.upload, 'before', 'uploads'],
      ['its masked words were taken', 'words', 'after', 'uploads'],
      ['it signed the survivors', saType.signature, 'after', 'signing'],
      ['its unmasking shares were stored, and before they left', saType.unmask, 'before', 'unmasking'],
    ] as const)(
      'goes on as the same member with the same bytes when it is reloaded after %s',
      async (_, moment, side, phase) => {
        const { page, sent, errors, stored } = await openTab();
        let before: ClientState | undefined;
        const reloaded = new Promise<void>((resolve) => {
          tab!.onRequest = async (when, path, body) => {
            if (before || when !== side || momentOf(path, body) !== moment) return;
            before = await stateIn(stored);
            await page.reload();
            resolve();
            await new Promise(() => undefined); // the page that asked is gone
          };
        });
        const task = await runTask(admin, { windows, secure, ...cohort(4) });
        await reloaded;
        const [round] = await completed(admin, task);
        expect(devicesIn(round)).toBe(4);
        expect(await weightsOf(admin, task)).toEqual(clear);
        expect(errors).toEqual([]);

        // One text of each message: no second keys, no second masks, no second kind of share.
        const messages = messagesOf(sent);
        expect(new Map(messages).size).toBe(new Set(messages.map(([, text]) => text)).size);
        const words = sent.filter(({ path, body }) => momentOf(path, body) === 'words');
        expect(new Set(words.map(({ body }) => toHex(body))).size).toBe(1);
        // What was stored at that moment: the phase, and no secret that it has no more use for.
        expect(before?.phase).toBe(phase);
        const isMasked = !['keys', 'shares'].includes(phase);
        expect(Object.keys(before ?? {}).filter((name) => /^seed$|Secret$/.test(name))).toHaveLength(
          isMasked ? 0 : 3,
        );
        if (before?.phase === 'uploads') expect(toHex(before.masked)).toBe(toHex(words[0]!.body));
      },
    );

    it('leaves the group when its state is gone after a reload, and masks nothing again', async () => {
      await fleet.close();
      await newFleet(4); // five members bear the loss of one
      const { page, sent, errors, forget } = await openTab();
      let isReloaded = false;
      const reloaded = new Promise<void>((resolve) => {
        tab!.onRequest = async (when, path, body) => {
          if (isReloaded || when !== 'after' || momentOf(path, body) !== saType.shares) return;
          isReloaded = true;
          await forget('group');
          await page.reload();
          resolve();
          await new Promise(() => undefined); // the page that asked is gone
        };
      });
      const task = await runTask(admin, {
        windows: { ...windows, aggregatingMs: 20_000 },
        secure: { ...secure, groupSize: { target: 5, minimum: 3 } },
        ...cohort(5, 3),
      });
      await reloaded;
      const [round] = await completed(admin, task);
      expect(devicesIn(round)).toBe(4);
      expect(round?.funnel.dropped).toEqual({ 'training-failed': 1 });
      expect(errors).toEqual(['group-state-lost']);
      expect(messagesOf(sent).map(([type]) => type)).toEqual([saType.keys, saType.shares]);
      expect(await weightsOf(admin, task)).toEqual(await clearlyOf(fleet.devices));
    });

    it('declines secure tasks while the code for them cannot be loaded, and takes the next one', async () => {
      const { page, errors } = await openTab();
      await page.route('**/sdk/membership-*.js', (route) => route.abort());
      const task = await runTask(admin, {
        windows: { ...windows, selectingMs: 3_000 },
        secure,
        ...cohort(4, 3),
      });
      const [round] = await completed(admin, task);
      expect(devicesIn(round)).toBe(3);
      expect(round?.funnel.dropped).toEqual({ declined: 1 });
      expect(errors).toEqual(['secure-not-loaded']);
      await page.unroute('**/sdk/membership-*.js');
      const next = await runTask(admin, { windows, secure, ...cohort(4) });
      expect(devicesIn((await completed(admin, next))[0])).toBe(4);
      expect(await weightsOf(admin, next)).toEqual(clear);
    });

    async function clearlyOf(devices: readonly KnownDevice[]): Promise<string[]> {
      await tab?.close();
      await online(devices.length);
      const task: Task = await runTask(admin, { windows, ...cohort(devices.length) });
      await completed(admin, task);
      expect((await roundsOf(admin, task.id)).map(devicesIn)).toEqual([devices.length]);
      return weightsOf(admin, task);
    }
  },
);

/** Where in a group a request belongs: the type of its message, or the masked words. */
function momentOf(path: string, body: Uint8Array): number | 'words' | undefined {
  if (path.endsWith('/messages')) return body[1];
  return path.endsWith('/update') && body.length > 0 ? 'words' : undefined;
}

/** Types and texts of the messages of SA-1, as they were sent first. */
function messagesOf(sent: KnownTab['sent']): [type: number, text: string][] {
  const texts = sent.filter(({ path }) => path.endsWith('/messages')).map(({ body }) => toHex(body));
  return [...new Set(texts)].map((text) => [Number.parseInt(text.slice(2, 4), 16), text]);
}

/** The state in the device's group, as it is stored: behind the group's id. */
async function stateIn(stored: KnownTab['stored']): Promise<ClientState | undefined> {
  const value = await stored('group');
  return value && loadClientState(value.slice(1 + value[0]!));
}
