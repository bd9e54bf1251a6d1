import type { Log } from '../coordinator/context.ts';
import type { Presence } from '../coordinator/presence.ts';
import type { Database } from '../storage/database.ts';
import { ClusterGauges } from './cluster-gauges.ts';
import type { NodeGaugeName } from './metric-table.ts';
import { listenForScrapes, type MetricsAddress, type MetricsListener } from './metrics-listener.ts';
import type { Metrics, Reading } from './metrics.ts';
import { unobserved, type Observer } from './observer.ts';
import type { Readiness } from './readiness.ts';
import { openTracing, type Tracing } from './tracing.ts';

/** What the gauges are read from. */
export interface Observed {
  version: string;
  database: Database;
  presence: Presence;
  readiness: Readiness;
}

/** The watching of one server: what is not asked for is not loaded. */
export interface Observation {
  observer: Observer;
  tracing: Tracing | undefined;
  /** Whether anybody watches at all. */
  isOn: boolean;
  /** Lets Prometheus ask. Returns where. */
  listen(address: MetricsAddress, observed: Observed): Promise<string>;
  close(): Promise<void>;
}

/**
 * `counts`: keep metrics. Traces are exported when the standard variables of OpenTelemetry ask for it; `trustsCallers` as
 * in {@link openTracing}.
 */
export async function startObservation(
  { counts, trustsCallers }: { counts: boolean; trustsCallers: boolean },
  version: string,
  log: Log,
): Promise<Observation> {
  const tracing = await openTracing(process.env, version, log, trustsCallers);
  let uploads = 0;
  let observed: Observed | undefined;
  let listener: MetricsListener | undefined;
  let cluster: ClusterGauges | undefined;
  const read = async (): Promise<readonly Reading[]> => {
    if (!observed || !cluster) return [];
    return [...(await nodeReadings(observed, uploads)), ...(await cluster.read())];
  };
  const metrics = counts ? new (await import('./metrics.ts')).Metrics(read) : undefined;
  return {
    observer: observerOf(metrics, tracing, (change) => {
      uploads += change;
    }),
    tracing,
    isOn: metrics !== undefined || tracing !== undefined,
    listen: async (address, whatIsRead) => {
      if (!metrics) throw new TypeError('A server that keeps no metrics has none to show.');
      observed = whatIsRead;
      cluster = new ClusterGauges(whatIsRead.database);
      listener = await listenForScrapes(metrics, address, log);
      return listener.url;
    },
    close: async () => {
      await listener?.close();
      await tracing?.close();
    },
  };
}

function observerOf(
  metrics: Metrics | undefined,
  tracing: Tracing | undefined,
  countUploads: (change: number) => void,
): Observer {
  return {
    ...unobserved,
    ...(metrics && {
      counts: true,
      count: (name, labels, amount) => {
        metrics.count(name, labels, amount);
      },
      time: (name, labels, seconds) => {
        metrics.time(name, labels, seconds);
      },
      upload: () => {
        countUploads(1);
        return () => {
          countUploads(-1);
        };
      },
    }),
    ...(tracing && {
      span: (name, attributes, work) => tracing.span(name, attributes, work),
      step: (name, attributes, work) => tracing.step(name, attributes, work),
    }),
  };
}

async function nodeReadings(
  { version, database, presence, readiness }: Observed,
  uploads: number,
): Promise<Reading[]> {
  const gauge = (name: NodeGaugeName, value: number, labels: Record<string, string> = {}): Reading => ({
    name,
    labels,
    value,
  });
  const { checks } = await readiness.state();
  const { socket, polling } = presence.count();
  const { busy, idle, waiting } = database.load();
  return [
    gauge('starling_build_info', 1, { version }),
    ...checks.map(({ name, ready }) => gauge('starling_ready', Number(ready), { check: name })),
    gauge('starling_devices_connected', socket, { way: 'socket' }),
    gauge('starling_devices_connected', polling, { way: 'polling' }),
    gauge('starling_uploads_in_progress', uploads),
    gauge('starling_database_connections', busy, { state: 'busy' }),
    gauge('starling_database_connections', idle, { state: 'idle' }),
    gauge('starling_database_waiting', waiting),
  ];
}
