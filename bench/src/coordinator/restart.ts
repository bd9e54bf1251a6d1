import { rmSync } from 'node:fs';
import { openDatabase } from '@starling/server/storage';
import { median } from '../statistics.ts';
import { ServerProcess } from '../server-process.ts';
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
      await fill(left.directory, task.id, devices, rounds);
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

/** Devices, and rounds of ten of them that were abandoned, up to these numbers. */
async function fill(directory: string, taskId: string, devices: number, rounds: number): Promise<void> {
  const database = await openDatabase({ dataDirectory: directory });
  try {
    await database.query(
      `insert into devices (id, project_id, public_key, platform, sdk_version)
       select 'dev_' || lpad(n::text, 22, '0'), (select id from projects limit 1), n::text, 'bench', '0.1.0'
         from generate_series(1, $1::int) n on conflict do nothing`,
      [devices],
    );
    await database.query(
      `insert into rounds (id, project_id, task_id, sequence, kind, number, state, reason, selection, goal, minimum,
                           target, base_version, deadline, ended_at)
       select 'rnd_' || lpad(n::text, 22, '0'), t.project_id, t.id, 1000000 + n, 'training', 1, 'abandoned',
              'too-few-devices', '{}', 10, 10, 10, t.current_version, now(), now()
         from tasks t, generate_series(1, $2::int) n where t.id = $1 on conflict do nothing`,
      [taskId, rounds],
    );
    await database.query(
      `insert into assignments (id, project_id, task_id, round_id, device_id, state, reason, seed, ended_at)
       select 'asg_' || lpad(n::text || 'x' || m::text, 22, '0'), t.project_id, t.id, 'rnd_' || lpad(n::text, 22, '0'),
              'dev_' || lpad((1 + (n * 10 + m) % $3::int)::text, 22, '0'), 'dropped', 'no-answer', 1, now()
         from tasks t, generate_series(1, $2::int) n, generate_series(1, 10) m where t.id = $1
       on conflict do nothing`,
      [taskId, rounds, devices],
    );
  } finally {
    await database.close();
  }
}
