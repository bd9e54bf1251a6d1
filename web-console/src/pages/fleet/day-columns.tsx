import { Box, Group, Text, Tooltip } from '@mantine/core';
import { useFormatter } from 'use-intl';

/** One column a day, its height by the greatest of them. */
export function DayColumns({ days }: { days: readonly { day: string; devices: number }[] }) {
  const format = useFormatter();
  const most = Math.max(1, ...days.map(({ devices }) => devices));
  const named = (day: string) =>
    format.dateTime(new Date(`${day}T00:00:00Z`), { day: 'numeric', month: 'short', timeZone: 'UTC' });
  return (
    <div>
      <Group
        component="ul"
        gap={4}
        align="flex-end"
        wrap="nowrap"
        h={132}
        p={0}
        m={0}
        style={{ listStyle: 'none', borderBottom: '1px solid var(--starling-line)' }}
      >
        {days.map(({ day, devices }) => (
          <Tooltip key={day} label={`${named(day)}: ${format.number(devices)}`}>
            <Box
              component="li"
              tabIndex={0}
              flex={1}
              aria-label={`${named(day)}: ${format.number(devices)}`}
              h={`${Math.max(2, (100 * devices) / most)}%`}
              style={{
                background: devices > 0 ? 'var(--mantine-primary-color-filled)' : 'var(--starling-line)',
                borderRadius: '3px 3px 0 0',
              }}
            />
          </Tooltip>
        ))}
      </Group>
      <Group justify="space-between">
        {[days.at(0), days.at(-1)].map((end) => (
          <Text key={end?.day} size="xs" c="dimmed">
            {end && named(end.day)}
          </Text>
        ))}
      </Group>
    </div>
  );
}
