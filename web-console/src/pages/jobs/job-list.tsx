import { Anchor, Button } from '@mantine/core';
import type { Job } from '@starling/protocol/api';
import { Link } from '@tanstack/react-router';
import { useTranslations } from 'use-intl';
import { useList } from '../../api/calls.tsx';
import { ItemList, type Column } from '../../components/item-list.tsx';
import { Nothing } from '../../components/nothing.tsx';
import { Page } from '../../components/page.tsx';
import { useQuantities } from '../../components/quantities.ts';
import { StateBadge } from '../../components/state-badge.tsx';
import { Ago, useNow } from '../../components/time.tsx';
import { tookMs } from './duration.ts';
import { TaskName } from './task-name.tsx';

/** All jobs of the project, newest first. */
export function JobList() {
  const words = useTranslations('jobs');
  const list = useList('listJobs', {});
  return (
    <Page title={words('title')} lead={words('lead')}>
      <ItemList
        name={words('title')}
        list={list}
        columns={useColumns()}
        keyOf={({ id }) => id}
        empty={
          <Nothing
            title={words('empty')}
            action={
              <Button component={Link} to="/tasks" variant="default">
                {words('toTasks')}
              </Button>
            }
          >
            {words('emptyHint')}
          </Nothing>
        }
      />
    </Page>
  );
}

function useColumns(): Column<Job>[] {
  const words = useTranslations('jobs');
  const { duration } = useQuantities();
  const now = useNow(1000);
  return [
    {
      head: words('column.job'),
      cell: ({ id, work }) => (
        <Anchor component={Link} to={`/jobs/${id}`} fw={600} inherit>
          {words(`kind.${work.kind}`)}
        </Anchor>
      ),
    },
    { head: words('column.task'), cell: ({ taskId }) => <TaskName id={taskId} /> },
    { head: words('column.state'), cell: ({ state }) => <StateBadge of="job" state={state} /> },
    {
      head: words('column.backend'),
      wide: true,
      cell: ({ backend }) => (backend === '' ? words('undecided') : backend),
    },
    {
      head: words('column.attempts'),
      about: { meaning: words('column.attemptsMeaning'), from: 'listJobs' },
      wide: true,
      cell: ({ attempts }) => words('attempts', { count: attempts }),
    },
    {
      head: words('column.took'),
      about: { meaning: words('column.tookMeaning'), from: 'listJobs' },
      right: true,
      wide: true,
      cell: (job) => {
        const ms = tookMs(job, now);
        return ms === null ? '' : duration(ms);
      },
    },
    { head: words('column.created'), wide: true, cell: ({ createdAt }) => <Ago at={createdAt} /> },
  ];
}
