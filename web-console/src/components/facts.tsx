import { SimpleGrid, Stack, Text, type SimpleGridProps } from '@mantine/core';
import type { ReactNode } from 'react';
import { Named, type About } from './figure.tsx';

/** One thing that is known, below its name. */
export interface Fact {
  readonly name: string;
  readonly value: ReactNode;
  /** Of a number: what it is. */
  readonly about?: About;
}

/** What is known of something, fact by fact. */
export function Facts({
  facts,
  cols,
}: {
  facts: readonly Fact[];
  cols: NonNullable<SimpleGridProps['cols']>;
}) {
  return (
    <SimpleGrid cols={cols}>
      {facts.map(({ name, value, about }) => (
        <Stack key={name} gap={0} align="flex-start" data-explained={about && true}>
          <Text size="sm" c="dimmed">
            <Named about={about}>{name}</Named>
          </Text>
          <div>{value}</div>
        </Stack>
      ))}
    </SimpleGrid>
  );
}
