/** Traces by OpenTelemetry's SDK over OTLP (HTTP, JSON). Loaded only when traces are on. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { IncomingHttpHeaders } from 'node:http';
import {
  defaultTextMapGetter,
  diag,
  DiagLogLevel,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Context,
  type Span,
  type Tracer,
} from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import type { Log } from '../coordinator/context.ts';
import type { Attributes } from './observer.ts';
import type { RequestSpan, Tracing } from './tracing.ts';

/** Endpoint, headers, sampler, batches and resource come from the standard variables, read by the SDK. */
export function openOtlp(version: string, log: Log, trustsCallers: boolean): Tracing {
  const say = (message: string) => {
    log.warn({ reason: message }, 'traces are not exported');
  };
  const quiet = () => undefined;
  diag.setLogger(
    { error: say, warn: say, info: quiet, debug: quiet, verbose: quiet },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
  const provider = new BasicTracerProvider({
    resource: defaultResource()
      .merge(resourceFromAttributes({ 'service.name': 'starling', 'service.version': version }))
      .merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
  });
  return new OtlpTracing(provider.getTracer('starling', version), trustsCallers, () => provider.shutdown());
}

/** The context travels with the asynchronous work of this tracer alone: nothing global is set, several servers may trace. */
class OtlpTracing implements Tracing {
  readonly #tracer: Tracer;
  readonly #trustsCallers: boolean;
  readonly #shutdown: () => Promise<void>;
  readonly #current = new AsyncLocalStorage<Context>();
  readonly #propagator = new W3CTraceContextPropagator();

  constructor(tracer: Tracer, trustsCallers: boolean, shutdown: () => Promise<void>) {
    this.#tracer = tracer;
    this.#trustsCallers = trustsCallers;
    this.#shutdown = shutdown;
  }

  request(method: string, headers: IncomingHttpHeaders): RequestSpan {
    const caller = this.#trustsCallers
      ? this.#propagator.extract(ROOT_CONTEXT, headers, defaultTextMapGetter)
      : ROOT_CONTEXT;
    const attributes = { 'http.request.method': method };
    const span = this.#tracer.startSpan(method, { kind: SpanKind.SERVER, attributes }, caller);
    const inside = trace.setSpan(caller, span);
    return {
      run: (work) => {
        this.#current.run(inside, work);
      },
      end: (route, status) => {
        span.updateName(`${method} ${route}`);
        span.setAttributes({ 'http.route': route, 'http.response.status_code': status });
        if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
        span.end();
      },
    };
  }

  async span<T>(name: string, attributes: Attributes, work: () => Promise<T>): Promise<T> {
    const outside = this.#current.getStore() ?? ROOT_CONTEXT;
    const span = this.#tracer.startSpan(name, { attributes }, outside);
    try {
      return await this.#current.run(trace.setSpan(outside, span), work);
    } catch (error) {
      fail(span, error);
      throw error;
    } finally {
      span.end();
    }
  }

  step<T>(name: string, attributes: Attributes, work: () => Promise<T>): Promise<T> {
    return this.#current.getStore() === undefined ? work() : this.span(name, attributes, work);
  }

  close(): Promise<void> {
    return this.#shutdown();
  }
}

/** The kind of an error, not its message: that may say more than a trace should. */
function fail(span: Span, error: unknown): void {
  span.setStatus({ code: SpanStatusCode.ERROR });
  if (!(error instanceof Error)) return;
  span.setAttribute('error.type', 'code' in error ? String(error.code) : error.name);
}
