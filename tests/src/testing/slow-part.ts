import { request } from 'node:http';
import type { RawDevice } from './raw-device.ts';

/** Half of an update as the last part of it, of which the rest does not come. */
export function slowPart(
  url: string,
  { token }: RawDevice,
  id: string,
  update: Uint8Array,
): { breakOff: () => Promise<void> } {
  const { hostname, port } = new URL(url);
  const sent = request({
    ...{ hostname, port, method: 'PATCH', path: `/v1/device/assignments/${id}/update` },
    headers: {
      ...{ authorization: `Bearer ${token}`, 'content-type': 'application/offset+octet-stream' },
      ...{ 'upload-offset': '0', 'content-length': update.length },
    },
  });
  const closed = new Promise<void>((resolve) => {
    sent.on('error', () => undefined); // it is broken off
    sent.on('close', resolve);
  });
  sent.write(update.subarray(0, update.length >> 1));
  return {
    breakOff: () => {
      sent.destroy();
      return closed;
    },
  };
}
