import type { LiveEvent } from '@starling/protocol';
import { io } from 'socket.io-client';

/** Listens to a project's live events, over connections that break, too. Resolves with what ends it. */
export async function listen(
  { url, key }: { url: string; key: string },
  listener: (event: LiveEvent) => void,
): Promise<() => void> {
  const socket = io(`${url}/admin`, { transports: ['websocket'], auth: { token: key } });
  socket.on('event', listener);
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('connect_error', reject);
  });
  return () => {
    socket.disconnect();
  };
}
