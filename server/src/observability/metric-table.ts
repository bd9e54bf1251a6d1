/**
 * Every metric of the server, but for those of Node itself (`process_*`, `nodejs_*`). No label ever holds a device, task,
 * round, key or address, nor a text that a caller chose: the number of series is bounded by this table and the routes.
 * docs/metrics.md explains each; a test holds the two together.
 */

export interface MetricShape {
  help: string;
  labels: readonly string[];
}

export interface HistogramShape extends MetricShape {
  buckets: readonly number[];
}

const fastSeconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const roundSeconds = [0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 14_400, 86_400];

/** What this node did since it started: add up over nodes. */
export const counters = {
  starling_rounds_ended_total: {
    help: 'Rounds that this node ended, by outcome (published, abandoned) and reason.',
    labels: ['kind', 'outcome', 'reason'],
  },
  starling_assignments_ended_total: {
    help: 'Places of devices in rounds that this node ended, by end (counted, dropped) and reason.',
    labels: ['kind', 'end', 'reason'],
  },
  starling_groups_ended_total: {
    help: 'Groups of secure tasks in rounds that this node ended, by end (summed, aborted) and reason.',
    labels: ['end', 'reason'],
  },
  starling_uploads_total: {
    help: 'Uploads by outcome: received whole, broken off by the device, refused for what they are, failed on our side.',
    labels: ['outcome'],
  },
  starling_upload_bytes_total: { help: 'Bytes of updates that were written to disk.', labels: [] },
  starling_download_bytes_total: { help: 'Bytes of blobs that were sent whole.', labels: [] },
  starling_http_requests_total: {
    help: 'Requests by route pattern and status; status 429 are those over a rate limit.',
    labels: ['method', 'route', 'status'],
  },
  starling_poll_failures_total: { help: 'Passes of the poller that failed.', labels: [] },
} as const satisfies Record<string, MetricShape>;

/** Durations that this node measured. */
export const histograms = {
  starling_round_duration_seconds: {
    help: 'From the opening of a round to its end.',
    labels: ['kind', 'outcome'],
    buckets: roundSeconds,
  },
  starling_round_phase_duration_seconds: {
    help: 'How long rounds stayed in each phase that they left.',
    labels: ['kind', 'phase'],
    buckets: roundSeconds,
  },
  starling_deadline_lateness_seconds: {
    help: 'How long after its deadline a round or group was taken up.',
    labels: ['what'],
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
  },
  starling_poll_duration_seconds: {
    help: 'One pass of the poller over all that is due.',
    labels: [],
    buckets: fastSeconds,
  },
  starling_http_request_duration_seconds: {
    help: 'From the head of a request to the end of its answer.',
    labels: ['method', 'route'],
    buckets: fastSeconds,
  },
  starling_database_duration_seconds: {
    help: 'Queries and transactions, waiting for a connection included.',
    labels: ['work'],
    buckets: fastSeconds,
  },
} as const satisfies Record<string, HistogramShape>;

/** How this node stands when it is asked. */
export const nodeGauges = {
  starling_build_info: { help: '1, with the version of the server.', labels: ['version'] },
  starling_ready: {
    help: 'Whether a check of /readyz passes (1) or not (0).',
    labels: ['check'],
  },
  starling_devices_connected: {
    help: 'Devices that this node can reach, by a socket or because they asked a short while ago.',
    labels: ['way'],
  },
  starling_uploads_in_progress: { help: 'Uploads that are being received.', labels: [] },
  starling_database_connections: {
    help: 'Connections of this node to the database, by state (busy, idle).',
    labels: ['state'],
  },
  starling_database_waiting: { help: 'Queries and transactions that wait for a connection.', labels: [] },
} as const satisfies Record<string, MetricShape>;

/** What the database holds: every node says the same, so take the maximum over nodes, never the sum. */
export const clusterGauges = {
  starling_cluster_read_success: {
    help: 'Whether the gauges of the cluster could be read in time (1) or are missing (0).',
    labels: [],
  },
  starling_nodes_alive: { help: 'Servers that share the database and live.', labels: [] },
  starling_tasks: { help: 'Tasks by state.', labels: ['state'] },
  starling_jobs: { help: 'Jobs in the cloud by state.', labels: ['state'] },
  starling_rounds_under_way: { help: 'Rounds that have not ended.', labels: ['kind', 'state'] },
  starling_assignments_live: { help: 'Devices at work in rounds, by state.', labels: ['state'] },
  starling_secure_groups_under_way: {
    help: 'Groups of secure tasks that have not ended, by state.',
    labels: ['state'],
  },
  starling_round_overdue_seconds: {
    help: 'How long the most overdue round is past its deadline; 0 when none is.',
    labels: [],
  },
} as const satisfies Record<string, MetricShape>;

export type CounterName = keyof typeof counters;
export type HistogramName = keyof typeof histograms;
export type NodeGaugeName = keyof typeof nodeGauges;
export type ClusterGaugeName = keyof typeof clusterGauges;

/** The labels of a metric, each with its value. */
export type LabelsOf<S extends MetricShape> = Readonly<Record<S['labels'][number], string>>;
