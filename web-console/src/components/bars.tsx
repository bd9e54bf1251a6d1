import { Box, Group, Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { useFormatter } from 'use-intl';

export interface Bar {
  readonly key: string;
  readonly name: ReactNode;
  readonly value: number;
  readonly colour?: string;
}

/** Figures as horizontal bars, each with its name and number: the number is the text, the bar is beside it. */
export function Bars({ bars, most }: { bars: readonly Bar[]; most?: number }) {
  const format = useFormatter();
  const longest = Math.max(1, most ?? 0, ...bars.map(({ value }) => value));
  return (
    <Stack gap="xs" component="ul" p={0} m={0} style={{ listStyle: 'none' }}>
      {bars.map(({ key, name, value, colour = 'var(--mantine-primary-color-filled)' }) => (
        <li key={key}>
          <Group justify="space-between" gap="sm" wrap="nowrap">
            <Text size="sm" truncate>
              {name}
            </Text>
            <Text size="sm" fw={600}>
              {format.number(value)}
            </Text>
          </Group>
          <Box h={6} bg="var(--starling-line)" style={{ borderRadius: 3 }} aria-hidden>
            <Box
              h={6}
              w={`${(100 * value) / longest}%`}
              style={{ background: colour, borderRadius: 3, minWidth: value > 0 ? 3 : 0 }}
            />
          </Box>
        </li>
      ))}
    </Stack>
  );
}
