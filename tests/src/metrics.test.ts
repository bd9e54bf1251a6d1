import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parser } from '@prometheus-io/lezer-promql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deploy, readYaml, root } from './testing/deploy.ts';
import { testServer, type TestServer } from './testing/servers.ts';

/** What a server exports, what docs/metrics.md explains, and what the dashboard and the alerts ask for: the same names. */

const run = promisify(execFile);
const dashboardFile = join(deploy, 'grafana/starling.json');

let world: TestServer;
/** Name -> type. */
let exported: Map<string, string>;

beforeAll(async () => {
  world = await testServer({ metrics: { host: '127.0.0.1', port: 0 } });
  const text = await (await fetch(world.server.metricsUrl ?? '')).text();
  exported = new Map(
    [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', type = '']) => [name, type]),
  );
}, 240_000);
afterAll(() => world.close());

/** The metrics that a query reads. Throws for what is no PromQL. */
function metricsIn(query: string): string[] {
  const text = query.replaceAll('$__rate_interval', '5m');
  const names: string[] = [];
  parser.parse(text).iterate({
    enter: ({ type, from, to }) => {
      if (type.isError) throw new SyntaxError(`No PromQL at ${from}: ${text}`);
      if (type.name === 'VectorSelector')
        names.push(/^[a-zA-Z_:][\w:]*/.exec(text.slice(from, to))?.[0] ?? '');
    },
  });
  return names;
}

function isExported(name: string): boolean {
  if (name === 'up') return true; // Prometheus' own
  if (exported.has(name) && exported.get(name) !== 'histogram') return true;
  const family = name.replace(/_(bucket|sum|count)$/, '');
  return family !== name && exported.get(family) === 'histogram';
}

async function queriesOfDashboard(): Promise<string[]> {
  const { panels } = JSON.parse(await readFile(dashboardFile, 'utf8')) as {
    panels: { targets?: { expr: string }[] }[];
  };
  return panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
}

async function queriesOfAlerts(): Promise<string[]> {
  const { groups } = await readYaml<{ groups: { rules: { alert: string; expr: string }[] }[] }>(
    join(deploy, 'prometheus/alerts.yml'),
  );
  return groups.flatMap(({ rules }) => rules.map(({ expr }) => expr));
}

describe('the metrics', () => {
  it('are explained in docs/metrics.md, each of them and nothing else', async () => {
    const text = await readFile(join(root, 'docs/metrics.md'), 'utf8');
    const documented = [...text.matchAll(/^\| `(starling_\w+)`/gm)].map(([, name = '']) => name);
    const own = [...exported.keys()].filter((name) => name.startsWith('starling_'));
    expect(own.length).toBeGreaterThan(25);
    expect([...documented].sort()).toEqual([...own].sort());
  });

  it('hold no label that could name someone', async () => {
    const text = await (await fetch(world.server.metricsUrl ?? '')).text();
    const labels = new Set([...text.matchAll(/[{,](\w+)="/g)].map(([, label = '']) => label));
    const bounded = [
      ...['check', 'end', 'kind', 'le', 'method', 'outcome', 'phase', 'quantile', 'reason', 'route', 'space'],
      ...['state', 'status', 'type', 'version', 'major', 'minor', 'patch', 'way', 'what', 'work'],
    ];
    expect([...labels].filter((label) => !bounded.includes(label))).toEqual([]);
  });

  it('are all that the dashboard asks for, and all of ours are on it', async () => {
    const asked = (await queriesOfDashboard()).flatMap(metricsIn);
    expect(asked.filter((name) => !isExported(name))).toEqual([]);
    const families = new Set(asked.map((name) => (exported.has(name) ? name : name.replace(/_[a-z]+$/, ''))));
    const unseen = [...exported.keys()].filter((name) => name.startsWith('starling_') && !families.has(name));
    expect(unseen).toEqual([]);
  });

  it('are all that the alerts ask for', async () => {
    const asked = (await queriesOfAlerts()).flatMap(metricsIn);
    expect(asked.length).toBeGreaterThan(8);
    expect(asked.filter((name) => !isExported(name))).toEqual([]);
  });

  it('would be missed: a wrong name and a query that is none are noticed', () => {
    expect(metricsIn('sum(rate(starling_round_duration_seconds_bucket[5m]))')).toEqual([
      'starling_round_duration_seconds_bucket',
    ]);
    expect(isExported('starling_round_duration_seconds')).toBe(false);
    expect(isExported('starling_rounds_total')).toBe(false);
    expect(() => metricsIn('sum(rate(x[5m])')).toThrow(SyntaxError);
  });
});

it('the dashboard is the one that its table of panels gives', async () => {
  const { stdout } = await run(process.execPath, [join(deploy, 'grafana/dashboard.mjs'), '--print']);
  expect(await readFile(dashboardFile, 'utf8')).toBe(stdout);
});
