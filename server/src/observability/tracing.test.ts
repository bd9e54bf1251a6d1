import { describe, expect, it } from 'vitest';
import { isTracingWanted, openTracing } from './tracing.ts';

const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' };

describe('traces', () => {
  it('are off unless the standard variables ask for them', async () => {
    expect(await openTracing({}, '0', log)).toBeUndefined();
    for (const off of [
      {},
      { OTEL_TRACES_EXPORTER: 'none', ...endpoint },
      { OTEL_SDK_DISABLED: 'TRUE', ...endpoint },
      { OTEL_EXPORTER_OTLP_ENDPOINT: '' },
    ])
      expect(isTracingWanted(off), JSON.stringify(off)).toBe(false);
    for (const on of [
      { OTEL_TRACES_EXPORTER: 'otlp' },
      endpoint,
      { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://127.0.0.1:4318/v1/traces' },
    ])
      expect(isTracingWanted(on), JSON.stringify(on)).toBe(true);
  });

  it('refuse an exporter or a protocol that there is none for, and say which there is', async () => {
    await expect(openTracing({ OTEL_TRACES_EXPORTER: 'jaeger' }, '0', log)).rejects.toThrow('otlp or none');
    await expect(openTracing({ ...endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }, '0', log)).rejects.toThrow(
      'http/json',
    );
  });
});
