/** A server in a process of its own, which ends itself with SIGKILL at the named point that it is told. */
import { LocalBackend, startServer, type Failpoint, type ServerOptions } from '@starling/server';

/** Options as they travel to the process. */
export type ArmedOptions = Pick<
  ServerOptions,
  'dataDirectory' | 'databaseUrl' | 'port' | 'pollIntervalMs' | 'retention'
> & {
  /** Where jobs run: the program of the embedded framework, and the data that they may use. */
  readonly jobs?: { readonly program: readonly string[]; readonly dataSets: Record<string, string> };
};

/** `point`, or `point:n` for the n-th time that it is passed from now on. */
export interface ArmOrder {
  readonly arm: string;
}

export type ArmedReport =
  | { readonly kind: 'serves'; readonly url: string; readonly firstKey: string | undefined }
  | { readonly kind: 'armed' };

let point: string | undefined;
let left = 0;

process.on('message', ({ arm }: ArmOrder) => {
  const [name, count = '1'] = arm.split(':');
  [point, left] = [name, Number(count)];
  report({ kind: 'armed' });
});
process.on('disconnect', () => process.exit());

const { jobs, ...options } = JSON.parse(process.argv[2] ?? '') as ArmedOptions;
const { url, firstKey } = await startServer({
  ...options,
  logLevel: 'silent',
  failpoint: (passed: Failpoint) => {
    if (passed === point && --left === 0) process.kill(process.pid, 'SIGKILL');
  },
  ...(jobs && {
    cloud: {
      backends: [new LocalBackend({ programs: { embedded: jobs.program } })],
      dataSets: jobs.dataSets,
    },
  }),
});
report({ kind: 'serves', url, firstKey });

function report(message: ArmedReport): void {
  process.send?.(message);
}
