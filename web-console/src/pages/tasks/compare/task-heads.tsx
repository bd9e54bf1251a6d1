import { Anchor, Table } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { lineColour } from '../../../components/chart/colours.ts';
import type { Run } from '../learning/use-runs.ts';

/** The heads of a table with a column for each task: its name leads to it, its colour is that of its lines. */
export function TaskHeads({
  first,
  runs,
  right = false,
}: {
  first?: string;
  runs: readonly Run[];
  right?: boolean;
}) {
  return (
    <Table.Thead>
      <Table.Tr>
        {first === undefined ? <Table.Td /> : <Table.Th>{first}</Table.Th>}
        {runs.map(({ task }, index) => (
          <Table.Th key={task.id} ta={right ? 'right' : 'left'}>
            <span aria-hidden style={{ color: lineColour(index) }}>
              ■{' '}
            </span>
            <Anchor component={Link} to={`/tasks/${task.id}`} inherit>
              {task.name}
            </Anchor>
          </Table.Th>
        ))}
      </Table.Tr>
    </Table.Thead>
  );
}
