import { createAdapter } from '@socket.io/postgres-adapter';
import pg from 'pg';
import type { ServerOptions } from 'socket.io';

/** Carries hints from the node where something happened to the node that has the device's connection. */
export interface BetweenNodes {
  adapter: ServerOptions['adapter'];
  /** After the sockets that use the adapter were closed. */
  close(): Promise<void>;
}

/**
 * Over LISTEN and NOTIFY of the database that the nodes share. A hint that is lost on the way (a node or the
 * database was down) is made good by the device, which asks where it stands.
 */
export function overPostgres(databaseUrl: string, onError: (error: Error) => void): BetweenNodes {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 3, application_name: 'starling-hints' });
  const clients = new Set<pg.PoolClient>();
  pool.on('error', onError);
  pool.on('connect', (client) => {
    clients.add(client);
    client.on('error', onError); // the adapter holds one for ever and opens another when it ends, but hears no errors
    client.once('end', () => clients.delete(client));
  });
  return {
    adapter: createAdapter(pool, { errorHandler: onError }),
    close: async () => {
      void pool.end();
      for (const client of clients) await client.removeAllListeners('end').end();
    },
  };
}
