import { io } from 'socket.io-client';
import type { ChannelFactory } from '../../core/ports.ts';

/** How long connecting, and an acknowledgement, may take. */
const patienceMs = 10_000;

/** One connection over socket.io, by websocket only; it does not reconnect by itself, the core does. */
export const socketChannel: ChannelFactory = (server, token, events) => {
  const { origin, pathname } = new URL(server);
  const socket = io(`${origin}/device`, {
    path: `${pathname.replace(/\/$/, '')}/socket.io/`,
    transports: ['websocket'],
    auth: { token },
    reconnection: false,
    forceNew: true,
    timeout: patienceMs,
  });
  let isOver = false;
  const end = (problem: unknown) => {
    if (isOver) return;
    isOver = true;
    socket.disconnect();
    events.closed(problem);
  };
  socket.on('connect', () => {
    events.open();
  });
  // A refusal of the namespace's middleware carries the problem as `data`; a failed connection carries none.
  socket.on('connect_error', (error: Error & { data?: { problem?: unknown } }) => {
    end(error.data?.problem);
  });
  socket.on('disconnect', () => {
    end(undefined);
  });
  socket.on('assignment', (assignment: Parameters<typeof events.assignment>[0]) => {
    events.assignment(assignment);
  });
  socket.on('leaving', (window: Parameters<typeof events.leaving>[0]) => {
    events.leaving(window);
  });
  socket.on('group', () => {
    events.group();
  });
  return {
    control: (assignmentId, message) =>
      socket.timeout(patienceMs).emitWithAck('control', { assignmentId, message }) as Promise<unknown>,
    close: () => {
      isOver = true;
      socket.disconnect();
    },
  };
};
