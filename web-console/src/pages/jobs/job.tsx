import { Alert, Anchor, Code, SimpleGrid, Skeleton, Stack, Text } from '@mantine/core';
import type { JobId } from '@starling/protocol';
import type { Job as JobFacts } from '@starling/protocol/api';
import { Link, useParams } from '@tanstack/react-router';
import { lazy, Suspense, useMemo, type ReactNode } from 'react';
import { useTranslations } from 'use-intl';
import { useAct, useRead } from '../../api/calls.tsx';
import { useMay } from '../../app/session.tsx';
import { ConfirmButton } from '../../components/confirm.tsx';
import { Explained } from '../../components/figure.tsx';
import { Identity } from '../../components/identity.tsx';
import { Page, Panel } from '../../components/page.tsx';
import { PageLoading } from '../../components/page-loading.tsx';
import { Problem } from '../../components/problem.tsx';
import { useQuantities } from '../../components/quantities.ts';
import { StateBadge } from '../../components/state-badge.tsx';
import { Ago, useNow } from '../../components/time.tsx';
import { tookMs } from './duration.ts';
import { JobLog } from './job-log.tsx';
import { simulatedOf } from './simulated.ts';
import { TaskName } from './task-name.tsx';

const SimulatedPanels = lazy(() =>
  import('./simulated-panels.tsx').then((m) => ({ default: m.SimulatedPanels })),
);

/** One job in the cloud: where it stands, what it measured and what it writes. */
export function Job() {
  const words = useTranslations('jobs');
  const id = useParams({ strict: false }).jobId as JobId; // the server says when it is none
  const { data: job, error, refetch } = useRead('getJob', { params: { id } });
  const simulated = useMemo(
    () => (job?.work.kind === 'simulate' ? simulatedOf(job.metrics) : undefined),
    [job?.work.kind, job?.metrics],
  );
  const task = useRead(
    'getTask',
    { params: { id: job?.taskId as JobFacts['taskId'] } }, // asked only when it is known
    { enabled: simulated !== undefined },
  );
  if (error) return <Problem error={error} retry={() => void refetch()} />;
  if (!job) return <PageLoading figures={0} />;
  const trail = [
    <Anchor key="jobs" component={Link} to="/jobs" inherit>
      {words('title')}
    </Anchor>,
  ];
  return (
    <Page
      title={words(`kind.${job.work.kind}`)}
      trail={trail}
      badge={<StateBadge of="job" state={job.state} />}
      actions={job.endedAt === null && <Cancel id={id} />}
    >
      {job.message != null && (
        <Alert color={job.state === 'failed' ? 'red' : 'gray'} style={{ whiteSpace: 'pre-line' }}>
          {job.message}
        </Alert>
      )}
      <Panel title={words('about')}>
        <About job={job} />
      </Panel>
      {simulated && task.data && (
        <Suspense fallback={<Skeleton h={480} aria-busy />}>
          <SimulatedPanels task={task.data} simulated={simulated} />
        </Suspense>
      )}
      <SimpleGrid cols={{ base: 1, lg: 2 }}>
        <Panel
          title={
            <Explained meaning={words('metricsMeaning')} from="getJob">
              {words('metrics')}
            </Explained>
          }
        >
          {job?.metrics ? (
            <Json value={simulated ? { ...job.metrics, rounds: undefined } : job.metrics} />
          ) : (
            <Text c="dimmed">{words('noMetrics')}</Text>
          )}
        </Panel>
        <Panel title={words('settings')}>{job && <Json value={job.work} />}</Panel>
      </SimpleGrid>
      <JobLog id={id} />
    </Page>
  );
}

function About({ job }: { job: JobFacts }) {
  const words = useTranslations('jobs');
  const { duration } = useQuantities();
  const ms = tookMs(job, useNow(1000));
  const facts: [string, ReactNode][] = [
    [words('column.task'), <TaskName key="task" id={job.taskId} />],
    [words('data'), job.work.data],
    [words('column.backend'), job.backend === '' ? words('undecided') : job.backend],
    [words('column.attempts'), words('attempts', { count: job.attempts })],
    [words('column.created'), <Ago key="created" at={job.createdAt} />],
    ...(ms === null ? [] : [[words('column.took'), duration(ms)] satisfies [string, ReactNode]]),
    [words('from'), <VersionLink key="from" id={job.baseVersion} />],
    ...(job.publishedVersion === null
      ? []
      : [
          [words('published'), <VersionLink key="published" id={job.publishedVersion} />] satisfies [
            string,
            ReactNode,
          ],
        ]),
    ...(job.step === null ? [] : [[words('step'), job.step] satisfies [string, ReactNode]]),
    ['ID', <Identity key="id" id={job.id} />],
  ];
  return (
    <SimpleGrid cols={{ base: 2, sm: 3, lg: 5 }}>
      {facts.map(([name, value]) => (
        <Stack key={name} gap={0} align="flex-start">
          <Text size="sm" c="dimmed">
            {name}
          </Text>
          <div>{value}</div>
        </Stack>
      ))}
    </SimpleGrid>
  );
}

function VersionLink({ id }: { id: string }) {
  return (
    <Anchor component={Link} to={`/versions/${id}`} ff="monospace" size="sm">
      {id.slice(0, 12)}…
    </Anchor>
  );
}

function Json({ value }: { value: object }) {
  return (
    <Code block mah={320} tabIndex={0}>
      {JSON.stringify(value, null, 2)}
    </Code>
  );
}

function Cancel({ id }: { id: JobId }) {
  const words = useTranslations('jobs');
  const may = useMay();
  const cancel = useAct('cancelJob', { changes: ['getJob', 'listJobs', 'listTaskJobs'] });
  if (!may('cancelJob')) return null;
  return (
    <ConfirmButton
      name={words('cancel')}
      title={words('cancelTitle')}
      text={words('cancelText')}
      pending={cancel.isPending}
      size="page"
      act={() => {
        cancel.mutate({ params: { id } });
      }}
    />
  );
}
