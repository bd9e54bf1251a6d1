import { median } from '../statistics.ts';
import { fleetOf } from './fleet.ts';
import { oneUpdate, published, startTask, takePart } from './round.ts';
import { row, verdict, type Report } from './rows.ts';

/** 100,000 parameters: 400 kB down and up. */
const shape = { inputs: 999, outputs: 100 };
const megabyte = 2 ** 20;

/** Devices that are signed in come all at once: connect, accept, 400 kB down, 400 kB up, until the round is published. */
export async function benchJoining(report: Report): Promise<void> {
  const name = 'round-1000';
  for (const size of [100, 300, 1000]) {
    const { server, devices } = await fleetOf(size);
    try {
      const { now: idle } = server.memory();
      server.forgetPeak();
      const acknowledged: number[] = [];
      const whole: number[] = [];
      const busy: number[] = [];
      for (let run = 0; run < 5; run++) {
        const task = await startTask(server, { size, ...shape });
        const updateFor = oneUpdate();
        const busyBefore = server.processorSeconds();
        const from = performance.now();
        await Promise.all(
          devices.map(async (device) => {
            await device.connect();
            await takePart(device, updateFor, undefined);
          }),
        );
        acknowledged.push((performance.now() - from) / 1000);
        await published(server, task, size);
        whole.push((performance.now() - from) / 1000);
        busy.push(server.processorSeconds() - busyBefore);
        await Promise.all(devices.map((device) => device.disconnect()));
      }
      const above = (server.memory().peak - idle) / megabyte;
      report(row(name, 'starling', `n = ${size}: until all are acknowledged`, 's', acknowledged));
      report(row(name, 'starling', `n = ${size}: until the round is published`, 's', whole));
      report(row(name, 'server', `n = ${size}: processor time, all threads`, 's', busy));
      report(row(name, 'server', `n = ${size}: most resident above idle`, 'MB', [above]));
      if (size < 1000) continue;
      report(verdict(name, 'until the round is published, median', median(whole), 2.5, 's'));
      report(verdict(name, 'updates lost', 0, 0, '')); // `published` throws where one is not counted
      report(verdict(name, 'most resident above idle', above, 250, 'MB'));
    } finally {
      await server.stop();
    }
  }
}

/** Rounds one after another with devices that stay connected and train nothing. */
export async function benchLive(report: Report): Promise<void> {
  const name = 'live-rounds';
  const rounds = 30;
  const warmUp = 5;
  for (const [size, limitSeconds] of [
    [10, 0.1],
    [50, 0.3],
    [100, 0.5],
  ] as const) {
    const { server, devices } = await fleetOf(size);
    try {
      await Promise.all(devices.map((device) => device.connect()));
      const updateFor = oneUpdate();
      const offered = Promise.all(devices.map((device) => device.assignment(() => true)));
      const task = await startTask(server, { size, ...shape, rounds });
      await offered;
      // A round is over for its devices with the next one's offer, so the time between offers is the round's.
      const from: number[] = [performance.now()];
      const before: (string | undefined)[] = devices.map(() => undefined);
      for (let round = 0; round < rounds - 1; round++) {
        const ended = Promise.all(
          devices.map(async (device, index) => {
            const current = await takePart(device, updateFor, before[index]);
            before[index] = current;
            await device.assignment(({ roundId, state }) => state === 'offered' && roundId !== current);
          }),
        );
        await ended;
        from.push(performance.now());
      }
      await Promise.all(devices.map((device, index) => takePart(device, updateFor, before[index])));
      await published(server, task, size, rounds);
      const times = from
        .slice(1)
        .map((at, index) => (at - from[index]!) / 1000)
        .slice(warmUp);
      report(row(name, 'starling', `n = ${size}: from offer to next offer, d = 1e5`, 's', times));
      report(verdict(name, `n = ${size}: a round, median`, median(times), limitSeconds, 's'));
    } finally {
      await server.stop();
    }
  }
  const flower = { bench: 'coordinator', case: name, contender: 'flower 1.41, deployed, a no-op' } as const;
  report({ ...flower, quoted: '9.7 s for a round of 10; 50 failed' });
}
