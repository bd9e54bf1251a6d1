/**
 * Stands for the driver of a simulation on a cluster (cluster/src/starling_cluster/simulation.py): its workers are processes here
 * instead of actors of Ray.
 */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { framesFrom, writeFrame, type Frame } from '../frames.ts';

const program = fileURLToPath(new URL('../simulator.mjs', import.meta.url));

type Child = ChildProcessByStdio<Writable, Readable, null>;

export interface DriverOptions {
  readonly workers: number;
  /** Before a worker is asked: how often one was before, and a way to end it. */
  readonly onQuestion?: (asked: number, kill: () => void) => void;
  /** What a worker says of itself, instead. */
  readonly hello?: object;
}

/** What a simulation came to: its exit status, and what it had to say. */
export interface Driven {
  readonly status: number | null;
  readonly lines: readonly object[];
  readonly failure: { readonly code: string; readonly message: string } | undefined;
  readonly hired: number;
}

export async function drive(config: string, { workers, onQuestion, hello }: DriverOptions): Promise<Driven> {
  const coordinator = start('coordinate', '--config', config);
  const exit = once(coordinator, 'exit') as Promise<[number | null]>;
  const crew: { child: Child; hasRound: boolean; isAsked: boolean }[] = [];
  const lines: object[] = [];
  let failure: Driven['failure'];
  let [asked, hired] = [0, 0];
  let order: Frame | undefined;
  let round: Frame | undefined;
  const hire = (place: number) => {
    const child = start('work');
    const member = { child, hasRound: false, isAsked: false };
    crew[place] = member;
    hired++;
    writeFrame(child.stdin, { ...order!, worker: place });
    void passOn(child, (frame) => {
      if (frame.kind === 'a') member.isAsked = false;
      const body = frame.kind === 'h' && hello ? Buffer.from(JSON.stringify(hello)) : frame.body;
      writeFrame(coordinator.stdin, { ...frame, body });
    });
    child.once('exit', () => {
      if (!member.isAsked) return;
      writeFrame(coordinator.stdin, { kind: 'g', worker: place, body: Buffer.alloc(0) });
      hire(place);
    });
  };
  await passOn(coordinator, (frame) => {
    switch (frame.kind) {
      case 's':
        order = frame;
        for (let place = 0; place < workers; place++) hire(place);
        return;
      case 'r':
        round = frame;
        for (const member of crew) member.hasRound = false;
        return;
      case 'q': {
        const member = crew[frame.worker]!;
        onQuestion?.(asked++, () => member.child.kill('SIGKILL'));
        member.isAsked = true;
        if (!member.hasRound && round) writeFrame(member.child.stdin, round);
        member.hasRound = true;
        writeFrame(member.child.stdin, frame);
        return;
      }
      case 'l':
        lines.push(JSON.parse(Buffer.from(frame.body).toString()) as object);
        return;
      default:
        failure = JSON.parse(Buffer.from(frame.body).toString()) as NonNullable<typeof failure>;
    }
  });
  const [status] = await exit;
  for (const { child } of crew) child.stdin.end();
  return { status, lines, failure, hired };
}

function start(...args: string[]): Child {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.on('error', () => undefined); // it is gone, which its exit says
  return child;
}

async function passOn({ stdout }: Child, take: (frame: Frame) => void): Promise<void> {
  for await (const frame of framesFrom(stdout)) take(frame);
}
