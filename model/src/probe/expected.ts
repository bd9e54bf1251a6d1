/** The passport of each backend, the same on every runtime and processor (strict mode). A new kernel brings a new one. */
export const expectedPassports: Readonly<Record<string, string>> = {
  js: 'da50cd3e76f9b58c',
  wasm: '76d99b66dbea3391',
};

/** Changes with the engine and with what it computes: what was measured under another one is out of date. */
export const engineVersion = `0.1.0+${Object.values(expectedPassports).join('.')}`;
