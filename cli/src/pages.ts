import { fileURLToPath } from 'node:url';

/** Folders that a server of this checkout serves: the browser SDK and the example page that uses it. */
export const pages = {
  '/sdk/': fileURLToPath(new URL('../../client-sdk/dist/bundle/', import.meta.url)),
  '/examples/browser/': fileURLToPath(new URL('../../examples/browser/', import.meta.url)),
};

/** The folder of the built console. */
export const consolePages = fileURLToPath(new URL('../../web-console/dist/site/', import.meta.url));
