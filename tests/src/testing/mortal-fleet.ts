import { fork, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { MortalOrder, MortalReport } from './mortal-process.ts';
import { saType } from './known-device.ts';
import { temporaryDirectory } from './servers.ts';

/** Moments at which a device can be killed: a state that it heard of, or a request before it leaves or once it was answered. */
const states = ['offered', 'accepted', 'training', 'grouped', 'uploaded'];
const requestsOf = (names: readonly string[]) => names.flatMap((name) => [`before ${name}`, `after ${name}`]);
const clearMoments = [...states, ...requestsOf(['words'])];
const secureMoments = [...states, ...requestsOf([...Object.keys(saType), 'words'])];

export interface MortalFleet {
  /** Devices that were killed, and where. */
  readonly kills: { readonly number: number; readonly moment: string }[];
  /** What each device said in each of its groups, by kind, over all lives of its process: one text each, or it broke SA-1. */
  readonly said: ReadonlyMap<string, ReadonlySet<string>>;
  close(): Promise<void>;
}

export interface MortalOptions {
  readonly server: string;
  readonly enrolmentToken: string;
  readonly devices: number;
  /** How many of them are killed in each round. */
  readonly victims: number;
  readonly secure: boolean;
  /** Decides who is killed where, and for how long it is away. */
  readonly seed: number;
  readonly longestAwayMs: number;
}

/** Devices in processes of their own; in each round some are killed with SIGKILL and started again on what they stored. */
export async function mortalFleet(options: MortalOptions): Promise<MortalFleet> {
  const place = await temporaryDirectory();
  const rounds: string[] = [];
  const kills: { number: number; moment: string }[] = [];
  const said = new Map<string, Set<string>>();
  const children = new Map<number, ChildProcess>();
  const restarts = new Set<NodeJS.Timeout>();
  /** Of each round and device: once, however often it comes to that moment. */
  const ended = new Set<string>();
  const moments = options.secure ? secureMoments : clearMoments;
  const draw = (...names: (string | number)[]) =>
    createHash('sha256')
      .update([options.seed, ...names].join('/'))
      .digest()
      .readUInt32LE() /
    2 ** 32;
  /** Where the device is killed in this round, if it is one of its victims. */
  const endOf = (round: number, number: number) => {
    const lot = (device: number) => draw('who', round, device);
    const before = Array.from({ length: options.devices }, (_, other) => lot(other)).filter(
      (other) => other < lot(number),
    );
    if (before.length >= options.victims) return undefined;
    return moments[Math.floor(draw('where', round, number) * moments.length)];
  };

  const start = (number: number): Promise<void> =>
    new Promise((resolve) => {
      const child = fork(fileURLToPath(new URL('./mortal-process.js', import.meta.url)), {
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
        execArgv: [],
      });
      children.set(number, child);
      let round = -1;
      let isOver = false;
      const isEndAt = (moment: string) => {
        const end = `${round}/${number}`;
        if (endOf(round, number) !== moment || ended.has(end)) return false;
        ended.add(end);
        kills.push({ number, moment });
        isOver = true;
        child.kill('SIGKILL');
        const awayMs = draw('away', round, number) * options.longestAwayMs;
        const timer = setTimeout(() => {
          restarts.delete(timer);
          void start(number);
        }, awayMs);
        restarts.add(timer);
        return true;
      };
      child.on('message', (report: MortalReport) => {
        if (isOver) return;
        if (report.kind === 'online') resolve();
        if (report.kind === 'assignment') {
          if (!rounds.includes(report.roundId)) rounds.push(report.roundId);
          round = rounds.indexOf(report.roundId);
          isEndAt(report.state);
        }
        if (report.kind === 'request') {
          const name = nameOf(report);
          if (report.when === 'before') {
            const place = `${number} ${report.path} ${name}`;
            said.set(place, (said.get(place) ?? new Set()).add(report.body));
          }
          if (!isEndAt(`${report.when} ${name}`)) child.send('go');
        }
      });
      const order: MortalOrder = {
        kind: 'join',
        server: options.server,
        enrolmentToken: options.enrolmentToken,
        directory: join(place.path, String(number)),
        number,
      };
      child.send(order);
    });

  await Promise.all(Array.from({ length: options.devices }, (_, number) => start(number)));
  return {
    kills,
    said,
    close: async () => {
      for (const timer of restarts) clearTimeout(timer);
      const gone = [...children.values()]
        .filter((child) => child.exitCode === null && child.signalCode === null)
        .map((child) => {
          const exit = once(child, 'exit');
          child.kill('SIGKILL');
          return exit;
        });
      await Promise.all(gone);
      await place.remove();
    },
  };
}

function nameOf({ path, body }: Extract<MortalReport, { kind: 'request' }>): string {
  if (path.endsWith('/update')) return 'words';
  const type = Number.parseInt(body.slice(2, 4), 16);
  return Object.entries(saType).find(([, value]) => value === type)?.[0] ?? String(type);
}
