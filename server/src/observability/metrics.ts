import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import {
  clusterGauges,
  counters,
  histograms,
  nodeGauges,
  type ClusterGaugeName,
  type CounterName,
  type HistogramName,
  type LabelsOf,
  type MetricShape,
  type NodeGaugeName,
} from './metric-table.ts';

/** One value of a gauge. */
export interface Reading {
  name: NodeGaugeName | ClusterGaugeName;
  labels: Readonly<Record<string, string>>;
  value: number;
}

/** The metrics of one server, in Prometheus' text format. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #counters = make(counters, (name, { help, labels }) => {
    return new Counter({ name, help, labelNames: labels, registers: [this.#registry] });
  });
  readonly #histograms = make(histograms, (name, { help, labels, buckets }) => {
    const settings = { name, help, labelNames: labels, buckets: [...buckets] };
    return new Histogram({ ...settings, registers: [this.#registry] });
  });
  readonly #gauges = make({ ...nodeGauges, ...clusterGauges }, (name, { help, labels }) => {
    return new Gauge({ name, help, labelNames: labels, registers: [this.#registry] });
  });
  readonly #read: () => Promise<readonly Reading[]>;

  /** `read` gives the values of all gauges when someone asks; one that it leaves out is not shown. */
  constructor(read: () => Promise<readonly Reading[]>) {
    this.#read = read;
    collectDefaultMetrics({ register: this.#registry });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  count<N extends CounterName>(name: N, labels: LabelsOf<(typeof counters)[N]>, amount = 1): void {
    this.#counters[name].inc(labels, amount);
  }

  time<N extends HistogramName>(name: N, labels: LabelsOf<(typeof histograms)[N]>, seconds: number): void {
    this.#histograms[name].observe(labels, seconds);
  }

  async text(): Promise<string> {
    const readings = await this.#read();
    for (const [name, gauge] of Object.entries(this.#gauges)) {
      // What is not read now is not shown with its last value. Without labels, reset would leave a 0.
      if (name in unlabelled) gauge.remove();
      else gauge.reset();
    }
    for (const { name, labels, value } of readings) this.#gauges[name].set(labels, value);
    return this.#registry.metrics();
  }
}

const unlabelled = Object.fromEntries(
  Object.entries({ ...nodeGauges, ...clusterGauges }).filter(([, { labels }]) => labels.length === 0),
);

function make<N extends string, S extends MetricShape, M>(
  shapes: Readonly<Record<N, S>>,
  metric: (name: N, shape: S) => M,
): Record<N, M> {
  const entries = Object.entries(shapes) as [N, S][]; // Object.entries forgets the names
  return Object.fromEntries(entries.map(([name, shape]) => [name, metric(name, shape)])) as Record<N, M>;
}
