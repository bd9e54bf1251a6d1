import type { ProblemError, Task, TaskId } from '@starling/protocol';
import type { Curves } from '@starling/protocol/api';
import { useQueries } from '@tanstack/react-query';
import { useMemo } from 'react';
import { absence, keyOf, useClient } from '../../../api/calls.tsx';

/** One task with its curves. */
export interface Run {
  readonly id: TaskId;
  readonly task: Task;
  readonly curves: Curves;
}

/** The tasks of these ids with their curves, as far as they have come; a refusal of any of them. */
export function useRuns(ids: readonly TaskId[]): { runs: Run[]; error: Error | null; loading: boolean } {
  const client = useClient();
  const tasks = useQueries({
    queries: ids.map((id) => ({
      queryKey: keyOf('getTask', { params: { id } }),
      queryFn: ({ signal }: { signal: AbortSignal }) =>
        client.until(signal).call('getTask', { params: { id } }),
    })),
    combine: whole,
  });
  const curves = useQueries({
    queries: ids.map((id) => ({
      queryKey: keyOf('getCurves', { params: { id } }),
      queryFn: ({ signal }: { signal: AbortSignal }) =>
        client.until(signal).call('getCurves', { params: { id } }),
    })),
    combine: whole,
  });
  const runs = useMemo(
    () =>
      ids.flatMap((id, index) => {
        const task = tasks.answers[index];
        const learnt = curves.answers[index];
        return task && learnt ? [{ id, task, curves: learnt }] : [];
      }),
    [ids, tasks.answers, curves.answers],
  );
  return { runs, error: tasks.error ?? curves.error, loading: runs.length < ids.length };
}

/** Combined by the cache, so that the same answers are the same array. */
function whole<T>(results: { data: T | undefined; error: Error | ProblemError | null }[]) {
  return {
    answers: results.map(({ data }) => data),
    error: results.map(absence).find((error) => error !== null) ?? null,
  };
}
