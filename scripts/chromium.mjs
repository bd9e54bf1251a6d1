import { existsSync } from 'node:fs';

const places = [
  process.env.STARLING_CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
];

/** Path of a Chromium on this machine, or `undefined`. */
export function findBrowser() {
  return places.find((path) => path && existsSync(path));
}

/** No window, no sandbox (containers lack one), nothing fetched in the background. */
export const quietFlags = [
  '--headless',
  '--no-sandbox',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** The same without a GPU: all that does not ask for WebGPU. */
export const quietFlagsWithoutGpu = [...quietFlags, '--disable-gpu'];
