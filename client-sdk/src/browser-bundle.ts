/** Everything that a page needs in one file: /sdk/starling.js */
export * from './index.ts';
export { browserHost, type BrowserHostOptions } from './hosts/browser/index.ts';
