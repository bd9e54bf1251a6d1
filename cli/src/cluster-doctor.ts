import { examineCluster, type ClusterReport } from '@starling/server';
import { shown, table } from './admin/output.ts';
import { pythonSources, simulator } from './cloud-options.ts';

export interface ClusterDoctorOptions {
  python?: string;
  node?: string;
  directory?: string;
  json?: boolean;
}

/** `starling cluster doctor`: says what a Ray cluster can do for jobs; ends with status 1 where it cannot do its work. */
export async function clusterDoctor(url: string, { json, ...options }: ClusterDoctorOptions): Promise<void> {
  const token = process.env['STARLING_RAY_TOKEN'];
  const report = await examineCluster({
    ...{ url, sources: pythonSources, simulator },
    ...(token !== undefined && { token }),
    ...options,
  });
  console.log(json ? JSON.stringify(report) : inWords(report));
  if (!report.healthy) process.exitCode = 1;
}

const marks = { ok: 'ok     ', warning: 'warning', failed: 'FAILED ' } as const;

function inWords({ findings, runs, healthy }: ClusterReport): string {
  const found = findings.map(
    ({ check, state, says }) => `${marks[state]}  ${check.padEnd(9)}  ${shown(says)}`,
  );
  const jobs = runs.map((run) => ({
    ...run,
    kinds: run.kinds.join(' '),
    algorithms: run.algorithms.join(' '),
  }));
  return [
    ...found,
    '',
    ...(jobs.length > 0
      ? [table(jobs, ['framework', 'version', 'device', 'maxWorkers', 'kinds', 'algorithms']), '']
      : []),
    healthy ? 'The cluster can run jobs.' : 'The cluster cannot run jobs as it should.',
  ].join('\n');
}
