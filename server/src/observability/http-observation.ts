import type { FastifyRequest } from 'fastify';
import type { Api } from '../api/http.ts';
import type { Observer } from './observer.ts';
import type { RequestSpan, Tracing } from './tracing.ts';

/** Requests by the pattern of their route: what is in the path (ids, digests) is never told. */
export function observeRequests(api: Api, observer: Observer, tracing: Tracing | undefined): void {
  if (tracing) traceRequests(api, tracing);
  if (!observer.counts) return;
  const begun = new WeakMap<FastifyRequest, number>();
  api.addHook('onRequest', (request, _reply, done) => {
    begun.set(request, performance.now());
    done();
  });
  api.addHook('onResponse', (request, reply, done) => {
    const { method } = request;
    const route = routeOf(request);
    const begin = begun.get(request);
    observer.count('starling_http_requests_total', { method, route, status: String(reply.statusCode) });
    if (begin !== undefined)
      observer.time(
        'starling_http_request_duration_seconds',
        { method, route },
        (performance.now() - begin) / 1000,
      );
    if (route === '/v1/blobs/:sha256' && method === 'GET' && reply.raw.writableFinished)
      observer.count('starling_download_bytes_total', {}, Number(reply.getHeader('content-length') ?? 0));
    done();
  });
}

function traceRequests(api: Api, tracing: Tracing): void {
  const spans = new WeakMap<FastifyRequest, RequestSpan>();
  api.addHook('onRequest', (request, _reply, done) => {
    const span = tracing.request(request.method, request.headers);
    spans.set(request, span);
    span.run(done);
  });
  // A body comes with events of its connection, which know nothing of this request: enter its span again.
  api.addHook('preValidation', (request, _reply, done) => {
    spans.get(request)?.run(done);
  });
  api.addHook('onResponse', (request, reply, done) => {
    spans.get(request)?.end(routeOf(request), reply.statusCode);
    done();
  });
}

function routeOf(request: FastifyRequest): string {
  return request.routeOptions.url ?? 'none';
}
