import js from '@eslint/js';
import prettier from 'eslint-config-prettier';
import ts from 'typescript-eslint';

/** Who may import whom: the one direction of dependency (docs/architecture.md). Tests may reach further. */
const allowed = {
  protocol: [],
  model: [],
  secure: ['protocol'],
  aggregation: ['protocol', 'secure'],
  'client-sdk': ['protocol', 'model', 'secure'],
  server: ['protocol', 'model', 'secure', 'aggregation'],
  // server: its pure rules (@starling/server/rules) decide a simulated round too
  simulator: ['protocol', 'model', 'secure', 'aggregation', 'client-sdk', 'server'],
  bench: ['protocol', 'model', 'secure', 'aggregation', 'server', 'simulator'],
  // model: shapes of an IR (its reader) and the documents of the zoo; client-sdk: types of the SDK that the server serves
  'web-console': ['protocol', 'model', 'client-sdk'],
  cli: ['protocol', 'model', 'secure', 'aggregation', 'client-sdk', 'server', 'simulator'],
};

/** Rooms without I/O, clock or global randomness: all of these are handed in. */
const pure = [
  'protocol/src/**',
  'model/src/**',
  'secure/src/**',
  'aggregation/src/**',
  'client-sdk/src/core/**',
];
const impureGlobals = [
  'Date', 'performance', 'setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'fetch', 'crypto',
  'process', 'Buffer', 'window', 'document', 'navigator', 'self', 'globalThis', 'indexedDB', 'localStorage',
  'console', 'Worker', 'WebSocket',
]; // prettier-ignore

const isTest = ['**/*.test.ts', '**/*.bench.ts', '**/testing/**'];

function importRules(room, may) {
  const forbidden = Object.keys(allowed).filter((other) => other !== room && !may.includes(other));
  return [
    { group: ['../../*/src/**'], message: 'Import another room by its package name.' },
    ...(forbidden.length > 0
      ? [
          {
            group: forbidden.map((other) => `@starling/${other}`),
            message: `${room} may import only: ${may.join(', ') || 'nothing'} (docs/architecture.md).`,
          },
        ]
      : []),
    ...(pure.includes(`${room}/src/**`)
      ? [{ group: ['node:*'], message: 'A pure room: take I/O as a parameter.' }]
      : []),
  ];
}

export default ts.config(
  { ignores: ['**/dist/', '**/node_modules/', '.starling/'] },
  js.configs.recommended,
  ...ts.configs.strictTypeChecked.map((c) => ({ ...c, files: ['**/*.ts'] })),
  {
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/no-non-null-assertion': 'off', // typed-array reads under noUncheckedIndexedAccess
      eqeqeq: 'error',
    },
  },
  ...Object.entries(allowed).map(([room, may]) => ({
    files: [`${room}/src/**/*.ts`],
    ignores: isTest,
    rules: { 'no-restricted-imports': ['error', { patterns: importRules(room, may) }] },
  })),
  {
    files: ['client-sdk/src/core/**/*.ts'],
    ignores: isTest,
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            ...importRules('client-sdk', allowed['client-sdk']),
            {
              group: ['node:*', 'idb', 'socket.io-client'],
              message: 'The core is pure: hosts hand these in.',
            },
          ],
        },
      ],
    },
  },
  {
    files: pure.map((p) => `${p}/*.ts`),
    ignores: isTest,
    rules: {
      'no-restricted-globals': [
        'error',
        ...impureGlobals.map((name) => ({ name, message: 'A pure room: take it as a parameter.' })),
      ],
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random', message: 'Randomness comes from a named stream.' },
      ],
    },
  },
  {
    files: ['**/*.js', '**/*.mjs'],
    ...ts.configs.disableTypeChecked,
    languageOptions: {
      globals: { process: 'readonly', console: 'readonly', URL: 'readonly', setTimeout: 'readonly' },
    },
  },
  prettier,
);
