/** Writes starling.json, the dashboard for Grafana, from the table of its panels: node deploy/grafana/dashboard.mjs */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const rate = (metric, by = '') => `sum${by}(rate(${metric}[$__rate_interval]))`;
const share = (metric, quantile, by) =>
  `histogram_quantile(${quantile}, sum by (le${by ? `, ${by}` : ''}) (rate(${metric}_bucket[$__rate_interval])))`;
const slices = (metric, by) => [
  [share(metric, 0.5, by), `p50 {{${by ?? ''}}}`],
  [share(metric, 0.95, by), `p95 {{${by ?? ''}}}`],
];

/** Row -> panels: title, unit, and queries with their legends. What a cluster shares is a maximum over its nodes. */
const rows = {
  Rounds: [
    [
      'Rounds ended',
      'short',
      [
        [
          'sum by (kind, outcome) (increase(starling_rounds_ended_total[$__rate_interval]))',
          '{{kind}} {{outcome}}',
        ],
      ],
    ],
    [
      'Why rounds were abandoned',
      'short',
      [
        [
          'sum by (reason) (increase(starling_rounds_ended_total{outcome="abandoned"}[$__rate_interval]))',
          '{{reason}}',
        ],
      ],
    ],
    [
      'Rounds under way',
      'short',
      [['max by (kind, state) (starling_rounds_under_way)', '{{kind}} {{state}}']],
    ],
    ['Most overdue round', 's', [['max(starling_round_overdue_seconds)', 'overdue']]],
    ['Duration of rounds', 's', slices('starling_round_duration_seconds', 'kind')],
    ['Duration of phases', 's', slices('starling_round_phase_duration_seconds', 'phase')],
    ['Lateness of deadlines', 's', slices('starling_deadline_lateness_seconds', 'what')],
    [
      'Passes of the poller',
      's',
      [
        ...slices('starling_poll_duration_seconds'),
        [rate('starling_poll_failures_total'), 'failures a second'],
      ],
    ],
  ],
  Devices: [
    ['Devices connected', 'short', [['sum by (way) (starling_devices_connected)', '{{way}}']]],
    ['Devices at work', 'short', [['max by (state) (starling_assignments_live)', '{{state}}']]],
    [
      'How devices left rounds',
      'short',
      [
        [
          'sum by (end, reason) (increase(starling_assignments_ended_total[$__rate_interval]))',
          '{{end}} {{reason}}',
        ],
      ],
    ],
    [
      'Secure groups',
      'short',
      [
        [
          'sum by (end, reason) (increase(starling_groups_ended_total[$__rate_interval]))',
          '{{end}} {{reason}}',
        ],
        ['max by (state) (starling_secure_groups_under_way)', 'now {{state}}'],
      ],
    ],
    [
      'Uploads',
      'short',
      [
        [rate('starling_uploads_total', ' by (outcome) '), '{{outcome}} a second'],
        ['sum(starling_uploads_in_progress)', 'in progress'],
      ],
    ],
    [
      'Bytes',
      'Bps',
      [
        [rate('starling_upload_bytes_total'), 'up'],
        [rate('starling_download_bytes_total'), 'down'],
      ],
    ],
  ],
  Work: [
    ['Tasks', 'short', [['max by (state) (starling_tasks)', '{{state}}']]],
    ['Jobs in the cloud', 'short', [['max by (state) (starling_jobs)', '{{state}}']]],
  ],
  Requests: [
    ['Requests', 'reqps', [[rate('starling_http_requests_total', ' by (status) '), '{{status}}']]],
    [
      'Over a rate limit',
      'reqps',
      [[rate('starling_http_requests_total{status="429"}', ' by (route) '), '{{route}}']],
    ],
    [
      'Slowest routes, p95',
      's',
      [[`topk(8, ${share('starling_http_request_duration_seconds', 0.95, 'route')})`, '{{route}}']],
    ],
  ],
  Nodes: [
    ['Ready', 'short', [['min by (instance, check) (starling_ready)', '{{instance}} {{check}}']]],
    [
      'Nodes',
      'short',
      [
        ['max(starling_nodes_alive)', 'alive'],
        ['count by (version) (starling_build_info)', 'version {{version}}'],
        ['min(starling_cluster_read_success)', 'database was read'],
      ],
    ],
    ['Database', 's', slices('starling_database_duration_seconds', 'work')],
    [
      'Connections to the database',
      'short',
      [
        ['sum by (instance, state) (starling_database_connections)', '{{instance}} {{state}}'],
        ['sum by (instance) (starling_database_waiting)', '{{instance}} waiting'],
      ],
    ],
    ['Lag of the event loop, p99', 's', [['nodejs_eventloop_lag_p99_seconds', '{{instance}}']]],
    [
      'Memory',
      'bytes',
      [
        ['process_resident_memory_bytes', '{{instance}} resident'],
        ['nodejs_heap_size_used_bytes', '{{instance}} heap'],
      ],
    ],
    ['Processor', 'percentunit', [['rate(process_cpu_seconds_total[$__rate_interval])', '{{instance}}']]],
    [
      'Garbage collection',
      'percentunit',
      [['sum by (instance) (rate(nodejs_gc_duration_seconds_sum[$__rate_interval]))', '{{instance}}']],
    ],
  ],
};

const datasource = { type: 'prometheus', uid: 'prometheus' };
const [columns, width, height] = [3, 8, 8];

function panels() {
  const all = [];
  let y = 0;
  for (const [title, ofRow] of Object.entries(rows)) {
    all.push({
      id: all.length + 1,
      type: 'row',
      title,
      collapsed: false,
      panels: [],
      gridPos: { x: 0, y, w: 24, h: 1 },
    });
    y += 1;
    for (const [index, [name, unit, queries]] of ofRow.entries()) {
      all.push({
        id: all.length + 1,
        type: 'timeseries',
        title: name,
        datasource,
        gridPos: {
          x: (index % columns) * width,
          y: y + Math.floor(index / columns) * height,
          w: width,
          h: height,
        },
        fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
        options: { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi' } },
        targets: queries.map(([expr, legendFormat], place) => ({
          refId: String.fromCharCode(65 + place),
          datasource,
          expr,
          legendFormat: legendFormat.replace(' {{}}', ''),
        })),
      });
    }
    y += Math.ceil(ofRow.length / columns) * height;
  }
  return all;
}

const dashboard = {
  uid: 'starling',
  title: 'Starling',
  tags: ['starling'],
  schemaVersion: 39,
  version: 1,
  timezone: '',
  refresh: '30s',
  time: { from: 'now-6h', to: 'now' },
  templating: { list: [] },
  annotations: { list: [] },
  panels: panels(),
};
const text = `${JSON.stringify(dashboard, null, 2)}\n`;
if (process.argv.includes('--print')) process.stdout.write(text);
else writeFileSync(fileURLToPath(new URL('starling.json', import.meta.url)), text);
