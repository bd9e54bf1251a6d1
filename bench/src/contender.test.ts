import { expect, it } from 'vitest';
import { ContenderFailed, ContenderProcess } from './contender.ts';
import { starling } from './contenders.ts';
import { measure } from './training.ts';
import { workloads } from './workloads.ts';

const program = (code: string) => ({ name: 'stub', command: process.execPath, args: ['-e', code] });

it('gives a process a request and takes its answer', async () => {
  const echo = `process.stdin.once('data', (line) => console.log(JSON.stringify({ sha256: JSON.parse(line).command })))`;
  const stub = new ContenderProcess(program(echo));
  expect(await stub.ask({ command: 'digest' })).toEqual({ sha256: 'digest' });
  stub.stop();
});

it.each([
  [
    'answers with an error',
    `process.stdin.once('data', () => console.log('{"error":"no such op"}'))`,
    /no such op/,
  ],
  ['ends without an answer', '', /ended/],
])('fails when the process %s', async (_, code, message) => {
  const stub = new ContenderProcess(program(code));
  const asked = stub.ask({ command: 'digest' });
  await expect(asked).rejects.toThrow(ContenderFailed);
  await expect(asked).rejects.toThrow(message);
  stub.stop();
});

it('measures what runs, and reports what does not', async () => {
  const missing = { name: 'missing', command: '/nonexistent/contender', args: [] };
  const rows = await measure(workloads[0]!, [starling('js'), missing], { rounds: 2, roundMs: 1 });
  expect(rows).toMatchObject([
    { workload: 'W1', model: 'har-mlp', contender: 'starling-js', rounds: 2, agrees: true },
    { workload: 'W1', contender: 'missing' },
  ]);
  const [measured, failure] = rows;
  if (!measured || !('steps' in measured)) throw new Error('The first is measured.');
  expect(measured.steps).toBeGreaterThanOrEqual(2);
  expect(measured.minMs).toBeGreaterThan(0);
  expect(measured.losses[1]).toBeLessThan(measured.losses[0]!);
  expect(failure).toHaveProperty('error');
});
