import { Alert, Anchor, Skeleton, Stack, Tabs } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { getRouteApi, Link } from '@tanstack/react-router';
import { lazy, Suspense, type ReactNode } from 'react';
import type { Task } from '@starling/protocol';
import { useTranslations } from 'use-intl';
import { useRead } from '../../api/calls.tsx';
import { Page } from '../../components/page.tsx';
import { PageLoading } from '../../components/page-loading.tsx';
import { Problem } from '../../components/problem.tsx';
import { StateBadge } from '../../components/state-badge.tsx';
import { TabList } from '../../components/tab-list.tsx';
import { isTaskId } from './names.ts';
import { OverviewTab } from './overview-tab.tsx';
import { tabs, type Tab } from './search.ts';
import { TaskActions } from './task-actions.tsx';
import { ProblemError } from '@starling/protocol';

const LearningTab = lazy(() =>
  import('./learning/learning-tab.tsx').then((m) => ({ default: m.LearningTab })),
);
const ModelTab = lazy(() => import('./model-tab.tsx').then((m) => ({ default: m.ModelTab })));
const PlanTab = lazy(() => import('./plan-tab.tsx').then((m) => ({ default: m.PlanTab })));
const VersionsTab = lazy(() => import('./versions-tab.tsx').then((m) => ({ default: m.VersionsTab })));

const contents: Readonly<Record<Tab, (task: Task) => ReactNode>> = {
  overview: (task) => <OverviewTab task={task} />,
  learning: (task) => <LearningTab task={task} />,
  model: (task) => <ModelTab digest={task.model} />,
  plan: (task) => <PlanTab task={task} />,
  versions: (task) => <VersionsTab task={task} />,
};

const route = getRouteApi('/tasks/$id');

/** One task: how it is, how it learns, what it is made of, and what one can do with it. */
export function TaskPage() {
  const { id } = route.useParams();
  if (!isTaskId(id)) return <Problem error={new ProblemError('not-found', id)} />;
  return <KnownTask id={id} />;
}

function KnownTask({ id }: Pick<Task, 'id'>) {
  const words = useTranslations('task');
  const all = useTranslations('tasks');
  const { tab: open = 'overview' } = route.useSearch();
  const navigate = route.useNavigate();
  const { data: task, error, refetch } = useRead('getTask', { params: { id } });
  if (error) return <Problem error={error} retry={() => void refetch()} />;
  if (!task) return <PageLoading tabs figures={8} />;
  return (
    <Page
      title={task.name}
      trail={[
        <Anchor key="tasks" component={Link} to="/tasks" inherit>
          {all('title')}
        </Anchor>,
      ]}
      badge={
        <span role="status">
          <StateBadge of="task" state={task.state} />
        </span>
      }
      actions={<TaskActions task={task} />}
    >
      {task.state === 'failed' && (
        <Alert color="red" icon={<IconAlertTriangle />} title={words('failed')}>
          {task.reason}
        </Alert>
      )}
      <Tabs
        value={open}
        keepMounted={false}
        onChange={(chosen) => {
          const tab = tabs.find((each) => each === chosen);
          void navigate({ search: (now) => ({ ...now, tab }), replace: true });
        }}
      >
        <TabList tabs={tabs} chosen={open} named={(tab) => words(`tab.${tab}`)} label={words('tabs')} />
        {tabs.map((tab) => (
          <Tabs.Panel key={tab} value={tab} pt="md">
            <Suspense fallback={<Skeleton h={320} aria-busy />}>
              <Stack gap="md">{contents[tab](task)}</Stack>
            </Suspense>
          </Tabs.Panel>
        ))}
      </Tabs>
    </Page>
  );
}
