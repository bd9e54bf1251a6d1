import { rmSync } from 'node:fs';
import { median } from '../statistics.ts';
import { ServerProcess } from '../server-process.ts';
import { fillYears } from '../years.ts';
import { emptyServer } from './fleet.ts';
import { startTask } from './round.ts';
import { row, verdict, type Report } from './rows.ts';

/** From the start of the process to the line that says where it serves, with rows of years in the database. */
export async function benchRestart(report: Report): Promise<void> {
  const name = 'restart';
  const left = await emptyServer();
  try {
    const prepared = await ServerProcess.start(left);
    const task = await startTask(prepared, { size: 10, inputs: 9, outputs: 10 });
    await prepared.end('SIGTERM');
    for (const [devices, rounds] of [
      [1_000, 10],
      [10_000, 100],
      [100_000, 1_000],
    ] as const) {
      await fillYears(left.directory, task.id, { devices, rounds });
      const times: number[] = [];
      for (let run = 0; run < 5; run++) {
        const from = performance.now();
        const server = await ServerProcess.start(left);
        await server.admin('GET', '/v1/health');
        times.push((performance.now() - from) / 1000);
        await server.end(run % 2 === 0 ? 'SIGTERM' : 'SIGKILL');
      }
      report(row(name, 'starling', `${devices} devices, ${rounds} rounds: start to ready`, 's', times));
      if (devices === 100_000) report(verdict(name, 'start to ready, median', median(times), 2, 's'));
    }
  } finally {
    rmSync(left.directory, { recursive: true, force: true });
  }
}
