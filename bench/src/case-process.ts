import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { CaseOptions } from './benches.ts';
import type { Line } from './lines.ts';

const entry = fileURLToPath(new URL('./run-case.js', import.meta.url));

/** Runs a case in a process of its own, and hands its lines out as they come. Throws where the case fails. */
export async function runCase(
  bench: string,
  name: string,
  options: CaseOptions,
  onLine: (line: Line) => void,
): Promise<void> {
  const child = spawn(process.execPath, [entry, bench, name, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  for await (const line of createInterface({ input: child.stdout })) {
    onLine(JSON.parse(line) as Line); // a process of ours wrote it
  }
  const [code, signal] = await exited;
  if (code !== 0) throw new Error(`Case ${bench} ${name} ended with ${code ?? signal ?? 'nothing'}.`);
}

/** A line for people. */
export function textOf(line: Line): string {
  if ('quoted' in line) return `      ${line.contender}, as recorded elsewhere: ${line.quoted}`;
  if ('target' in line) return `${line.pass ? 'pass' : 'FAIL'}  ${line.target}: ${line.measured}`;
  const { contender, metric, min, median, unit, runs } = line;
  return `      ${contender}: ${metric}: min ${min}, median ${median} ${unit} of ${runs}`;
}
