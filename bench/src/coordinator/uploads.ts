import { request } from 'node:http';
import { median } from '../statistics.ts';
import { fleetOf } from './fleet.ts';
import type { LiveDevice } from './live-device.ts';
import { oneUpdate, published, startTask, type Update } from './round.ts';
import { row, verdict, type Report } from './rows.ts';

const megabyte = 2 ** 20;

/** Walks a device to where it may upload; gives its assignment. */
async function reachUpload(device: LiveDevice, updateFor: ReturnType<typeof oneUpdate>) {
  const offer = await device.assignment(({ state }) => state === 'offered');
  const update = updateFor(offer);
  await device.control(offer.id, { action: 'accept' });
  await device.control(offer.id, { action: 'begin' });
  const ready = { action: 'ready', digest: update.digest.toString('hex'), bytes: update.bytes.length };
  const { state } = await device.control(offer.id, ready);
  if (state !== 'grouped') await device.assignment(({ id, state }) => id === offer.id && state === 'grouped');
  return { id: offer.id, update };
}

/** Sends an update in pieces of `pieceBytes`, one in `everyMs`. */
async function uploadSlowly(
  device: LiveDevice,
  { id, update }: { id: string; update: Update },
  pieceBytes: number,
  everyMs: number,
): Promise<void> {
  const answered = new Promise<string>((resolve, reject) => {
    const upload = request(
      `${device.server}/v1/device/assignments/${id}/update`,
      {
        method: 'PATCH',
        headers: {
          ...{ authorization: `Bearer ${device.token}`, 'content-length': update.bytes.length },
          ...{ 'content-type': 'application/offset+octet-stream', 'upload-offset': '0' },
          ...{
            'upload-complete': '?1',
            'repr-digest': `sha-256=:${update.digest.toString('base64')}:`,
          },
        },
      },
      (answer) => {
        let text = '';
        answer.on('data', (chunk: Buffer) => (text += chunk.toString()));
        answer.on('end', () => {
          resolve(text);
        });
      },
    );
    upload.on('error', reject);
    let sent = 0;
    const pieces = setInterval(() => {
      upload.write(update.bytes.subarray(sent, sent + pieceBytes));
      sent += pieceBytes;
      if (sent < update.bytes.length) return;
      clearInterval(pieces);
      upload.end();
    }, everyMs);
  });
  const text = await answered;
  if (!text.includes('"uploaded"')) throw new Error(`An upload was answered with ${text}`);
}

/** 300 uploads of 4 MiB under way at once, of devices with slow links. */
export async function benchSlowUploads(report: Report): Promise<void> {
  const name = 'slow-uploads';
  for (const size of [100, 300]) {
    const { server, devices } = await fleetOf(size);
    try {
      await Promise.all(devices.map((device) => device.connect()));
      const task = await startTask(server, { size, inputs: 10_484, outputs: 100 });
      const updateFor = oneUpdate();
      const places = await Promise.all(devices.map((device) => reachUpload(device, updateFor)));
      const { now: idle } = server.memory();
      server.forgetPeak();
      const from = performance.now();
      await Promise.all(
        devices.map((device, index) => uploadSlowly(device, places[index]!, 128 * 1024, 150)),
      );
      await published(server, task, size);
      const above = (server.memory().peak - idle) / megabyte;
      const seconds = (performance.now() - from) / 1000;
      report(row(name, 'server', `n = ${size}, 4 MiB each: most resident above idle`, 'MB', [above]));
      report(row(name, 'starling', `n = ${size}: first byte to published`, 's', [seconds]));
      if (size === 300) report(verdict(name, 'most resident above idle', above, 200, 'MB'));
    } finally {
      await server.stop();
    }
  }
}

/** 1 MB over a link of 100 kB/s, while the live connection is asked again and again. */
export async function benchSlowLink(report: Report): Promise<void> {
  const name = 'slow-link';
  const { server, devices } = await fleetOf(1);
  try {
    const [device] = devices;
    await device!.connect();
    const task = await startTask(server, { size: 1, inputs: 2_499, outputs: 100 });
    const place = await reachUpload(device!, oneUpdate());
    const trips: number[] = [];
    const asking = setInterval(() => {
      const from = performance.now();
      void device!.control(place.id, { action: 'begin' }).then(() => trips.push(performance.now() - from));
    }, 250);
    const from = performance.now();
    await uploadSlowly(device!, place, 10_000, 100);
    const seconds = (performance.now() - from) / 1000;
    clearInterval(asking);
    const isConnected = device!.isConnected;
    await published(server, task, 1);
    report(row(name, 'starling', '1 MB at 100 kB/s', 's', [seconds]));
    report(row(name, 'starling', 'a control message meanwhile', 'ms', trips));
    report(verdict(name, 'control connections lost meanwhile', isConnected ? 0 : 1, 0, ''));
    report(verdict(name, 'a control message meanwhile, median', median(trips), 100, 'ms'));
  } finally {
    await server.stop();
  }
}
