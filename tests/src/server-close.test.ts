import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { testServer } from './testing/servers.ts';

it(
  'closes by itself though a client holds a connection on which it never asked for anything',
  { timeout: 120_000 },
  async () => {
    const world = await testServer();
    const { hostname, port } = new URL(world.server.url);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    // What a device leaves behind that is stopped while it connects: Node counts it as busy until its request is overdue.
    let overdue = '';
    socket.on('data', (answer) => (overdue += answer.toString()));
    const ended = once(socket, 'close');
    await world.close();
    await ended;
    expect(overdue).toBe('');
  },
);
