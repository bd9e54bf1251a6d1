import type { IncomingHttpHeaders } from 'node:http';
import type { Log } from '../coordinator/context.ts';
import type { Observer } from './observer.ts';

/** The span of a request. */
export interface RequestSpan {
  /** Runs what follows under it. */
  run(work: () => void): void;
  end(route: string, status: number): void;
}

/** Spans, as they are exported (docs/operations.md). */
export interface Tracing extends Pick<Observer, 'span' | 'step'> {
  /** Begins the span of a request: under the caller's (`traceparent`) where callers are trusted, else one of a new trace. */
  request(method: string, headers: IncomingHttpHeaders): RequestSpan;
  /** Exports what is left. */
  close(): Promise<void>;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Whether the standard variables ask for traces: an exporter, or an endpoint to export to. */
export function isTracingWanted(environment: Environment): boolean {
  if (environment['OTEL_SDK_DISABLED']?.toLowerCase() === 'true') return false;
  const exporter = environment['OTEL_TRACES_EXPORTER'] ?? '';
  if (exporter !== '') return exporter !== 'none';
  return ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT'].some(
    (name) => (environment[name] ?? '') !== '',
  );
}

/**
 * Traces over OTLP, if the environment asks for them: the SDK is loaded only then. `trustsCallers`: whether a caller may
 * say which trace its request is of, and thereby that it be sampled. Throws `RangeError` for an exporter or a protocol that
 * there is none for.
 */
export async function openTracing(
  environment: Environment,
  version: string,
  log: Log,
  trustsCallers = false,
): Promise<Tracing | undefined> {
  if (!isTracingWanted(environment)) return undefined;
  const exporter = environment['OTEL_TRACES_EXPORTER'] ?? '';
  if (exporter !== '' && exporter !== 'otlp')
    throw new RangeError(`OTEL_TRACES_EXPORTER is "${exporter}": expected otlp or none.`);
  const protocol =
    environment['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL'] ?? environment['OTEL_EXPORTER_OTLP_PROTOCOL'] ?? '';
  if (protocol !== '' && protocol !== 'http/json')
    throw new RangeError(`The OTLP protocol is "${protocol}": expected http/json, or none named.`);
  const { openOtlp } = await import('./otlp-tracing.ts');
  return openOtlp(version, log, trustsCallers);
}
