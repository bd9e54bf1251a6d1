import { Table } from '@mantine/core';
import type { ReactNode } from 'react';
import { Named, type About } from './figure.tsx';

/** The head of a column. */
export interface Head {
  readonly head: ReactNode;
  /** What its numbers are, and the call that they come from. */
  readonly about?: About;
  /** Numbers stand right. */
  readonly right?: boolean;
  /** Left out on narrow screens. */
  readonly wide?: boolean;
}

/** The heads of a table's columns; `sticky` ones cover what scrolls below them. */
export function Heads({ heads, sticky = false }: { heads: readonly Head[]; sticky?: boolean }) {
  return (
    <Table.Thead>
      <Table.Tr>
        {heads.map(({ head, about, right, wide }, index) => (
          <Table.Th
            key={index}
            ta={right ? 'right' : 'left'}
            {...(wide && { visibleFrom: 'md' })}
            {...(sticky && { bg: 'var(--starling-surface)' })}
          >
            <Named about={about}>{head}</Named>
          </Table.Th>
        ))}
      </Table.Tr>
    </Table.Thead>
  );
}
