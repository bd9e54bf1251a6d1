import { createInterface } from 'node:readline';
import type { Fixture } from './fixtures.ts';

/** What a contender makes of a fixture. */
export interface Loaded {
  /** One training step; gives the loss before it. */
  readonly step: () => number;
  /** All parameters as they are now, in the order and the layout of the IR. */
  readonly read?: () => Float32Array;
}

/** A line to a contender's process. */
export type Request =
  | { readonly command: 'load'; readonly fixture: Fixture; readonly warmUp: number }
  | { readonly command: 'run'; readonly milliseconds: number }
  | { readonly command: 'digest' };

/** A line back. */
export type Reply =
  | { readonly losses: readonly number[]; readonly readyMs: number }
  | { readonly stepsMs: readonly number[]; readonly rssBytes: number }
  | { readonly sha256: string }
  | { readonly error: string };

/** Answers requests on standard input, one JSON line each, until it ends. */
export async function serve(load: (fixture: Fixture) => Promise<Loaded>): Promise<void> {
  let loaded: Loaded | undefined;
  for await (const line of createInterface({ input: process.stdin })) {
    let reply: Reply;
    try {
      const request = JSON.parse(line) as Request; // from our own parent process
      if (request.command === 'load') {
        const from = performance.now();
        loaded = await load(request.fixture);
        const { step } = loaded;
        const losses = [step()];
        const readyMs = performance.now() - from;
        while (losses.length < request.warmUp) losses.push(step());
        reply = { losses, readyMs };
      } else if (!loaded) throw new Error('Nothing is loaded.');
      else if (request.command === 'run') reply = run(loaded, request.milliseconds);
      else reply = { sha256: await digest(loaded) };
    } catch (error) {
      reply = { error: error instanceof Error ? error.message : String(error) };
    }
    process.stdout.write(`${JSON.stringify(reply)}\n`);
  }
}

function run({ step }: Loaded, milliseconds: number): Reply {
  const stepsMs: number[] = [];
  const from = performance.now();
  let before = from;
  do {
    step();
    const now = performance.now();
    stepsMs.push(now - before);
    before = now;
  } while (before - from < milliseconds);
  return { stepsMs, rssBytes: process.resourceUsage().maxRSS * 1024 };
}

async function digest({ read }: Loaded): Promise<string> {
  if (!read) throw new Error('This contender does not give its parameters out.');
  const { createHash } = await import('node:crypto');
  const values = read();
  return createHash('sha256')
    .update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
    .digest('hex');
}
