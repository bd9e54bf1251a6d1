import type { LiveEvent } from '@starling/protocol';
import type { Operation } from '@starling/protocol/api';
import { useQueryClient, type InfiniteData, type QueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { keyOf } from './calls.tsx';
import { sessionKey } from './session.ts';

/** Whether the page hears of changes as they happen. */
export type Liveness = 'connecting' | 'live' | 'lost';

/**
 * How long answers that are to be read anew are collected: a round of a thousand devices is one refresh, not a thousand. The
 * fleet is counted over all devices, so it waits longer.
 */
const refreshMs = { usual: 500, fleet: 5_000 } as const;

/** After how long a stream that was refused is asked for again: twice as long each time, up to the longest. */
const againMs = { first: 3_000, longest: 48_000 } as const;

/** Follows the live events of a project for as long as the page stands, and keeps the cached answers in step. */
export function useLiveEvents(projectId: string): Liveness {
  const cache = useQueryClient();
  const [liveness, setLiveness] = useState<Liveness>('connecting');
  const [attempt, setAttempt] = useState(0);
  const refused = useRef(0);
  useEffect(() => {
    const stale = new Set<Operation>();
    const refresh = (wanted: (operation: Operation) => boolean) => () => {
      for (const operation of stale) {
        if (!wanted(operation)) continue;
        stale.delete(operation);
        void cache.invalidateQueries({ queryKey: [operation] });
      }
    };
    const timers = [
      setInterval(
        refresh((operation) => operation !== 'getFleet'),
        refreshMs.usual,
      ),
      setInterval(
        refresh((operation) => operation === 'getFleet'),
        refreshMs.fleet,
      ),
    ];
    const source = new EventSource('/v1/events');
    source.addEventListener('open', () => {
      refused.current = 0;
      setLiveness('live');
      for (const operation of ['getArrivals', 'getAnatomy'] as const) stale.add(operation); // hints of arrivals are not kept
    });
    source.addEventListener('error', () => {
      setLiveness('lost'); // the browser connects again by itself, from the last event's id
      if (source.readyState !== EventSource.CLOSED) return;
      // unless it was answered by a refusal: of a server that starts, of a proxy, or because the session has ended
      const waitMs = Math.min(againMs.longest, againMs.first * 2 ** refused.current++);
      timers.push(setTimeout(setAttempt, waitMs * (1 + Math.random() / 4), attempt + 1)); // not all consoles at once
      void cache.invalidateQueries({ queryKey: sessionKey });
    });
    source.addEventListener('gap', () => {
      void cache.invalidateQueries();
    });
    source.addEventListener('event', ({ data }: MessageEvent<string>) => {
      const event = JSON.parse(data) as LiveEvent; // the server answers by its schema
      for (const operation of take(cache, event)) stale.add(operation);
    });
    return () => {
      timers.forEach(clearInterval);
      source.close();
    };
  }, [cache, projectId, attempt]);
  return liveness;
}

/** Puts what an event carries where it is shown; returns the operations whose answers it made old. */
function take(cache: QueryClient, event: LiveEvent): Operation[] {
  switch (event.kind) {
    case 'task':
      cache.setQueryData(keyOf('getTask', { params: { id: event.task.id } }), event.task);
      replaceIn(cache, 'listTasks', event.task);
      // a list may be of one state only; a promotion changes what the task serves
      return ['getFleet', 'listTasks', 'listReleases', 'listModelTasks'];
    case 'round': {
      const { round } = event;
      cache.setQueryData(keyOf('getRound', { params: { id: round.id } }), round);
      const listed = replaceIn(cache, 'listRounds', round);
      return [
        'getFleet',
        'getAnatomy',
        'getArrivals',
        ...(listed ? [] : (['listRounds'] as const)),
        ...(round.endedAt === null ? [] : (['getCurves', 'getCost', 'getGroupHealth'] as const)),
      ];
    }
    case 'version':
      return ['listVersions', 'listReleases', 'getTask'];
    case 'job':
      return ['getJob', 'listJobs', 'listTaskJobs', 'getFleet'];
    case 'arrivals': {
      const input = { params: { id: event.roundId } };
      const isShown = cache.getQueryData(keyOf('getArrivals', input)) !== undefined;
      return isShown ? ['getArrivals', 'getAnatomy'] : [];
    }
    case 'device':
      return ['listDevices', 'getDevice', 'getFleet'];
  }
}

type Listed = InfiniteData<{ items: { id: string }[]; next: string | null }>;

/** Puts `item` in the place of its former self in every cached list; false when none held it. */
function replaceIn(cache: QueryClient, operation: Operation, item: { id: string }): boolean {
  let found = false;
  cache.setQueriesData<Listed>({ queryKey: [operation] }, (lists) => {
    if (!lists) return lists;
    const pages = lists.pages.map((page) => {
      const at = page.items.findIndex(({ id }) => id === item.id);
      if (at === -1) return page;
      found = true;
      return { ...page, items: page.items.with(at, item) };
    });
    return { ...lists, pages };
  });
  return found;
}
