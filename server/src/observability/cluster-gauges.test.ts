import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Database, Row } from '../storage/database.ts';
import { ClusterGauges } from './cluster-gauges.ts';

const failed = [{ name: 'starling_cluster_read_success', labels: {}, value: 0 }];

/** A database that answers every query so. */
function answering(query: () => Promise<Row[]>): Database {
  return {
    query: query as Database['query'], // one answer, whatever rows are asked for
    tx: () => Promise.reject(new Error('Nothing here needs a transaction.')),
    load: () => ({ busy: 0, idle: 1, waiting: 0 }),
    close: () => Promise.resolve(),
  };
}

describe('the gauges of the cluster', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it('ask the database once in five seconds, however many ask them', async () => {
    let now = 0;
    const query = vi.fn(() => Promise.resolve([{ name: 'starling_nodes_alive', labels: {}, value: 2 }]));
    const gauges = new ClusterGauges(answering(query), () => now);
    await Promise.all([gauges.read(), gauges.read()]);
    now = 4_999;
    await gauges.read();
    expect(query).toHaveBeenCalledTimes(1);
    now = 5_000;
    expect(await gauges.read()).toContainEqual({ name: 'starling_nodes_alive', labels: {}, value: 2 });
    expect(query).toHaveBeenCalledTimes(2);
  });

  it('say that they are missing when the database refuses or does not answer in time', async () => {
    const refusing = new ClusterGauges(answering(() => Promise.reject(new Error('gone'))));
    expect(await refusing.read()).toEqual(failed);
    vi.useFakeTimers();
    const silent = new ClusterGauges(answering(() => new Promise(() => undefined)));
    const readings = silent.read();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(await readings).toEqual(failed);
  });
});
