import { Anchor, Badge, Progress, Stack, Text } from '@mantine/core';
import type { Task } from '@starling/protocol';
import { Link } from '@tanstack/react-router';
import { useTranslations } from 'use-intl';
import { useList } from '../../api/calls.tsx';
import { useMay } from '../../app/session.tsx';
import { ItemList, Nothing, type Column } from '../../components/item-list.tsx';
import { Page } from '../../components/page.tsx';
import { StateBadge } from '../../components/state-badge.tsx';
import { Ago } from '../../components/time.tsx';

/** All tasks of the project, newest first. */
export function TaskList() {
  const words = useTranslations('tasks');
  const may = useMay();
  const { items, error, refetch, hasNextPage, isFetchingNextPage, fetchNextPage } = useList('listTasks', {});
  const columns: Column<Task>[] = [
    {
      head: words('column.name'),
      cell: ({ id, name }) => (
        <Anchor component={Link} to={`/tasks/${id}`} fw={600}>
          {name}
        </Anchor>
      ),
    },
    { head: words('column.state'), cell: ({ state }) => <StateBadge of="task" state={state} /> },
    {
      head: words('column.progress'),
      cell: ({ roundsPublished, plan }) => (
        <Stack gap={4} miw={96}>
          <Text size="sm">{words('rounds', { done: roundsPublished, all: plan.rounds })}</Text>
          <Progress
            size="sm"
            value={(100 * roundsPublished) / plan.rounds}
            aria-label={words('rounds', { done: roundsPublished, all: plan.rounds })}
          />
        </Stack>
      ),
    },
    { head: words('column.algorithm'), wide: true, cell: ({ plan }) => plan.learning.algorithm },
    {
      head: words('column.secure'),
      wide: true,
      cell: ({ plan }) => (
        <Badge variant="default" tt="none">
          {words(plan.secure ? 'masked' : 'clear')}
        </Badge>
      ),
    },
    { head: words('column.updated'), wide: true, cell: ({ updatedAt }) => <Ago at={updatedAt} /> },
  ];
  return (
    <Page title={words('title')} lead={words('lead')}>
      <ItemList
        name={words('title')}
        items={items}
        error={error}
        retry={() => void refetch()}
        columns={columns}
        keyOf={({ id }) => id}
        empty={
          <Nothing title={words('empty')}>{words(may('createTask') ? 'emptyHint' : 'emptyViewer')}</Nothing>
        }
        more={{ has: hasNextPage, loading: isFetchingNextPage, load: () => void fetchNextPage() }}
      />
    </Page>
  );
}
