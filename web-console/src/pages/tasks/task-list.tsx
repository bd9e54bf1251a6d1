import { Anchor, Badge, Button, Group, Progress, Select, Stack, Text, TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import type { Task } from '@starling/protocol';
import { IconGitCompare, IconPlus, IconSearch } from '@tabler/icons-react';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslations } from 'use-intl';
import { useList } from '../../api/calls.tsx';
import { useMay } from '../../app/session.tsx';
import { ItemList, type Column } from '../../components/item-list.tsx';
import { Nothing } from '../../components/nothing.tsx';
import { Page } from '../../components/page.tsx';
import { StateBadge } from '../../components/state-badge.tsx';
import { Ago } from '../../components/time.tsx';
import { taskStates } from './names.ts';

const route = getRouteApi('/tasks');

/** The tasks of the project, newest first: all, or those of a state or name. */
export function TaskList() {
  const words = useTranslations('tasks');
  const may = useMay();
  const search = route.useSearch();
  const { state, name } = search;
  const filtered = state !== undefined || name !== undefined;
  const list = useList(
    'listTasks',
    filtered ? { query: { ...(state && { state }), ...(name && { name }) } } : {},
  );
  const create = may('createTask') && (
    <Button component={Link} to="/tasks/new" leftSection={<IconPlus size={16} />}>
      {words('create')}
    </Button>
  );
  return (
    <Page
      title={words('title')}
      lead={words('lead')}
      actions={
        <>
          <Button component={Link} to="/compare" variant="default" leftSection={<IconGitCompare size={16} />}>
            {words('compare')}
          </Button>
          {create}
        </>
      }
    >
      <Filters />
      <ItemList
        name={words('title')}
        list={list}
        columns={useColumns()}
        keyOf={({ id }) => id}
        empty={
          filtered ? (
            <Nothing title={words('noneFound')}>{words('noneFoundHint')}</Nothing>
          ) : (
            <Nothing title={words('empty')} action={create}>
              {words(may('createTask') ? 'emptyHint' : 'emptyViewer')}
            </Nothing>
          )
        }
      />
    </Page>
  );
}

const settleMs = 300;

function Filters() {
  const words = useTranslations('tasks');
  const states = useTranslations('states.task');
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const [name, setName] = useState(search.name ?? '');
  const seek = useDebouncedCallback((sought: string) => {
    void navigate({ search: (now) => ({ ...now, name: sought || undefined }), replace: true });
  }, settleMs);
  return (
    <Group gap="sm">
      <TextInput
        w={{ base: '100%', xs: 260 }}
        type="search"
        aria-label={words('search')}
        placeholder={words('search')}
        leftSection={<IconSearch size={16} />}
        value={name}
        onChange={({ currentTarget: { value } }) => {
          setName(value);
          seek(value.trim());
        }}
      />
      <Select
        aria-label={words('state')}
        placeholder={words('anyState')}
        clearable
        w={{ base: '100%', xs: 170 }}
        data={taskStates.map((state) => ({ value: state, label: states(state) }))}
        value={search.state ?? null}
        onChange={(chosen) => {
          const state = taskStates.find((each) => each === chosen);
          void navigate({ search: (now) => ({ ...now, state }), replace: true });
        }}
      />
    </Group>
  );
}

function useColumns(): Column<Task>[] {
  const words = useTranslations('tasks');
  const choices = useTranslations('plan.choice');
  const figures = useTranslations('task.figure');
  return [
    {
      head: words('column.name'),
      cell: ({ id, name }) => (
        <Anchor component={Link} to={`/tasks/${id}`} fw={600} inherit>
          {name}
        </Anchor>
      ),
    },
    { head: words('column.state'), cell: ({ state }) => <StateBadge of="task" state={state} /> },
    {
      head: words('column.progress'),
      about: { meaning: figures('roundsMeaning'), from: 'listTasks' },
      cell: ({ roundsPublished, plan }) => (
        <Stack gap={4} miw={{ base: 56, xs: 96 }}>
          <Text size="sm">{words('rounds', { done: roundsPublished, all: plan.rounds })}</Text>
          <Progress
            size="sm"
            value={(100 * roundsPublished) / plan.rounds}
            aria-label={words('rounds', { done: roundsPublished, all: plan.rounds })}
          />
        </Stack>
      ),
    },
    { head: words('column.algorithm'), wide: true, cell: ({ plan }) => choices(plan.learning.algorithm) },
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
}
