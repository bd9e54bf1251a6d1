import { existsSync } from 'node:fs';

/** A Chromium on this machine: the places that scripts/find-browser.mjs looks at. */
export function findBrowser(): string | undefined {
  const places = [
    process.env['STARLING_CHROMIUM'],
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  ];
  return places.find((path) => path !== undefined && path !== '' && existsSync(path));
}
