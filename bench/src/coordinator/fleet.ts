import { randomBytes } from 'node:crypto';
import { toBase64Url } from '@starling/protocol';
import { openDatabase } from '@starling/server/storage';
import { ServerProcess } from '../server-process.ts';
import { LiveDevice } from './live-device.ts';

/** Requests under way at a time while a fleet is made. */
const concurrency = 50;

export interface Fleet {
  readonly server: ServerProcess;
  readonly devices: readonly LiveDevice[];
}

/**
 * A server whose database knows `size` devices, and these devices, signed in. They are written by SQL between two
 * starts of the server: enrolling ten thousand from one address is what its limits are there to refuse.
 */
export async function fleetOf(size: number): Promise<Fleet> {
  const { directory, key } = await emptyServer();
  const keys = Array.from({ length: size }, () => new LiveDevice(''));
  const ids = keys.map(() => `dev_${randomBytes(16).toString('base64url')}`);
  await fillDevices(
    directory,
    ids,
    keys.map(({ identity }) => toBase64Url(identity.publicKey)),
  );
  const server = await ServerProcess.start({ directory, key });
  for (const device of keys) device.server = server.url;
  await each([...keys.entries()], ([index, device]) => device.signIn(ids[index]!));
  return { server, devices: keys };
}

/** A directory that a server has filled and left, and its first key. */
export async function emptyServer(): Promise<{ directory: string; key: string }> {
  const first = await ServerProcess.start();
  await first.end('SIGTERM');
  return first;
}

export async function fillDevices(
  directory: string,
  ids: readonly string[],
  publicKeys: readonly string[],
): Promise<void> {
  const database = await openDatabase({ dataDirectory: directory });
  try {
    await database.query(
      `insert into devices (id, project_id, public_key, platform, sdk_version)
       select t.id, (select id from projects limit 1), t.public_key, 'bench', '0.1.0'
         from unnest($1::text[], $2::text[]) as t(id, public_key)`,
      [ids, publicKeys],
    );
  } finally {
    await database.close();
  }
}

/** `work` on each, some at a time. */
export async function each<T>(
  items: readonly T[],
  work: (item: T) => Promise<void>,
  atOnce = concurrency,
): Promise<void> {
  const waiting = items.values();
  const worker = async () => {
    for (const item of waiting) await work(item);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}
