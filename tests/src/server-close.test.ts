import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { testServer } from './testing/servers.ts';

it('closes soon though a client holds a connection on which it never asked for anything', async () => {
  const world = await testServer();
  const { hostname, port } = new URL(world.server.url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  // What a device leaves behind that is stopped while it connects: Node counts it as busy for more than a minute.
  const ended = once(socket, 'close');
  await world.close();
  await ended;
  expect(socket.destroyed).toBe(true);
});
