import type { Measurement, TrainingFailure } from './training.ts';

const columns = [
  'contender',
  'min ms',
  'median',
  'x torch',
  'x tfjs',
  'GFLOP/s',
  'ready ms',
  'peak MB',
  'loss',
];

/** A table of one workload for people. */
export function table(title: string, rows: readonly (Measurement | TrainingFailure)[]): string {
  const cells = rows.map((row) =>
    'error' in row
      ? [row.contender, row.error]
      : [
          row.contender,
          `${row.minMs}`,
          `${row.medianMs}`,
          row.timeOverTorch?.toFixed(2) ?? '',
          row.timeOverTfjs?.toFixed(3) ?? '',
          row.gigaflops.toFixed(1),
          row.readyMs.toFixed(0),
          row.peakRssMb.toFixed(0),
          `${row.losses[1]?.toFixed(5) ?? ''}${row.agrees ? '' : ' DIFFERS'}`,
        ],
  );
  const widths = columns.map((name, i) =>
    Math.max(name.length, ...cells.filter((row) => row.length > 2).map((row) => row[i]?.length ?? 0)),
  );
  const line = (row: readonly string[]) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  ');
  return [title, line(columns), ...cells.map(line)].join('\n');
}
