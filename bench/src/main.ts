#!/usr/bin/env node
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { findBrowser } from '../../scripts/chromium.mjs';
import { measureColdStarts } from './cold-start.ts';
import { benches } from './benches.ts';
import { runCase, textOf } from './case-process.ts';
import type { Contender } from './contender.ts';
import { starling, tfjs, torch } from './contenders.ts';
import { table } from './report.ts';
import { digestAfter, measure } from './training.ts';
import { workloads, type Workload } from './workloads.ts';

const usage = `npm run bench -- training | secure | coordinator | simulate | cold-start [options]
${Object.entries(benches)
  .map(([bench, cases]) => `  ${bench}: case by case (--only ${Object.keys(cases).join(',')}; --json)`)
  .join('\n')}
  --flower PYTHON     a Python that has flwr, beside which "coordinator" folds and "simulate" runs rounds
  --postgres URL      an empty PostgreSQL database, in which "coordinator" lets nodes die at deadlines
  cold-start: from the engine's script to the end of the first step, in Chromium (--chromium PATH, --rounds, --workloads)
  --workloads W1,W2   which ones; all unless told (${workloads.map(({ id }) => id).join(', ')})
  --contenders a,b    which ones; all that are there unless told (starling, starling-relaxed, starling-js, torch, tfjs)
  --torch PYTHON      a Python that has torch and numpy
  --tfjs DIRECTORY    from where @tensorflow/tfjs and @tensorflow/tfjs-backend-wasm resolve
  --rounds N          turns of each contender, 5 unless told
  --round-ms MS       length of a turn, 300 unless told
  --check             no timing: SHA-256 of the parameters after 20 strict steps
  --json              one JSON line for each workload and contender`;

/** Steps of --check. */
const checkedSteps = 20;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    workloads: { type: 'string' },
    contenders: { type: 'string' },
    torch: { type: 'string' },
    tfjs: { type: 'string' },
    flower: { type: 'string' },
    postgres: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    'round-ms': { type: 'string', default: '300' },
    only: { type: 'string' },
    check: { type: 'boolean', default: false },
    chromium: { type: 'string', default: findBrowser() ?? '/usr/bin/chromium' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const [what] = positionals;
if (
  values.help ||
  positionals.length !== 1 ||
  !['training', 'cold-start', ...Object.keys(benches)].includes(what!)
) {
  console.error(usage);
  process.exit(values.help ? 0 : 2);
}
const chosen = choose('workload', values.workloads, workloads, ({ id }) => id);
const bench = benches[what!];
if (bench)
  await runCases(
    what!,
    choose('case', values.only, Object.keys(bench), (name) => name),
  );
else if (what === 'cold-start') await coldStart(chosen);
else if (values.check) await check(chosen);
else await training(chosen);

async function coldStart(chosen: readonly Workload[]): Promise<void> {
  const rounds = atLeastOne('rounds', values.rounds);
  const found = await measureColdStarts(chosen, rounds, values.chromium);
  for (const row of found)
    console.log(
      values.json
        ? JSON.stringify(row)
        : `${row.workload}  ${row.model.padEnd(12)}  min ${row.minMs} ms, median ${row.medianMs} ms of ${row.rounds}; engine ${row.bundleKb} kB gzip`,
    );
}

async function runCases(bench: string, names: readonly string[]): Promise<void> {
  console.error(`${cpus()[0]?.model ?? 'unknown processor'}, Node ${process.versions.node}`);
  for (const name of names) {
    if (!values.json) console.log(`\n${name}`);
    const { flower, postgres } = values;
    const options = { ...(flower !== undefined && { flower }), ...(postgres !== undefined && { postgres }) };
    await runCase(bench, name, options, (line) => {
      console.log(values.json ? JSON.stringify(line) : textOf(line));
    });
  }
}

async function check(chosen: readonly Workload[]): Promise<void> {
  for (const workload of chosen) {
    const sha256 = await digestAfter(workload, starling('strict'), checkedSteps);
    if (values.json)
      console.log(
        JSON.stringify({ bench: 'training-check', workload: workload.id, steps: checkedSteps, sha256 }),
      );
    else console.log(`${workload.id}  ${sha256}`);
  }
}

async function training(chosen: readonly Workload[]): Promise<void> {
  const contenders = choose('contender', values.contenders, available(), ({ name }) => name);
  const rounds = atLeastOne('rounds', values.rounds);
  const roundMs = atLeastOne('round-ms', values['round-ms']);
  console.error(`${cpus()[0]?.model ?? 'unknown processor'}, Node ${process.versions.node}`);
  for (const workload of chosen) {
    const rows = await measure(workload, contenders, { rounds, roundMs });
    if (values.json) for (const row of rows) console.log(JSON.stringify(row));
    else console.log(`\n${table(`${workload.id}  ${workload.title} (${workload.zoo})`, rows)}`);
  }
}

function available(): Contender[] {
  const found = [starling('strict'), starling('relaxed'), starling('js')];
  if (values.torch !== undefined) found.push(torch(values.torch));
  else console.error('torch is left out: name a Python that has it with --torch.');
  const other = tfjs(values.tfjs ?? '.');
  if (other) found.push(other);
  else console.error('tfjs is left out: name a directory that has its packages with --tfjs.');
  return found;
}

function choose<T>(
  what: string,
  names: string | undefined,
  from: readonly T[],
  nameOf: (one: T) => string,
): T[] {
  if (names === undefined) return [...from];
  return names.split(',').map((name) => {
    const found = from.find((one) => nameOf(one) === name);
    if (found !== undefined) return found;
    return fail(`"${name}" is no ${what} here; expected some of ${from.map(nameOf).join(', ')}.`);
  });
}

function atLeastOne(option: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1) return value;
  return fail(`--${option} is "${text}"; expected an integer of at least 1.`);
}

function fail(message: string): never {
  console.error(`bench: ${message}`);
  process.exit(2);
}
