import { MultiSelect } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import type { TaskId } from '@starling/protocol';
import { useQueries } from '@tanstack/react-query';
import { useState } from 'react';
import { keyOf, useClient, useList } from '../../api/calls.tsx';
import { isTaskId } from './names.ts';

const settleMs = 250;

/** Chooses tasks by name: the server looks for them. */
export function TaskChoice({
  chosen,
  choose,
  label,
  placeholder,
  most,
  without,
}: {
  chosen: readonly TaskId[];
  choose: (ids: TaskId[]) => void;
  label: string;
  placeholder: string;
  most: number;
  without?: TaskId;
}) {
  const [sought, setSought] = useState('');
  const [name] = useDebouncedValue(sought.trim(), settleMs);
  const { items = [] } = useList('listTasks', name === '' ? {} : { query: { name } });
  const known = useNames(chosen);
  const options = new Map(items.filter(({ id }) => id !== without).map((task) => [task.id, task.name]));
  for (const [index, id] of chosen.entries()) options.set(id, known[index] ?? id);
  return (
    <MultiSelect
      label={label}
      placeholder={chosen.length < most ? placeholder : ''}
      searchable
      clearable
      hidePickedOptions
      maxValues={most}
      searchValue={sought}
      onSearchChange={setSought}
      data={[...options].map(([value, text]) => ({ value, label: text }))}
      value={[...chosen]}
      onChange={(ids) => {
        choose(ids.filter(isTaskId));
      }}
      miw={260}
    />
  );
}

function useNames(ids: readonly TaskId[]): (string | undefined)[] {
  const client = useClient();
  return useQueries({
    queries: ids.map((id) => ({
      queryKey: keyOf('getTask', { params: { id } }),
      queryFn: () => client.call('getTask', { params: { id } }),
    })),
  }).map(({ data }) => data?.name);
}
