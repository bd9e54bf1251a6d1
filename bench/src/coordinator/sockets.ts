import { maximum, median } from '../statistics.ts';
import { each, fleetOf } from './fleet.ts';
import { startTask } from './round.ts';
import { row, verdict, type Report } from './rows.ts';

/** More devices than this cannot be in one round: the sum of their metrics could leave the exact integers. */
const mostOfRound = 8192;

/** Idle connections of devices: what each keeps resident, how long a round's offer takes to reach all of them, and one word to all. */
export async function benchSockets(report: Report): Promise<void> {
  const name = 'sockets-10000';
  for (const size of [1_000, 3_000, 10_000]) {
    const { server, devices } = await fleetOf(size);
    try {
      const { now: idle } = server.memory();
      await each(devices, (device) => device.connect(), 100);
      await new Promise((resolve) => setTimeout(resolve, 3_000)); // what connecting leaves behind is let go of
      const kilobytes = (server.memory().now - idle) / 1024 / size;
      report(row(name, 'server', `n = ${size}: resident above idle, a connection`, 'kB', [kilobytes]));
      const from = performance.now();
      const at = devices.map((device) => device.assignment(() => true).then(() => performance.now() - from));
      const tasks = Math.ceil(size / mostOfRound);
      await Promise.all(
        Array.from({ length: tasks }, () =>
          startTask(server, { size: size / tasks, inputs: 9, outputs: 10 }),
        ),
      );
      const times = await Promise.all(at);
      report(row(name, 'starling', `n = ${size}: a task's start to its offer at a device`, 'ms', times));
      const spread = maximum(times) - Math.min(...times);
      report(row(name, 'starling', `n = ${size}: from the first offer heard to the last`, 'ms', [spread]));
      const told = devices.map((device) => device.leaving().then(() => performance.now()));
      const ended = server.end('SIGTERM');
      const heard = await Promise.all(told);
      await ended;
      const broadcast = maximum(heard) - Math.min(...heard);
      const what = 'one word to all, from the first that heard it to the last';
      report(row(name, 'starling', `n = ${size}: ${what}`, 'ms', [broadcast]));
      if (size < 10_000) continue;
      report(verdict(name, 'resident above idle, a connection', kilobytes, 25, 'kB'));
      report(verdict(name, what, broadcast, 300, 'ms'));
      report(row(name, 'starling', `n = ${size}: median device`, 'ms', [median(times)]));
    } finally {
      await server.stop();
      await Promise.all(devices.map((device) => device.disconnect()));
    }
  }
}
