import { median, minimum } from './statistics.ts';

export type BenchName = 'secure' | 'coordinator' | 'console' | 'simulate';

/** What one contender did in one case. */
export interface Row {
  readonly bench: BenchName;
  readonly case: string;
  readonly contender: string;
  readonly metric: string;
  readonly unit: string;
  readonly min: number;
  readonly median: number;
  readonly runs: number;
}

/** Whether a figure of this run keeps what was set out for it. */
export interface Verdict {
  readonly bench: BenchName;
  readonly case: string;
  /** The target in words, with its unit. */
  readonly target: string;
  readonly measured: number;
  readonly pass: boolean;
}

/** A figure that was measured elsewhere, and not in this run. */
export interface Quote {
  readonly bench: BenchName;
  readonly case: string;
  readonly contender: string;
  readonly quoted: string;
}

export type Line = Row | Verdict | Quote;

/** A case says what it found as it finds it. */
export type Report = (line: Line) => void;

/** What the cases of one bench say. */
export interface Lines {
  readonly row: (
    name: string,
    contender: string,
    metric: string,
    unit: string,
    values: readonly number[],
  ) => Row;
  /** `least`: the figure is to be no less; else no more. */
  readonly verdict: (
    name: string,
    what: string,
    measured: number,
    limit: number,
    unit: string,
    least?: boolean,
  ) => Verdict;
}

export function linesOf(bench: BenchName): Lines {
  return {
    row: (name, contender, metric, unit, values) => ({
      ...{ bench, case: name, contender, metric, unit },
      ...{ min: rounded(minimum(values)), median: rounded(median(values)), runs: values.length },
    }),
    verdict: (name, what, measured, limit, unit, least = false) => ({
      ...{ bench, case: name, target: `${what} ${least ? '>=' : '<='} ${limit} ${unit}`.trim() },
      ...{ measured: rounded(measured), pass: least ? measured >= limit : measured <= limit },
    }),
  };
}

/** Five digits: what a clock on a shared machine is good for, and a ratio just above 1 can be read. */
function rounded(value: number): number {
  return Number(value.toPrecision(5));
}

/** Milliseconds that each of `runs` calls takes. */
export async function timesOf(runs: number, work: () => unknown): Promise<number[]> {
  const times: number[] = [];
  for (let run = 0; run < runs; run++) {
    const from = performance.now();
    await work();
    times.push(performance.now() - from);
  }
  return times;
}
