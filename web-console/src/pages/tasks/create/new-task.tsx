import type { Task } from '@starling/protocol';
import { getRouteApi } from '@tanstack/react-router';
import { useTranslations } from 'use-intl';
import { useRead } from '../../../api/calls.tsx';
import { useMay } from '../../../app/session.tsx';
import type { JsonObject } from '../../../components/plan/document.ts';
import { inOrder, startingPlan } from '../../../components/plan/settings.ts';
import { PageLoading } from '../../../components/page-loading.tsx';
import { NotAllowed, Problem } from '../../../components/problem.tsx';
import { TaskEditor } from './task-editor.tsx';

const route = getRouteApi('/tasks/new');

/** Where a task is written, from the beginning or from another one. */
export function NewTask() {
  const { from } = route.useSearch();
  const may = useMay();
  const words = useTranslations('create');
  if (!may('createTask')) return <NotAllowed needs="createTask" />;
  if (from !== undefined) return <Clone key={from} id={from} />;
  return (
    <TaskEditor
      title={words('title')}
      document={{ name: '', plan: startingPlan('fedavg') }}
      model={undefined}
      source={undefined}
    />
  );
}

function Clone({ id }: Pick<Task, 'id'>) {
  const words = useTranslations('create');
  const task = useRead('getTask', { params: { id } });
  const digest = task.data?.model ?? '';
  const model = useRead('getModel', { params: { digest } }, { enabled: task.data !== undefined });
  const cost = useRead('getCost', { params: { id } });
  const error = task.error ?? model.error ?? cost.error;
  if (error) return <Problem error={error} />;
  if (!task.data || !model.data || !cost.data) return <PageLoading lead figures={0} />;
  const { name, plan, currentVersion } = task.data;
  const { counted } = cost.data.updates;
  return (
    <TaskEditor
      title={words('cloneTitle', { name })}
      document={{ name: words('copyName', { name }), plan: inOrder(plan as JsonObject) }} // a plan is JSON
      model={{ digest, name: model.data.name }}
      source={{
        version: currentVersion,
        ...(counted > 0 && cost.data.deviceMs > 0 && { workMs: cost.data.deviceMs / counted }),
      }}
    />
  );
}
