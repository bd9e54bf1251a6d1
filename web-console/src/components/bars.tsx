import { Box, Group, Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { useFormatter } from 'use-intl';
import { Explained, type About } from './figure.tsx';

export interface Bar {
  readonly key: string;
  readonly name: ReactNode;
  readonly value: number;
  readonly colour?: string;
}

/** Figures as horizontal bars, each with its name and number: the number is the text, the bar is beside it. */
export function Bars({
  bars,
  most,
  title,
  empty,
}: {
  bars: readonly Bar[];
  most?: number;
  /** What the figures are, where the panel's own title does not say so. */
  title?: About & { readonly name: string };
  /** What stands there when there is no bar. */
  empty?: string;
}) {
  const format = useFormatter();
  const longest = Math.max(1, most ?? 0, ...bars.map(({ value }) => value));
  return (
    <Stack gap="xs" data-explained={title && true}>
      {title && (
        <Text size="sm" c="dimmed">
          <Explained {...title}>{title.name}</Explained>
        </Text>
      )}
      {bars.length === 0 ? (
        empty !== undefined && <Text size="sm">{empty}</Text>
      ) : (
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
      )}
    </Stack>
  );
}
