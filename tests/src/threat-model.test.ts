import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { problems } from '@starling/protocol';
import { refusalCodes } from '@starling/secure';
import { describe, expect, it } from 'vitest';

/** docs/threat-model.md names a test for each rule: the tests are there, and each refusal is tried by one. */
const root = fileURLToPath(new URL('../../', import.meta.url));
const page = readFileSync(join(root, 'docs/threat-model.md'), 'utf8');
const section = page.slice(page.indexOf('## Attacks, rules and tests'), page.indexOf('## Cryptographic'));
const rows = section
  .split('\n')
  .filter((line) => line.startsWith('| ') && !/^\| (-|attack )/.test(line))
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .map(([, attack = '', rule = '', codes = '', tests = '']) => ({ attack, rule, codes, tests }));

/** Sources of tests by file name; a name that occurs twice is no name. */
const sources = new Map<string, string[]>();
for (const room of ['protocol', 'secure', 'aggregation', 'server', 'client-sdk', 'tests']) {
  for (const path of readdirSync(join(root, room, 'src'), { recursive: true, encoding: 'utf8' })) {
    if (!path.endsWith('.test.ts')) continue;
    const text = readFileSync(join(root, room, 'src', path), 'utf8');
    sources.set(basename(path), [...(sources.get(basename(path)) ?? []), text]);
  }
}

/** `file.test.ts` "title", "title"; … */
function testsIn(cell: string): { file: string; title: string }[] {
  return [...cell.matchAll(/`([\w-]+\.test\.ts)` ((?:"[^"]+"(?:, )?)+)/g)].flatMap(([, file, titles]) =>
    [...titles!.matchAll(/"([^"]+)"/g)].map(([, title]) => ({ file: file!, title: title! })),
  );
}

describe('the threat model', () => {
  it.each(rows)('$attack: has a rule, and tests that are there', ({ rule, tests }) => {
    expect(rule).not.toBe('');
    const named = testsIn(tests);
    expect(named.length).toBeGreaterThan(0);
    for (const { file, title } of named) {
      const texts = sources.get(file) ?? [];
      expect(texts, `${file}: one file of that name`).toHaveLength(1);
      const isTitle = (literal: string) => texts[0]!.includes(literal);
      expect(isTitle(`'${title}'`) || isTitle(`"${title}"`), `${file}: "${title}"`).toBe(true);
    }
  });

  it('names many attacks, and only codes that exist somewhere in the code', () => {
    expect(rows.length).toBeGreaterThanOrEqual(20);
    const known = new Set<string>([...refusalCodes, ...Object.keys(problems)]);
    const others = new Set([
      ...['too-many-aborts', 'too-many-contributions', 'second-in-round', 'second-group', 'work-changed'],
      ...[
        'masks-withdrawn',
        'not-agreed',
        'group-state-lost',
        'sum-overflow',
        'sum-out-of-range',
        'secret-not-rebuilt',
      ],
    ]);
    const texts = [...sources.values()].flat();
    for (const { codes } of rows) {
      for (const [, code] of codes.matchAll(/`([^`]+)`/g)) {
        expect(known.has(code!) || others.has(code!), code).toBe(true);
        expect(
          texts.some((text) => text.includes(code!)),
          code,
        ).toBe(true);
      }
    }
  });

  it('is tried by more than sixty lies of a server, more than thirty-five of devices, with every code', () => {
    const [server, device, machine] = [
      ...['hostile-server.test.ts', 'hostile-device.test.ts', 'client-machine.test.ts'],
    ].map((file) => sources.get(file)![0]!) as [string, string, string]; // three
    const liesIn = (text: string) =>
      [...text.matchAll(/'([\w-]+)'/g)].filter(([, word]) =>
        (refusalCodes as readonly string[]).includes(word!),
      );
    expect(liesIn(server).length).toBeGreaterThan(60);
    expect(liesIn(device).length).toBeGreaterThan(35);
    for (const code of refusalCodes) expect(server + device + machine).toContain(`'${code}'`);
  });
});
