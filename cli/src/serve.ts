import { failpoints, startServer, type Failpoint } from '@starling/server';
import { forecastThreads } from '@starling/simulator/simulation';
import { cloudOptions, type CloudFlags } from './cloud-options.ts';
import { oidcOptions, type OidcFlags } from './oidc-options.ts';
import { consolePages, pages } from './pages.ts';
import type { StorageOptions } from './storage-options.ts';
import { describePlace, storagePlace } from './storage-place.ts';

export interface ServeOptions extends StorageOptions, CloudFlags, OidcFlags {
  host: string;
  port: number;
  corsOrigin: string[];
  behindTls: boolean;
  trustTraceparent: boolean;
  publicUrl?: string;
  logLevel: 'silent' | 'error' | 'warn' | 'info';
  keepVersions?: number;
  metrics?: { host: string; port: number };
  drainSeconds: number;
}

/** Runs a server until it is told to stop. Prints the first API key, once, at the first start. */
export async function serve(options: ServeOptions): Promise<void> {
  const place = storagePlace(options);
  const oidc = await oidcOptions(options);
  const server = await startServer({
    ...place,
    host: options.host,
    port: options.port,
    corsOrigin: options.corsOrigin.includes('*') ? '*' : options.corsOrigin,
    behindTls: options.behindTls,
    trustTraceparent: options.trustTraceparent,
    ...(options.publicUrl !== undefined && { publicUrl: options.publicUrl }),
    ...(oidc && { oidc }),
    logLevel: options.logLevel,
    pages,
    console: consolePages,
    ...(options.keepVersions !== undefined && { retention: { keepVersions: options.keepVersions } }),
    ...(options.metrics && { metrics: options.metrics }),
    cloud: cloudOptions(options),
    forecaster: forecastThreads(),
    ...killSwitch(),
  });
  console.log(
    `Starling serves ${server.url} (console: ${server.url}/console/, API: ${server.url}/openapi.json), data in ${describePlace(place)}`,
  );
  if (server.firstKey !== undefined) {
    console.log(`API key, shown this once: ${server.firstKey}`);
  }
  if (server.metricsUrl !== undefined) console.log(`Metrics for Prometheus: ${server.metricsUrl}`);
  const stop = (drainMs: number) => {
    void server.close({ drainMs }).then(() => process.exit(0));
  };
  process.once('SIGINT', () => {
    stop(0); // a person waits
  });
  process.once('SIGTERM', () => {
    stop(options.drainSeconds * 1000);
  });
}

/**
 * For the crash tests: STARLING_KILL_AT=<failpoint>[:n] ends the process without warning when it passes the named
 * point for the n-th time.
 */
function killSwitch(): { failpoint?: (name: Failpoint) => void } {
  const order = process.env['STARLING_KILL_AT'];
  if (order === undefined || order === '') return {};
  const [name, count = '1'] = order.split(':');
  if (!failpoints.includes(name as Failpoint)) {
    throw new Error(`STARLING_KILL_AT names no failpoint: expected one of ${failpoints.join(', ')}.`);
  }
  let left = Number(count);
  return {
    failpoint: (passed) => {
      if (passed === name && --left === 0) process.kill(process.pid, 'SIGKILL');
    },
  };
}
