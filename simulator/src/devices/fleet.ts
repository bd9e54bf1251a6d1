import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DataSource } from './data-source.ts';
import type { DeviceOrder, DeviceReport } from './device-process.ts';

/** One person's device in a fleet. */
export interface FleetMember {
  user: string;
  source: DataSource;
  enrolmentToken: string;
}

export interface FleetOptions {
  server: string;
  /** Each device keeps its state in a folder below. */
  directory: string;
  seed: number;
  /** One a process. */
  members: readonly FleetMember[];
  onError: (user: string, message: string) => void;
}

/** Device processes on this machine. */
export interface Fleet {
  /** Ids of the devices, by user. */
  readonly deviceIds: ReadonlyMap<string, string>;
  /** Stops every device and adds up what they sent and fetched over HTTP (bytes of bodies). */
  stop(): Promise<{ bytesUp: number; bytesDown: number }>;
}

const entry = fileURLToPath(new URL('./device-process.js', import.meta.url));
const startTimeoutMs = 120_000;

/**
 * Starts processes that wait for an order. To be called before a server opens its database in this process: forking
 * a process of hundreds of megabytes takes 0.4 s each, a small one milliseconds.
 */
export function launchProcesses(count: number): ChildProcess[] {
  return Array.from({ length: count }, () =>
    fork(entry, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], execArgv: [] }),
  );
}

/** Orders each process to be one member's device, and waits until all are online. Rejects, with all of them ended, if one is not. */
export async function startFleet(processes: readonly ChildProcess[], options: FleetOptions): Promise<Fleet> {
  const deviceIds = new Map<string, string>();
  const usage = new Map<string, { bytesUp: number; bytesDown: number }>();
  try {
    await Promise.all(
      options.members.map((member, index) => {
        const child = processes[index];
        if (!child) throw new RangeError(`${options.members.length} members need as many processes.`);
        const order: DeviceOrder = {
          kind: 'join',
          server: options.server,
          enrolmentToken: member.enrolmentToken,
          directory: join(options.directory, safeName(member.user)),
          source: member.source,
          user: member.user,
          seed: `${options.seed}/${member.user}`,
        };
        return new Promise<void>((resolve, reject) => {
          const timer = setTimeout(() => {
            reject(
              new Error(`The device of user ${member.user} was not online after ${startTimeoutMs / 1000} s.`),
            );
          }, startTimeoutMs);
          child.on('message', (message: DeviceReport) => {
            if (message.kind === 'online') {
              deviceIds.set(member.user, message.deviceId);
              clearTimeout(timer);
              resolve();
            } else if (message.kind === 'usage') usage.set(member.user, message);
            else options.onError(member.user, message.message);
          });
          child.once('exit', (code) => {
            clearTimeout(timer);
            if (code !== 0)
              options.onError(member.user, `the device process ended with code ${code ?? 'none'}`);
            reject(new Error(`The device of user ${member.user} ended before it was online.`));
          });
          child.send(order);
        });
      }),
    );
  } catch (error) {
    for (const child of processes) child.kill();
    throw error;
  }
  return {
    deviceIds,
    stop: async () => {
      const ended = processes.map(
        (child) =>
          new Promise<void>((resolve) => {
            if (child.exitCode !== null || child.signalCode !== null) {
              resolve();
              return;
            }
            const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
            child.once('exit', () => {
              clearTimeout(timer);
              resolve();
            });
            child.send('stop');
          }),
      );
      await Promise.all(ended);
      const total = { bytesUp: 0, bytesDown: 0 };
      for (const { bytesUp, bytesDown } of usage.values()) {
        total.bytesUp += bytesUp;
        total.bytesDown += bytesDown;
      }
      return total;
    },
  };
}

function safeName(user: string): string {
  return user.replace(/[^A-Za-z0-9_-]/g, (character) => `%${character.codePointAt(0)?.toString(16) ?? ''}`);
}
