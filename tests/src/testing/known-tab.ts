import type { Assignment } from '@starling/protocol';
import type { Browser, Page } from 'playwright-core';
import { fileURLToPath } from 'node:url';
import { knownUpdate } from './known-device.ts';

const room = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

/** What a server has to serve for {@link openKnownTab}. */
export const knownTabPages = {
  '/sdk/': room('client-sdk/dist/bundle/'),
  '/known-tab/': room('tests/pages/known-tab/'),
};

/** A real device in a browser tab whose updates are known, as those of a KnownDevice are. */
export interface KnownTab {
  readonly page: Page;
  /** Everything that it was about to send to the server, over all its lives: path and body. */
  readonly sent: { path: string; body: Uint8Array }[];
  /** Codes of the errors that the device told its app. */
  readonly errors: string[];
  /** Addresses of all files that the page loaded. */
  readonly loaded: string[];
  /**
   * Called before a request leaves and after it was answered. While the promise is pending the device waits, so a reload
   * in it finds the device at that very moment.
   */
  onRequest: (when: 'before' | 'after', path: string, body: Uint8Array) => Promise<void>;
  /** What IndexedDB holds under a key of the device's. */
  stored: (key: string) => Promise<Uint8Array | undefined>;
  /** Takes a key out of the device's IndexedDB. */
  forget: (key: string) => Promise<void>;
  close(): Promise<void>;
}

/** Opens a tab with a storage of its own. */
export async function openKnownTab(
  browser: Browser,
  server: string,
  enrolmentToken: string,
  number: number,
): Promise<KnownTab> {
  const context = await browser.newContext();
  const page = await context.newPage();
  const tab: KnownTab = {
    page,
    sent: [],
    errors: [],
    loaded: [],
    onRequest: () => Promise.resolve(),
    stored: async (key) => {
      const values = await page.evaluate(onStore, ['get', key] as const);
      return values && Uint8Array.from(values);
    },
    forget: async (key) => {
      await page.evaluate(onStore, ['delete', key] as const);
    },
    close: () => context.close(),
  };
  page.on('request', (request) => tab.loaded.push(request.url()));
  await page.exposeFunction('knownUpdate', (assignment: Assignment) => [...knownUpdate(number, assignment)]);
  await page.exposeFunction('onRequest', (when: 'before' | 'after', path: string, values: number[]) => {
    const body = Uint8Array.from(values);
    if (when === 'before') tab.sent.push({ path, body });
    return tab.onRequest(when, path, body);
  });
  await page.exposeFunction('onError', (code: string) => {
    tab.errors.push(code);
  });
  const query = new URLSearchParams({ token: enrolmentToken });
  await page.goto(`${server}/known-tab/?${query.toString()}`);
  return tab;
}

/** Runs in the page: one operation on the device's IndexedDB. */
function onStore([operation, key]: readonly ['get' | 'delete', string]): Promise<number[] | undefined> {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open('starling');
    opening.onerror = () => {
      reject(opening.error ?? new Error('IndexedDB could not be opened.'));
    };
    opening.onsuccess = () => {
      const change = opening.result.transaction('values', 'readwrite');
      const request = change.objectStore('values')[operation](key) as IDBRequest<Uint8Array | undefined>;
      change.oncomplete = () => {
        opening.result.close();
        resolve(request.result && [...request.result]);
      };
    };
  });
}
