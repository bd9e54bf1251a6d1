import { Box, Table } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import { shownRows } from './shown-rows.ts';

/** Of every row, so that the place of each is known without drawing it. */
const rowHeight = 34;

/**
 * A table of thousands of rows: those in view are drawn, and space stands for the others. Its figures are those of a drawing
 * (`data-drawn`), which the title of the panel explains.
 */
export function LongTable({
  name,
  height,
  head,
  rows,
  cells,
}: {
  /** What is listed, for those who cannot see it. */
  name: string;
  height: number;
  /** Names of the columns; the first names the rows, the others are numbers. */
  head: readonly string[];
  rows: number;
  /** What stands in a row. */
  cells: (row: number) => readonly ReactNode[];
}) {
  const [top, setTop] = useState(0);
  const { first, end } = shownRows(rows, top / rowHeight, height / rowHeight);
  return (
    <Box
      className="scroll-x"
      mah={height}
      style={{ overflowY: 'auto' }}
      tabIndex={0}
      role="region"
      aria-label={name}
      data-drawn
      onScroll={({ currentTarget: { scrollTop } }) => {
        setTop(scrollTop);
      }}
    >
      <Table stickyHeader layout="fixed" miw={head.length * 110} aria-rowcount={rows + 1}>
        <Table.Thead>
          <Table.Tr aria-rowindex={1}>
            {head.map((each, column) => (
              <Table.Th key={column} ta={column === 0 ? 'left' : 'right'} bg="var(--starling-surface)">
                {each}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          <Space rows={first} />
          {Array.from({ length: end - first }, (_, place) => first + place).map((row) => {
            const [title, ...values] = cells(row);
            return (
              <Table.Tr key={row} aria-rowindex={row + 2} h={rowHeight} style={{ whiteSpace: 'nowrap' }}>
                <Table.Th scope="row" py={0}>
                  {title}
                </Table.Th>
                {values.map((value, column) => (
                  <Table.Td key={column} ta="right" py={0}>
                    {value}
                  </Table.Td>
                ))}
              </Table.Tr>
            );
          })}
          <Space rows={rows - end} />
        </Table.Tbody>
      </Table>
    </Box>
  );
}

/** Stands for rows that are out of view. */
function Space({ rows }: { rows: number }) {
  return rows > 0 && <tr aria-hidden style={{ height: rows * rowHeight }} />;
}
