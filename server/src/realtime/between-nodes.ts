import { createAdapter } from '@socket.io/postgres-adapter';
import pg from 'pg';
import type { ServerOptions } from 'socket.io';

/** Carries hints from the node where something happened to the node that has the device's connection. */
export interface BetweenNodes {
  adapter: ServerOptions['adapter'];
  close(): Promise<void>;
}

/**
 * Over LISTEN and NOTIFY of the database that the nodes share. A hint that is lost on the way (a node or the
 * database was down) is made good by the device, which asks where it stands.
 */
export function overPostgres(databaseUrl: string, onError: (error: Error) => void): BetweenNodes {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 3, application_name: 'starling-hints' });
  pool.on('error', onError);
  return {
    adapter: createAdapter(pool, { errorHandler: onError }),
    close: () => pool.end(),
  };
}
