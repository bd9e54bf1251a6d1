import { Anchor } from '@mantine/core';
import type { TaskId } from '@starling/protocol';
import { Link } from '@tanstack/react-router';
import { useRead } from '../../api/calls.tsx';

/** The name of a task as a link to it; its id until the name is there. */
export function TaskName({ id }: { id: TaskId }) {
  const { data } = useRead('getTask', { params: { id } });
  return (
    <Anchor component={Link} to={`/tasks/${id}`} inherit>
      {data?.id === id ? data.name : `${id.slice(0, 12)}…`}
    </Anchor>
  );
}
