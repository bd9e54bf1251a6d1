import { median, minimum } from '../statistics.ts';
import { prepareHttpGroup } from './http-group.ts';
import { row, verdict, type Report } from './rows.ts';
import { ServerProcess } from '../server-process.ts';

/** 100 devices, 100,000 parameters, over loopback HTTP: each run on a server of its own. */
export async function benchHttp(report: Report): Promise<void> {
  const name = 'http-100';
  const times: number[] = [];
  const expansion: number[] = [];
  for (let run = 0; run < 3; run++) {
    const server = await ServerProcess.start();
    try {
      const round = await prepareHttpGroup(server, {
        ...{ size: 100, inputs: 999, outputs: 100, masksOn: 'updates' },
      });
      const { uploadToSumMs, length, bytes } = await round();
      times.push(uploadToSumMs / 1000);
      expansion.push(median(bytes) / (4 * length));
    } finally {
      await server.stop();
    }
  }
  report(row(name, 'starling', 'first upload to sum, n = 100, d = 1e5', 's', times));
  report(row(name, 'starling', 'bodies of HTTP over a clear update, d = 1e5', 'x', expansion));
  report(verdict(name, 'first upload to sum', minimum(times), 2, 's'));
}

/** 1,000 devices, 1,000,000 parameters: what the server's process holds of them. Linux only. */
export async function benchMemory(report: Report): Promise<void> {
  const name = 'memory-1000';
  if (process.platform !== 'linux') {
    console.error(`${name} is left out: it reads /proc.`);
    return;
  }
  const server = await ServerProcess.start();
  try {
    const round = await prepareHttpGroup(server, {
      ...{ size: 1000, inputs: 9999, outputs: 100, masksOn: 'sum' },
    });
    const { now: idle } = server.memory();
    server.forgetPeak();
    const { uploadToSumMs } = await round();
    const above = (server.memory().peak - idle) / 2 ** 20;
    report(row(name, 'server', 'resident when idle', 'MB', [idle / 2 ** 20]));
    report(row(name, 'server', 'most resident above idle, n = 1000, d = 1e6', 'MB', [above]));
    report(row(name, 'server and devices', 'first upload to sum', 's', [uploadToSumMs / 1000]));
    report(verdict(name, 'most resident above idle', above, 300, 'MB'));
  } finally {
    await server.stop();
  }
}
