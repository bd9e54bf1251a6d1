import { ScrollArea, Table } from '@mantine/core';
import type { ReactNode } from 'react';
import { Heads, type Head } from './heads.tsx';

/** A table of many rows in a panel: it scrolls below its head. */
export function TallTable({
  name,
  height,
  heads,
  children,
}: {
  /** What is listed, for those who cannot see it. */
  name: string;
  height: number;
  heads: readonly Head[];
  /** Rows. */
  children: ReactNode;
}) {
  return (
    <ScrollArea.Autosize mah={height} viewportProps={{ tabIndex: 0, role: 'region', 'aria-label': name }}>
      <Table verticalSpacing={6} stickyHeader>
        <Heads heads={heads} sticky />
        <Table.Tbody>{children}</Table.Tbody>
      </Table>
    </ScrollArea.Autosize>
  );
}
