import { ScrollArea, Table } from '@mantine/core';
import type { ReactNode } from 'react';

/** A table of many rows in a panel: it scrolls below its head. */
export function TallTable({
  name,
  height,
  head,
  children,
}: {
  /** What is listed, for those who cannot see it. */
  name: string;
  height: number;
  /** Names of the columns; `right` for those of numbers. */
  head: readonly { readonly name: string; readonly right?: boolean }[];
  /** Rows. */
  children: ReactNode;
}) {
  return (
    <ScrollArea.Autosize mah={height} viewportProps={{ tabIndex: 0, role: 'region', 'aria-label': name }}>
      <Table verticalSpacing={6} stickyHeader>
        <Table.Thead>
          <Table.Tr>
            {head.map((column) => (
              <Table.Th key={column.name} ta={column.right ? 'right' : 'left'} bg="var(--starling-surface)">
                {column.name}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>{children}</Table.Tbody>
      </Table>
    </ScrollArea.Autosize>
  );
}
