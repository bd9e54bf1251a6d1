import { Skeleton } from '@mantine/core';
import type { Task } from '@starling/protocol';
import { getRouteApi } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { useTranslations } from 'use-intl';
import { useMay } from '../../../app/session.tsx';
import { Problem } from '../../../components/problem.tsx';
import { EvaluateNow } from '../evaluate-now.tsx';
import { idsOf } from '../search.ts';
import { TaskChoice } from '../task-choice.tsx';
import { LearningCharts } from './learning-charts.tsx';
import { useRuns } from './use-runs.ts';

const route = getRouteApi('/tasks/$id');

/** How a task learns, with other tasks over it. */
export function LearningTab({ task }: { task: Task }) {
  const words = useTranslations('task.learning');
  const may = useMay();
  const { with: others = '' } = route.useSearch();
  const navigate = route.useNavigate();
  const [judging, setJudging] = useState(false);
  const ids = useMemo(() => [task.id, ...idsOf(others).filter((id) => id !== task.id)], [task.id, others]);
  const { runs, error } = useRuns(ids);
  if (error) return <Problem error={error} />;
  if (runs.length === 0) return <Skeleton h={400} aria-busy />;
  return (
    <>
      <LearningCharts
        runs={runs}
        {...(may('evaluateTask') && {
          evaluate: () => {
            setJudging(true);
          },
        })}
        aside={
          <TaskChoice
            label={words('overlay')}
            placeholder={words('overlayHint')}
            most={3}
            without={task.id}
            chosen={ids.slice(1)}
            choose={(chosen) => {
              void navigate({
                search: (now) => ({ ...now, with: chosen.length > 0 ? chosen.join(',') : undefined }),
                replace: true,
              });
            }}
          />
        }
      />
      {judging && (
        <EvaluateNow
          task={task}
          close={() => {
            setJudging(false);
          }}
        />
      )}
    </>
  );
}
