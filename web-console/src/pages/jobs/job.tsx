import { Alert, Anchor, Code, SimpleGrid, Skeleton, Text } from '@mantine/core';
import type { JobId } from '@starling/protocol';
import type { Job as JobFacts } from '@starling/protocol/api';
import { Link, useParams } from '@tanstack/react-router';
import { lazy, Suspense, useMemo } from 'react';
import { useTranslations } from 'use-intl';
import { useAct, useRead } from '../../api/calls.tsx';
import { useMay } from '../../app/session.tsx';
import { ConfirmButton } from '../../components/confirm.tsx';
import { Facts, type Fact } from '../../components/facts.tsx';
import { Identity } from '../../components/identity.tsx';
import { Page, Panel } from '../../components/page.tsx';
import { PageLoading } from '../../components/page-loading.tsx';
import { Problem } from '../../components/problem.tsx';
import { useQuantities } from '../../components/quantities.ts';
import { StateBadge } from '../../components/state-badge.tsx';
import { Ago, useNow } from '../../components/time.tsx';
import { VersionLink } from '../tasks/version-link.tsx';
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
        <Panel title={words('metrics')} about={{ meaning: words('metricsMeaning'), from: 'getJob' }}>
          {job.metrics ? (
            <Json value={simulated ? { ...job.metrics, rounds: undefined } : job.metrics} />
          ) : (
            <Text c="dimmed">{words('noMetrics')}</Text>
          )}
        </Panel>
        <Panel title={words('settings')} about={{ meaning: words('settingsMeaning'), from: 'getJob' }}>
          <Json value={job.work} />
        </Panel>
      </SimpleGrid>
      <JobLog id={id} />
    </Page>
  );
}

function About({ job }: { job: JobFacts }) {
  const words = useTranslations('jobs');
  const { duration } = useQuantities();
  const ms = tookMs(job, useNow(1000));
  const from = 'getJob';
  const facts: Fact[] = [
    { name: words('column.task'), value: <TaskName id={job.taskId} /> },
    { name: words('data'), value: job.work.data },
    { name: words('column.backend'), value: job.backend === '' ? words('undecided') : job.backend },
    {
      name: words('column.attempts'),
      value: words('attempts', { count: job.attempts }),
      about: { meaning: words('column.attemptsMeaning'), from },
    },
    { name: words('column.created'), value: <Ago at={job.createdAt} /> },
  ];
  if (ms !== null) {
    const about = { meaning: words('column.tookMeaning'), from } as const;
    facts.push({ name: words('column.took'), value: duration(ms), about });
  }
  facts.push({ name: words('from'), value: <VersionLink id={job.baseVersion} /> });
  if (job.publishedVersion !== null)
    facts.push({ name: words('published'), value: <VersionLink id={job.publishedVersion} /> });
  if (job.step !== null) {
    facts.push({ name: words('step'), value: job.step, about: { meaning: words('stepMeaning'), from } });
  }
  facts.push({ name: 'ID', value: <Identity id={job.id} /> });
  return <Facts facts={facts} cols={{ base: 2, sm: 3, lg: 5 }} />;
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
