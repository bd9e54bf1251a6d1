import type { counters, CounterName, histograms, HistogramName, LabelsOf } from './metric-table.ts';

/** What a span says of itself: short, never a secret, never content of a request. */
export type Attributes = Readonly<Record<string, string | number | boolean>>;

/** What the rest of the server tells those who watch it. Whoever does not watch pays nothing for it. */
export interface Observer {
  /** Whether anybody counts: what costs a query is not asked otherwise. */
  readonly counts: boolean;
  count<N extends CounterName>(name: N, labels: LabelsOf<(typeof counters)[N]>, amount?: number): void;
  time<N extends HistogramName>(name: N, labels: LabelsOf<(typeof histograms)[N]>, seconds: number): void;
  /** Notes that an upload is being received; what it returns notes its end. */
  upload(): () => void;
  /** Runs `work` as a span, under the span around it if there is one. */
  span<T>(name: string, attributes: Attributes, work: () => Promise<T>): Promise<T>;
  /** Runs `work` as a span where there is one around it: what happens too often to be told for its own sake. */
  step<T>(name: string, attributes: Attributes, work: () => Promise<T>): Promise<T>;
}

/** Nobody watches. */
export const unobserved: Observer = {
  counts: false,
  count: () => undefined,
  time: () => undefined,
  upload: () => () => undefined,
  span: (_name, _attributes, work) => work(),
  step: (_name, _attributes, work) => work(),
};
