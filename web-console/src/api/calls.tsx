import {
  keepPreviousData,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
  type UseQueryResult,
} from '@tanstack/react-query';
import { ProblemError } from '@starling/protocol';
import type { PageClient } from './client.ts';
import {
  endpoints,
  type AnswerOf,
  type Endpoint,
  type Endpoints,
  type InputOf,
  type Operation,
} from '@starling/protocol/api';
import { createContext, use } from 'react';
import { mayPass } from './problems.ts';
import { useRefusal } from './refusal.ts';
import { notifications } from '@mantine/notifications';

const ClientContext = createContext<PageClient | null>(null);
export const ClientProvider = ClientContext.Provider;

/** The client of the session; only below the sign-in. */
export function useClient(): PageClient {
  const client = use(ClientContext);
  if (!client) throw new TypeError('A page asked for the client outside of a session.');
  return client;
}

/** Operations that answer with a page of a list. */
export type ListOperation = {
  [O in Operation]: AnswerOf<Endpoints[O]> extends { items: unknown[]; next: string | null } ? O : never;
}[Operation];

export type Item<O extends ListOperation> = AnswerOf<Endpoints[O]>['items'][number];

/** What an operation was asked, as the key of its answer in the cache. */
export function keyOf<O extends Operation>(operation: O, input?: InputOf<Endpoints[O]>): readonly unknown[] {
  return input === undefined ? [operation] : [operation, input];
}

/**
 * Why an answer is not there. One that is there stands while reading it anew fails for now: that the server is away, the
 * frame says. A server that fails (500) does not get over that by itself.
 */
export function absence<E extends Error>({ data, error }: { data: unknown; error: E | null }): E | null {
  if (error === null || data === undefined) return error;
  const fails = error instanceof ProblemError && error.status === 500;
  return mayPass(error) && !fails ? null : error;
}

/** The answer of a read operation, kept in step by the live events (live.ts). */
export function useRead<O extends Operation>(
  operation: O,
  input: InputOf<Endpoints[O]>,
  options: { enabled?: boolean; refetchInterval?: number; staleTime?: number } = {},
): Pick<
  UseQueryResult<AnswerOf<Endpoints[O]>, ProblemError>,
  'data' | 'dataUpdatedAt' | 'error' | 'refetch' | 'isPlaceholderData' | 'isFetching'
> {
  const client = useClient();
  const result = useQuery<AnswerOf<Endpoints[O]>, ProblemError>({
    queryKey: keyOf(operation, input),
    // what nobody waits for any more is given up; the conditional tuple of `call` is beyond inference here
    queryFn: ({ signal }) => client.until(signal).call(operation, input as never),
    placeholderData: keepPreviousData as never, // another input's answer stands while this one's comes
    ...options,
  });
  const { data, dataUpdatedAt, error, refetch, isPlaceholderData } = result;
  return {
    ...{ data, dataUpdatedAt, error: absence({ data, error }), refetch, isPlaceholderData },
    get isFetching() {
      return result.isFetching; // who does not look at it is not drawn anew for it
    },
  };
}

/** A list as far as it was asked for: `items` is `undefined` while the first page comes. */
export interface PagedList<T> {
  readonly items: readonly T[] | undefined;
  readonly error: Error | null;
  /** Why the next page did not come. */
  readonly moreError: Error | null;
  readonly hasNextPage: boolean;
  readonly isFetchingNextPage: boolean;
  readonly refetch: () => Promise<unknown>;
  readonly fetchNextPage: () => Promise<unknown>;
}

/** All pages that were asked for so far, as one list. */
export function useList<O extends ListOperation>(operation: O, input: InputOf<Endpoints[O]>) {
  const client = useClient();
  const result = useInfiniteQuery<{ items: Item<O>[]; next: string | null }, ProblemError>({
    queryKey: keyOf(operation, input),
    initialPageParam: null,
    queryFn: ({ pageParam, signal }) => {
      const { query, ...rest } = input as { query?: object };
      const asked = {
        ...rest,
        query: { ...query, ...(typeof pageParam === 'string' && { cursor: pageParam }) },
      };
      const page = client.until(signal).call(operation, asked as never);
      return page as Promise<{ items: Item<O>[]; next: string | null }>; // a list's answer
    },
    getNextPageParam: ({ next }) => next,
  });
  const moreError = result.isFetchNextPageError ? result.error : null;
  const error = moreError ? null : absence(result);
  return { ...result, error, moreError, items: result.data?.pages.flatMap(({ items }) => items) };
}

/**
 * Does something, then reads anew what may have changed (`changes`: operations whose answers it touches). A refusal is
 * shown as a notification unless `onProblem` takes it.
 */
export function useAct<O extends Operation>(
  operation: O,
  {
    changes = [],
    onProblem,
  }: { changes?: readonly Operation[]; onProblem?: (problem: ProblemError) => void } = {},
) {
  const client = useClient();
  const cache = useQueryClient();
  const refusal = useRefusal();
  return useMutation<AnswerOf<Endpoints[O]>, ProblemError, InputOf<Endpoints[O]>>({
    mutationFn: (input) => client.call(operation, input as never),
    onSuccess: () => {
      for (const changed of changes) void cache.invalidateQueries({ queryKey: [changed] });
    },
    onError: (problem) => {
      if (onProblem) {
        onProblem(problem);
        return;
      }
      const { title, detail = '' } = refusal(problem);
      notifications.show({ color: 'red', title, message: detail });
    },
  });
}

/** The call behind a figure, as one types it: `GET /v1/tasks/:id`. */
export function callOf(operation: Operation): string {
  const { method, path }: Endpoint = endpoints[operation];
  return `${method} ${path}`;
}
