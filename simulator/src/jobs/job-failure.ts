import { PackError } from '../data/index.ts';
import { JobRefused } from './job.ts';

/** The file that follows `--config`. @throws JobRefused */
export function configPath(argv: readonly string[]): string {
  const place = argv.indexOf('--config') + 1;
  const path = place > 0 ? argv[place] : undefined;
  if (path === undefined) throw new JobRefused('job-invalid', 'Expected --config <job.json>.');
  return path;
}

/** How a job's program tells why it failed. Exit status 2 for what can never be done as it was asked, 1 for the rest. */
export function failureOf(error: unknown): { code: string; message: string; status: 1 | 2 } {
  const { code = 'internal', message } = error as Error & { code?: string };
  const isRefused =
    error instanceof JobRefused || error instanceof PackError || code.startsWith('simulation-');
  return { code, message, status: isRefused ? 2 : 1 };
}
