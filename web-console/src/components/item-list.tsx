import { Button, Center, Skeleton, Stack, Table } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslations } from 'use-intl';
import type { PagedList } from '../api/calls.tsx';
import { Heads, type Head } from './heads.tsx';
import { Problem } from './problem.tsx';
import { Refused } from './refused.tsx';

export interface Column<T> extends Head {
  readonly cell: (item: T) => ReactNode;
}

/** A paged list as a table: loading, failed, empty, or rows with a button for more. */
export function ItemList<T>({
  list: { items, error, moreError, refetch, hasNextPage, isFetchingNextPage, fetchNextPage },
  columns,
  keyOf,
  empty,
  name,
}: {
  list: PagedList<T>;
  columns: readonly Column<T>[];
  keyOf: (item: T) => string;
  /** What stands there when there is nothing: why, and what to do. */
  empty: ReactNode;
  /** What is listed, for those who cannot see it. */
  name: string;
}) {
  const words = useTranslations('shell.list');
  if (error) return <Problem error={error} retry={() => void refetch()} />;
  if (!items) {
    return (
      <div className="surface soon" role="status" aria-busy aria-label={words('loading')}>
        {Array.from({ length: 6 }, (_, row) => (
          <div key={row} className="row-to-come">
            <Skeleton h={14} w={row === 0 ? '60%' : '100%'} />
          </div>
        ))}
      </div>
    );
  }
  if (items.length === 0) return <>{empty}</>;
  return (
    <Stack gap="sm">
      <div className="surface scroll-x" tabIndex={0} role="region" aria-label={name}>
        <Table highlightOnHover verticalSpacing="xs" horizontalSpacing="md">
          <Heads heads={columns} />
          <Table.Tbody>
            {items.map((item) => (
              <Table.Tr key={keyOf(item)}>
                {columns.map(({ cell, right, wide }, index) => (
                  <Table.Td
                    key={index}
                    {...(right && { ta: 'right', style: { whiteSpace: 'nowrap' } })}
                    {...(wide && { visibleFrom: 'md' })}
                  >
                    {cell(item)}
                  </Table.Td>
                ))}
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </div>
      {moreError && (
        <Center role="alert" c="var(--mantine-color-error)">
          <Refused error={moreError} />
        </Center>
      )}
      {hasNextPage && (
        <Center>
          <Button variant="default" loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
            {words('more')}
          </Button>
        </Center>
      )}
    </Stack>
  );
}
