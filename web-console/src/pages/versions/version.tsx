import { Alert, Anchor, Badge, Group, Skeleton, Tabs } from '@mantine/core';
import type { VersionId } from '@starling/protocol';
import { IconBroadcast } from '@tabler/icons-react';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { lazy, Suspense } from 'react';
import { useTranslations } from 'use-intl';
import { useRead } from '../../api/calls.tsx';
import { Page } from '../../components/page.tsx';
import { PageLoading } from '../../components/page-loading.tsx';
import { Problem } from '../../components/problem.tsx';
import { TabList } from '../../components/tab-list.tsx';
import { Ago } from '../../components/time.tsx';
import { DownloadMenu } from './download-menu.tsx';
import { Overview } from './overview.tsx';
import { PromoteButton } from './promote.tsx';
import { versionTabs, type VersionTab } from './search.ts';

const LineagePanel = lazy(() => import('./lineage-panel.tsx').then((at) => ({ default: at.LineagePanel })));
const ComparePanel = lazy(() => import('./compare-panel.tsx').then((at) => ({ default: at.ComparePanel })));
const TryIt = lazy(() => import('./try-it/try-it.tsx').then((at) => ({ default: at.TryIt })));

/** One version of a task's model: where it comes from, who it is served to, and what it does. */
export function VersionPage() {
  const { id } = useParams({ from: '/versions/$id' });
  const { tab = 'overview', with: other } = useSearch({ from: '/versions/$id' });
  const navigate = useNavigate();
  const words = useTranslations('models.version');
  const version = useRead('getVersion', { params: { id: id as VersionId } }); // an id that is none is refused by the server
  const taskId = version.data?.taskId;
  const task = useRead(
    'getTask',
    { params: { id: taskId as NonNullable<typeof taskId> } }, // asked only when it is known
    { enabled: taskId !== undefined },
  );
  const error = version.error ?? task.error;
  if (error) return <Problem error={error} />;
  if (!version.data || !task.data || version.data.id !== id) return <PageLoading lead tabs figures={0} />;
  const isServed = task.data.servedVersion === id;
  const kept = version.data.prunedAt === null;
  return (
    <Page
      title={words('title', { number: version.data.number })}
      lead={
        <>
          {words('made')} <Ago at={version.data.createdAt} />
        </>
      }
      badge={
        <Group gap={6}>
          {isServed && (
            <Badge
              color="teal"
              variant="light"
              tt="none"
              leftSection={<IconBroadcast size={12} aria-hidden />}
            >
              {words('served')}
            </Badge>
          )}
          {task.data.currentVersion === id && (
            <Badge variant="default" tt="none">
              {words('newest')}
            </Badge>
          )}
        </Group>
      }
      trail={[
        <Anchor key="models" component={Link} to={`/models/${task.data.model}`} inherit>
          {words('model')}
        </Anchor>,
        <Anchor key="task" component={Link} to={`/tasks/${task.data.id}`} inherit>
          {task.data.name}
        </Anchor>,
      ]}
      actions={
        kept && (
          <>
            <DownloadMenu id={version.data.id} />
            {!isServed && <PromoteButton version={version.data} task={task.data} />}
          </>
        )
      }
    >
      {!kept && <Alert color="yellow">{words('pruned')}</Alert>}
      <Tabs
        value={tab}
        keepMounted={false}
        onChange={(chosen) => {
          void navigate({
            to: '/versions/$id',
            params: { id },
            search: { tab: chosen as VersionTab, ...(other !== undefined && { with: other }) }, // the tabs' own values
          });
        }}
      >
        <TabList
          tabs={versionTabs}
          chosen={tab}
          named={(each) => words(`tab.${each}`)}
          disabled={(each) => !kept && (each === 'compare' || each === 'try')}
        />
        <Suspense fallback={<Skeleton h={320} mt="md" aria-busy />}>
          <Tabs.Panel value="overview" pt="md">
            <Overview version={version.data} task={task.data} />
          </Tabs.Panel>
          <Tabs.Panel value="lineage" pt="md">
            <LineagePanel version={version.data} task={task.data} />
          </Tabs.Panel>
          <Tabs.Panel value="compare" pt="md">
            <ComparePanel version={version.data} task={task.data} other={other as VersionId | undefined} />
          </Tabs.Panel>
          <Tabs.Panel value="try" pt="md">
            <TryIt key={id} version={version.data} task={task.data} />
          </Tabs.Panel>
        </Suspense>
      </Tabs>
    </Page>
  );
}
