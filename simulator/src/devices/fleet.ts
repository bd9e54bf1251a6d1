import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { randomStream, type RandomStream } from '../data/random-stream.ts';
import type { DataSource } from './data-source.ts';
import type { DeviceOrder, DeviceReport, Usage } from './device-process.ts';
import { drawFate, isReached, type Fate, type Moment } from './fate.ts';

/** One person's device in a fleet. */
export interface FleetMember {
  user: string;
  source: DataSource;
  enrolmentToken: string;
  /** In which share of its assignments its process is killed (SIGKILL) at a random moment, 0 to 1; in none unless told. */
  killShare?: number;
}

export interface FleetOptions {
  server: string;
  /** Each device keeps its state in a folder below. */
  directory: string;
  seed: number;
  /** One a process. */
  members: readonly FleetMember[];
  onError: (user: string, message: string) => void;
  /** A process was killed; `moment` is the last that it told of. It is started again by itself. */
  onKill?: (user: string, moment: Moment) => void;
}

/** Device processes on this machine. */
export interface Fleet {
  /** Ids of the devices, by user. */
  readonly deviceIds: ReadonlyMap<string, string>;
  /**
   * Stops every device and adds up what they sent and fetched over HTTP (bytes of bodies); of a process that was killed,
   * what it told of last.
   */
  stop(): Promise<Usage>;
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
  const devices = options.members.map((member, index) => {
    const child = processes[index];
    if (!child) throw new RangeError(`${options.members.length} members need as many processes.`);
    return new DeviceProcess(child, member, options);
  });
  try {
    await Promise.all(devices.map((device) => device.online()));
  } catch (error) {
    for (const child of processes) child.kill();
    throw error;
  }
  return {
    deviceIds: new Map(devices.map(({ user, deviceId }) => [user, deviceId])),
    stop: async () => {
      const usages = await Promise.all(devices.map((device) => device.stop()));
      return {
        bytesUp: usages.reduce((sum, { bytesUp }) => sum + bytesUp, 0),
        bytesDown: usages.reduce((sum, { bytesDown }) => sum + bytesDown, 0),
      };
    },
  };
}

/** A device, whichever process it is in: when one is killed, the next goes on with its state. */
class DeviceProcess {
  readonly user: string;
  deviceId = '';
  readonly #options: FleetOptions;
  readonly #order: DeviceOrder;
  readonly #killShare: number;
  readonly #fates: RandomStream;
  /** The assignment that it told of last, and what is to become of it there. */
  #assignmentId = '';
  #fate: Fate | undefined;
  #child: ChildProcess;
  #isStopping = false;
  #restart: NodeJS.Timeout | undefined;
  /** By process. */
  readonly #usages = new Map<ChildProcess, Usage>();
  #onOnline: () => void = () => undefined;
  #onEnd: () => void = () => undefined;

  constructor(child: ChildProcess, member: FleetMember, options: FleetOptions) {
    this.user = member.user;
    this.#options = options;
    this.#killShare = member.killShare ?? 0;
    this.#fates = randomStream(options.seed, `fates of ${member.user}`);
    this.#order = {
      kind: 'join',
      server: options.server,
      enrolmentToken: member.enrolmentToken,
      directory: join(options.directory, safeName(member.user)),
      source: member.source,
      user: member.user,
      seed: `${options.seed}/${member.user}`,
    };
    this.#child = child;
    this.#run(child);
  }

  /** Resolves once the device is online for the first time. */
  online(): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error(`The device of user ${this.user} was not online after ${startTimeoutMs / 1000} s.`));
      }, startTimeoutMs);
      this.#onOnline = () => {
        clearTimeout(timer);
        resolve();
      };
      this.#onEnd = () => {
        clearTimeout(timer);
        reject(new Error(`The device of user ${this.user} ended before it was online.`));
      };
    });
  }

  /** Ends the device in order. Resolves with what all its processes moved. */
  async stop(): Promise<Usage> {
    this.#isStopping = true;
    clearTimeout(this.#restart);
    const child = this.#child;
    if (child.exitCode === null && child.signalCode === null && !child.killed) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
        child.once('exit', () => {
          clearTimeout(timer);
          resolve();
        });
        child.send('stop');
      });
    }
    const total = { bytesUp: 0, bytesDown: 0 };
    for (const { bytesUp, bytesDown } of this.#usages.values()) {
      total.bytesUp += bytesUp;
      total.bytesDown += bytesDown;
    }
    return total;
  }

  #run(child: ChildProcess): void {
    this.#child = child;
    child.on('message', (message: DeviceReport) => {
      this.#hear(child, message);
    });
    child.once('exit', (code) => {
      if (!child.killed && code !== 0) {
        this.#options.onError(this.user, `the device process ended with code ${code ?? 'none'}`);
      }
      this.#onEnd();
    });
    child.send(this.#order);
  }

  #hear(child: ChildProcess, message: DeviceReport): void {
    switch (message.kind) {
      case 'online':
        this.deviceId = message.deviceId;
        this.#onOnline();
        break;
      case 'error':
        this.#options.onError(this.user, message.message);
        break;
      case 'usage':
        this.#usages.set(child, message.usage);
        break;
      case 'moment':
        this.#usages.set(child, message.usage);
        this.#reach(child, message.moment, message.assignmentId, message.isSecure);
    }
  }

  /** Draws the device's fate at the start of each assignment, and fulfils it: once, however often it tells of a moment. */
  #reach(child: ChildProcess, moment: Moment, assignmentId: string, isSecure: boolean): void {
    if (this.#killShare === 0 || this.#isStopping || child !== this.#child) return;
    if (assignmentId !== this.#assignmentId) {
      this.#assignmentId = assignmentId;
      this.#fate = drawFate(this.#fates, this.#killShare, isSecure);
    }
    const fate = this.#fate;
    if (!fate || !isReached(fate, moment)) return;
    this.#fate = undefined;
    this.#restart = setTimeout(() => {
      this.#run(launchProcesses(1)[0]!);
    }, fate.awayMs);
    child.kill('SIGKILL');
    this.#options.onKill?.(this.user, moment);
  }
}

function safeName(user: string): string {
  return user.replace(/[^A-Za-z0-9_-]/g, (character) => `%${character.codePointAt(0)?.toString(16) ?? ''}`);
}
